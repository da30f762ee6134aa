/// Insert and BulkInsert: rows in, acknowledgements out.
///
/// A message is checked by [io.omendb.service.write.RowsCheck] and appended on the network thread
/// that read it; nothing here waits for the log. [io.omendb.service.write.Acknowledger] has the one
/// thread that tells clients what became of their writes: it walks the waits of a collection
/// ([io.omendb.service.write.WatermarkWaiters]) and the open streams when watermarks move.
/// [io.omendb.service.write.BulkStream] is one stream: frames that wait for room, marks not yet
/// sent, and the pace of responses; its calls exclude each other by its own lock.
///
/// Imports `call`, `status`, `wire`, and the engine.
@NullMarked
package io.omendb.service.write;

import org.jspecify.annotations.NullMarked;
