/**
 * The write-ahead log of one collection: records gather in memory while the last batch is written
 * and synced, then go out together (group commit without a timer).
 *
 * <p>{@link io.omendb.storage.wal.WalLayout} has the bytes, {@link io.omendb.storage.wal.Wal} the
 * thread that writes them, {@link io.omendb.storage.wal.WalReader} reads them back and tells a torn
 * tail from lost data.
 */
@NullMarked
package io.omendb.storage.wal;

import org.jspecify.annotations.NullMarked;
