/**
 * Checkpoints and recovery: two halves of one promise.
 *
 * <p>{@link io.omendb.storage.checkpoint.Checkpointer} brings everything up to a point of the log
 * to the device and commits that by a new {@link io.omendb.storage.checkpoint.Manifest}; {@link
 * io.omendb.storage.checkpoint.Recovery} starts from the newest valid manifest and applies the
 * records after it. The manifest names its tombstones, block sums and image; the two newest
 * manifests are kept, with the log that the older one needs.
 *
 * <p>Images are derived data that the engine writes with a checkpoint and may lose ({@link
 * io.omendb.storage.checkpoint.ImageLayout} has the bytes).
 *
 * <p>{@link io.omendb.storage.checkpoint.CollectionState} is what a collection has in memory; it is
 * filled by recovery, then changed by the store's writers and by its log thread. Threads: one
 * checkpoint at a time; recovery before anyone else has the state.
 */
@NullMarked
package io.omendb.storage.checkpoint;

import org.jspecify.annotations.NullMarked;
