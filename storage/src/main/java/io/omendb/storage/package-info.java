/**
 * The durable truth of a vector database: what was acknowledged is here, and comes back after a
 * crash.
 *
 * <pre>
 *   DIR/STORE                        magic, format version, feature bits, identity; written once
 *   DIR/LOCK                         held while a process serves the directory
 *   DIR/CATALOGUE                    names and schemas of the collections; replaced by rename
 *   DIR/collections/NNNNNN/
 *     MANIFEST-G                     commit point of checkpoint G; the newest two are kept
 *     tombstones-G sums-G image-G    what manifest G names: deleted slots, block sums, derived image
 *     vectors-K rows-K heap-K        extents: append-only, allocated ahead, mapped, never truncated
 *     wal/SEQUENCE.wal               records after the checkpoint
 * </pre>
 *
 * <p>Truth is the write-ahead log, the extents, the tombstones and the manifest. The id index and
 * the image are derived: they may lag, be rebuilt or be lost.
 *
 * <p>A write takes this way: {@link io.omendb.storage.Appender} resolves conflicts, copies the
 * vectors once from where they arrived into the mapped extent, checks them there, stores rows and
 * payloads, and encodes one log record, all under one short lock. The log's thread writes what has
 * gathered (one write, one sync, many records), and {@link io.omendb.storage.Publisher} makes it
 * visible in log order: count first, tombstones next, then the listener. {@link
 * io.omendb.storage.RowReader} reads without locks. {@link io.omendb.storage.Checkpoints} says when
 * the log is cut, {@link io.omendb.storage.StoreOpening} what a start makes of the files.
 *
 * <p>Arrows, each "may import": this package → checkpoint → wal, row → file → api → {@code
 * io.omendb.memory}. What other modules may import is this package and {@link
 * io.omendb.storage.api}.
 *
 * <p>Words: a <em>slot</em> is the dense number of a stored row, assigned in log order and never
 * reused; an <em>id</em> is the client's; an <em>lsn</em> counts the log records of one collection
 * from 1.
 */
@NullMarked
package io.omendb.storage;

import org.jspecify.annotations.NullMarked;
