/** OmenDB as its clients see it: a server process, and load over real sockets. */
@NullMarked
package io.omendb.loadtest.client;

import org.jspecify.annotations.NullMarked;
