/// The gRPC edge of the engine: it reads the wire, calls a collection, and maps what comes back.
@NullMarked
package io.omendb.service;

import org.jspecify.annotations.NullMarked;
