package io.omendb.engine;

import java.util.function.LongSupplier;

/**
 * When an idle collection is checkpointed, and whether with an image. What the log's length demands
 * is the store's to say, and comes first.
 *
 * <p>A checkpoint costs what has changed, of the truth and of the graph, and is taken in time when
 * anything has. What has changed of the graph is added to its image, at once where the image lags
 * by more rows than a start should find without; when all that was added is as large as the image,
 * that is written anew. So both together cost twice what changes. An image that must be written
 * anew for other reasons costs a trickle of writes at most {@link #IMAGE_BYTES_A_SECOND}.
 *
 * <p>Under the collection's checkpoint lock.
 */
final class CheckpointSchedule {
  /** Newly linked rows below which a share of the graph is not worth an image. */
  static final int LEAST_LAG = 256;

  /** An image may lag by one in so many of its rows. */
  static final int LAG_SHARE = 5;

  static final long PERIOD_NANOS = 60_000_000_000L;

  /** Most that whole images of a trickle of writes cost: 3.5 GiB an hour. */
  static final long IMAGE_BYTES_A_SECOND = 1 << 20;

  private final LongSupplier nanoTime;
  private final int mostLag;
  private int linkedAtImage;
  private long addedBytes;
  private long sequenceAtCheckpoint;
  private long checkpointNanos;
  private long imageNanos;
  private final RetryDistance retry;

  /**
   * @param mostLag linked rows that an image may lack whatever else there is to do
   */
  CheckpointSchedule(LongSupplier nanoTime, int mostLag) {
    this.nanoTime = nanoTime;
    this.mostLag = mostLag;
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
   * @param wholeBytes as {@link #isImageDue}
   */
  boolean isDue(int linked, long publishedLsn, long wholeBytes) {
    return isImageDue(linked, wholeBytes)
        || (publishedLsn > sequenceAtCheckpoint
            && nanoTime.getAsLong() - checkpointNanos > PERIOD_NANOS);
  }

  /** Whether one is due with an image even while rows wait to be linked. */
  boolean isImageOverdue(int linked) {
    return linked - linkedAtImage > mostLag;
  }

  /**
   * Whether a checkpoint that is taken now is to have an image.
   *
   * @param wholeBytes what it would take, if it must be whole; 0 if changes can be added
   */
  boolean isImageDue(int linked, long wholeBytes) {
    int lag = linked - linkedAtImage;
    if (lag > mostLag || (lag > LEAST_LAG && lag > linkedAtImage / LAG_SHARE)) {
      return true;
    }
    long seconds = wholeBytes / IMAGE_BYTES_A_SECOND;
    long period = Math.max(PERIOD_NANOS, seconds * 1_000_000_000L);
    return (lag != 0 || wholeBytes > 0) && nanoTime.getAsLong() - imageNanos > period;
  }

  /** Whether anything happened that the newest checkpoint does not have. */
  boolean isBehind(int linked, long publishedLsn) {
    return imageIsBehind(linked) || publishedLsn > sequenceAtCheckpoint;
  }

  /** Whether the newest image lacks a linked row. */
  boolean imageIsBehind(int linked) {
    return linked != linkedAtImage;
  }

  /** Whether an image had better be written anew than be added to. */
  boolean isOutgrown(long changesBytes, long wholeBytes) {
    return addedBytes + changesBytes > wholeBytes;
  }

  /** An image with so many rows was loaded at open, of which so many bytes had been added. */
  void loaded(int linked, long added) {
    linkedAtImage = linked;
    addedBytes = added;
  }

  /** A checkpoint was taken, of what was there when it began. */
  void checkpointed(long publishedLsn) {
    sequenceAtCheckpoint = publishedLsn;
    checkpointNanos = nanoTime.getAsLong();
  }

  /**
   * It had an image with so many rows.
   *
   * @param added bytes that were added to the one before; 0 for a whole one
   */
  void imaged(int linked, long added) {
    linkedAtImage = linked;
    addedBytes = added == 0 ? 0 : addedBytes + added;
    imageNanos = nanoTime.getAsLong();
  }

  /** All that was to be written was. */
  void succeeded() {
    retry.succeeded();
  }
}
