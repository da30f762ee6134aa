/**
 * What a log record says: rows added, slots marked deleted, a frame refused.
 *
 * <p>The log ({@code storage.wal}) carries records as bytes. Here is what they mean: {@link
 * io.omendb.storage.change.Change} is one to be logged, {@link io.omendb.storage.change.ChangeView}
 * reads one where it lies, both by {@link io.omendb.storage.change.ChangeLayout}. The log's thread
 * publishes a batch by viewing the records in the memory it has just written, so that a record is
 * encoded once and never decoded; recovery views them in the file.
 */
@NullMarked
package io.omendb.storage.change;

import org.jspecify.annotations.NullMarked;
