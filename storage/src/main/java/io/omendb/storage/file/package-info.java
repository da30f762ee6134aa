/**
 * Files that are replaced whole, and what all files have in common: durable renames ({@link
 * io.omendb.storage.file.DurableFiles}), the frame with magic and checksum ({@link
 * io.omendb.storage.file.FramedFileLayout} has the diagram), the directory's lock, identity and
 * catalogue.
 *
 * <p>A file gets its name only after its bytes are synced, and a name counts only after its
 * directory is synced; so what a crash leaves is the old file, the new one, or a temporary that is
 * removed at the next open.
 *
 * <p>Threads: callers exclude each other. {@link io.omendb.storage.file.Preallocator} has the one
 * thread of a data directory that works ahead of its writers.
 */
@NullMarked
package io.omendb.storage.file;

import org.jspecify.annotations.NullMarked;
