package io.omendb.engine;

/**
 * When the default ef is chosen anew: whenever the graph has doubled. Rows are held out from a
 * little before, so that a graph that is large enough finds its samples ready.
 *
 * <p>One thread: the linker's.
 */
final class CalibrationSchedule {
  /** A graph below this is not calibrated. */
  static final int FROM = 500;

  private int calibratedAt;

  /** Whether rows of the next batches are to be held out as samples. */
  boolean holdsOut(int linked) {
    return linked >= Math.max(FROM / 2, 2 * calibratedAt);
  }

  /** Whether a calibration is due now that nothing waits to be linked. */
  boolean isDue(int linked) {
    return linked >= FROM && holdsOut(linked);
  }

  /** A calibration was made, or was read from an image that had been calibrated. */
  void calibrated(int linked) {
    calibratedAt = linked;
  }

  /** Linked rows at the last calibration; 0 before the first. */
  int calibratedAt() {
    return calibratedAt;
  }
}
