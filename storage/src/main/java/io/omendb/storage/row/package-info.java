/**
 * Rows in memory: where they lie, how an id finds them, which are deleted.
 *
 * <p>A slot's vector is at {@code slot * stride} of one byte space, its {@link
 * io.omendb.storage.row.RowLayout row} at {@code slot * 32} of a second; string ids and payloads
 * lie in a third, the heap. A byte space is mapped over {@link io.omendb.storage.row.ExtentLayout
 * files of doubling size} that are allocated before they are mapped and never truncated. {@link
 * io.omendb.storage.row.IdIndex} and the bits of {@link io.omendb.storage.row.Tombstones} are
 * anonymous memory.
 *
 * <p>Threads: one writer, who holds the collection's write lock; any number of readers without
 * locks. A reader sees a slot once it has read a count above it: bytes first, then the id's entry
 * by release, then the count by release. Nothing here syncs by itself but {@link
 * io.omendb.storage.row.Extents#syncTo}.
 */
@NullMarked
package io.omendb.storage.row;

import org.jspecify.annotations.NullMarked;
