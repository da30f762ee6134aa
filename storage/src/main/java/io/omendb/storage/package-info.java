/// The durable truth of a collection: its files, their log, and how they are recovered.
@NullMarked
package io.omendb.storage;

import org.jspecify.annotations.NullMarked;
