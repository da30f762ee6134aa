package io.omendb.engine;

import java.util.function.LongSupplier;

/**
 * When the default ef is chosen anew: whenever the graph has grown by a fourth, or a fourth of its
 * live rows was deleted or replaced. From then on rows are held out as samples.
 *
 * <p>A calibration waits until nothing is to be linked, but not for ever: under steady ingest that
 * never comes, and a graph that has doubled is calibrated all the same.
 *
 * <p>One thread: the linker's.
 */
final class CalibrationSchedule {
  /** A graph below this is not calibrated. */
  static final int FROM = 500;

  /** Rows of the last calibration to which one has come: one to so many. */
  static final int GROWTH_SHARE = 4;

  /** Live rows of which one is deleted since the last calibration: one in so many. */
  static final int CHURN_SHARE = 4;

  /** How long one that is due waits for a pause. */
  static final long PATIENCE_NANOS = 5_000_000_000L;

  private final LongSupplier nanoTime;
  private int calibratedAt;
  private int deletedAt;
  private boolean waits;
  private long dueNanos;

  CalibrationSchedule(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Whether rows of the next batches are to be held out as samples. */
  boolean holdsOut(int linked) {
    return linked >= Math.max(FROM / 2, calibratedAt + calibratedAt / GROWTH_SHARE);
  }

  /**
   * Whether a calibration is due now that nothing waits to be linked.
   *
   * @param linked rows in the graph, deleted ones included
   * @param deleted rows ever deleted or replaced
   */
  boolean isDue(int linked, int deleted) {
    return linked >= FROM && (holdsOut(linked) || hasChurned(deleted));
  }

  private boolean hasChurned(int deleted) {
    int live = calibratedAt - Math.min(calibratedAt, deletedAt);
    return calibratedAt > 0 && deleted - deletedAt >= Math.max(FROM, live / CHURN_SHARE);
  }

  /** Whether one has been due for so long that it is made although rows wait to be linked. */
  boolean isOverdue(int linked, int deleted) {
    if (!isDue(linked, deleted) || (linked < 2 * calibratedAt && !hasChurned(deleted))) {
      waits = false;
      return false;
    }
    long now = nanoTime.getAsLong();
    if (!waits) {
      waits = true;
      dueNanos = now;
    }
    return now - dueNanos > PATIENCE_NANOS;
  }

  /** A calibration was made, or was read from an image that had been calibrated. */
  void calibrated(int linked, int deleted) {
    calibratedAt = linked;
    deletedAt = deleted;
    waits = false;
  }

  /** Linked rows at the last calibration; 0 before the first. */
  int calibratedAt() {
    return calibratedAt;
  }
}
