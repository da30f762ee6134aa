/// Search, SearchBatch and the pool on which reads run.
///
/// A query is checked on the network thread, waits for `min_visible_sequence` if asked
/// ([io.omendb.service.read.ReadScheduler]), then takes its place in the bounded queue of
/// [io.omendb.service.read.RequestPool]; a full queue is told at once. The request thread searches
/// and encodes the hits ([io.omendb.service.read.HitEncoder]) into its own buffer. Scratch belongs
/// to the request thread; a query's floats are lent by a pool until its task has ended.
///
/// Imports `write` for its waits, and `call`, `status`, `wire`.
@NullMarked
package io.omendb.service.read;

import org.jspecify.annotations.NullMarked;
