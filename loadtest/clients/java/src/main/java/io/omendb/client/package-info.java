/// The client of OmenDB for the JVM: vectors in from arrays, buffers or segments, hits out; calls
/// that block, and the same with a future.
///
/// [io.omendb.client.OmenClient] holds the connection, [io.omendb.client.OmenCollection] the data.
/// Vectors are copied once, from where they lie into the message that gRPC sends. What fails is an
/// [io.omendb.client.OmenException], which names field, value and expectation.
@NullMarked
package io.omendb.client;

import org.jspecify.annotations.NullMarked;
