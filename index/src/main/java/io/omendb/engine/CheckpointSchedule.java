package io.omendb.engine;

import java.util.function.LongSupplier;

/**
 * When an idle collection is checkpointed, and whether with an image: when the image lags behind by
 * many rows or by a share of the graph, and with time when anything has changed. What the log's
 * length demands is the store's to say, and comes first.
 *
 * <p>One thread: the linker's, or the one that closes the collection after it.
 */
final class CheckpointSchedule {
  /** Newly linked rows after which an image is written at once. */
  static final int MOST_LAG = 50_000;

  /** Newly linked rows below which a share of the graph is not worth an image. */
  static final int LEAST_LAG = 256;

  /** An image may lag by one in so many of its rows. */
  static final int LAG_SHARE = 5;

  static final long PERIOD_NANOS = 60_000_000_000L;

  private final LongSupplier nanoTime;
  private int linkedAtImage;
  private long sequenceAtCheckpoint;
  private long checkpointNanos;
  private final RetryDistance retry;

  CheckpointSchedule(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.retry = new RetryDistance(nanoTime);
    this.checkpointNanos = nanoTime.getAsLong();
  }

  /** Whether the last try did not fail, or long enough ago. */
  boolean mayTry() {
    return retry.mayTry();
  }

  /** A try failed. */
  void failed() {
    retry.failed();
  }

  /** Whether a checkpoint is due while nothing waits to be linked. */
  boolean isDue(int linked, long publishedLsn) {
    int lag = linked - linkedAtImage;
    return lag > MOST_LAG
        || (lag > LEAST_LAG && lag > linkedAtImage / LAG_SHARE)
        || (isBehind(linked, publishedLsn)
            && nanoTime.getAsLong() - checkpointNanos > PERIOD_NANOS);
  }

  /** Whether anything happened that the newest checkpoint does not have. */
  boolean isBehind(int linked, long publishedLsn) {
    return linked != linkedAtImage || publishedLsn > sequenceAtCheckpoint;
  }

  /** Whether the newest image lacks a linked row. */
  boolean imageIsBehind(int linked) {
    return linked != linkedAtImage;
  }

  /** An image with so many rows was loaded at open. */
  void loaded(int linked) {
    linkedAtImage = linked;
  }

  /** A checkpoint was taken, of what was there when it began. */
  void checkpointed(int linked, long publishedLsn) {
    linkedAtImage = linked;
    retry.succeeded();
    checkpointedWithoutImage(publishedLsn);
  }

  /** A checkpoint was taken that has no room for its image; that is tried again. */
  void checkpointedWithoutImage(long publishedLsn) {
    sequenceAtCheckpoint = publishedLsn;
    checkpointNanos = nanoTime.getAsLong();
  }
}
