/// Joins storage and index into collections, and is what a JVM application embeds.
///
/// # Three words of a write
///
/// - *acknowledged*: the log has it as the durability mode promises. A killed process loses nothing
///   acknowledged.
/// - *durable*: synced. A power cut does not lose it.
/// - *visible*: reads see it. `Get` and `Count` see a row when it is acknowledged, in the order of
///   the log. Searches see it then too ([Visibility#IMMEDIATE]), or once the graph has it
///   ([Visibility#AFTER_BUILD]).
///
/// # The way of a write
///
/// ```text
/// Collection.append   the store copies, checks and logs; UnlinkedBuffer notes the slots (writer's thread)
///   ▼
/// Listener.published  UnlinkedBuffer.publish: searches compare the rows one by one (log thread)
///   ▼
/// Linker              its threads take turns: IndexMaintenance takes a batch, HnswIndex links it with its
///   ▼                 workers, UnlinkedBuffer.linked takes the rows out of the buffer
/// IndexMaintenance    idle: calibrates the default ef, links what was held out for that, sweeps, writes
///                     a checkpoint with an image; the three schedules say when
/// ```
///
/// # The way of a search
///
/// [RowSearch] takes a snapshot of the unlinked buffer, *then* searches the graph: a row that is
/// linked in between is met twice, never missed. The beam's best are measured again on full
/// vectors, the snapshot's unlinked rows are compared one by one, and so are rows that arrived
/// meanwhile, lest an upsert hide its row.
///
/// # Threads and memory
///
/// Searches and reads: any thread, without locks, under a lease ([Collection#acquire]), which keeps
/// the memory mapped. Writes: any thread, one short lock. The log thread, one a collection,
/// publishes. The linker's threads alone change a graph, one at a time, so that one collection's
/// steps exclude each other and a checkpoint never sees a half-linked batch; a long step of one
/// collection leaves the other threads to the others. A code table that a refit replaced is closed
/// when [ReaderEpoch] says that no search can be in it.
///
/// # Words
///
/// A *slot* is a stored row's number and an *ordinal* a graph node's; here they are equal. An *id*
/// is the client's, an *lsn* (to clients: commit sequence) a position in the log.
@NullMarked
package io.omendb.engine;

import org.jspecify.annotations.NullMarked;
