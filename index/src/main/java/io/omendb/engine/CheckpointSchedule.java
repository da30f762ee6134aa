package io.omendb.engine;

import java.util.function.LongSupplier;

/**
 * When an idle collection is checkpointed, and whether with an image. What the log's length demands
 * is the store's to say, and comes first.
 *
 * <p>A checkpoint of the truth costs what has changed, and is taken in time when anything has. An
 * image costs the whole graph: it is written when it lags by a share of it, so that all images of a
 * growing graph together are a few times its size, or after a time that grows with its size, so
 * that a trickle of writes costs at most {@link #IMAGE_BYTES_A_SECOND}.
 *
 * <p>Under the collection's checkpoint lock.
 */
final class CheckpointSchedule {
  /** Newly linked rows below which a share of the graph is not worth an image. */
  static final int LEAST_LAG = 256;

  /** An image may lag by one in so many of its rows. */
  static final int LAG_SHARE = 5;

  static final long PERIOD_NANOS = 60_000_000_000L;

  /** Most that images of a trickle of writes cost: 3.5 GiB an hour. */
  static final long IMAGE_BYTES_A_SECOND = 1 << 20;

  private final LongSupplier nanoTime;
  private int linkedAtImage;
  private long sequenceAtCheckpoint;
  private long checkpointNanos;
  private long imageNanos;
  private final RetryDistance retry;

  CheckpointSchedule(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.retry = new RetryDistance(nanoTime);
    this.checkpointNanos = nanoTime.getAsLong();
    this.imageNanos = checkpointNanos;
  }

  /** Whether the last try did not fail, or long enough ago. */
  boolean mayTry() {
    return retry.mayTry();
  }

  /** A try failed. */
  void failed() {
    retry.failed();
  }

  /**
   * Whether a checkpoint is due while nothing waits to be linked.
   *
   * @param imageBytes what an image would take
   */
  boolean isDue(int linked, long publishedLsn, long imageBytes) {
    return isImageDue(linked, imageBytes)
        || (publishedLsn > sequenceAtCheckpoint
            && nanoTime.getAsLong() - checkpointNanos > PERIOD_NANOS);
  }

  /** Whether a checkpoint that is taken now is to have an image. */
  boolean isImageDue(int linked, long imageBytes) {
    int lag = linked - linkedAtImage;
    if (lag > LEAST_LAG && lag > linkedAtImage / LAG_SHARE) {
      return true;
    }
    long seconds = imageBytes / IMAGE_BYTES_A_SECOND;
    long period = Math.max(PERIOD_NANOS, seconds * 1_000_000_000L);
    return lag != 0 && nanoTime.getAsLong() - imageNanos > period;
  }

  /** Whether anything happened that the newest checkpoint does not have. */
  boolean isBehind(int linked, long publishedLsn) {
    return imageIsBehind(linked) || publishedLsn > sequenceAtCheckpoint;
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
  void checkpointed(long publishedLsn) {
    sequenceAtCheckpoint = publishedLsn;
    checkpointNanos = nanoTime.getAsLong();
  }

  /** It had an image with so many rows. */
  void imaged(int linked) {
    linkedAtImage = linked;
    imageNanos = nanoTime.getAsLong();
  }

  /** All that was to be written was. */
  void succeeded() {
    retry.succeeded();
  }
}
