package io.omendb.engine;

import java.util.function.LongSupplier;

/**
 * Whether a search had better ask for all rows that it measures again before it reads the first of
 * them. Where vectors are not all in memory, rows that are read one after the other wait for the
 * device one after the other; asked for together they wait once. Where they are, asking costs as
 * much as measuring: so searches ask once one has waited, and then for a while.
 *
 * <p>Any number of threads; what one misses of another costs a little time and nothing else.
 */
final class ColdRows {
  /** Searches that ask after one that waited. */
  static final int WHILE = 256;

  /** Longest that reading a row's lines takes without a device. */
  static final long WARM_NANOS_A_ROW = 2_000;

  private final LongSupplier majorFaults;
  private int left;

  /**
   * @param majorFaults of the calling thread, ever; asked only by a search that was slow
   */
  ColdRows(LongSupplier majorFaults) {
    this.majorFaults = majorFaults;
  }

  /** Whether to ask for this search's rows. */
  boolean areLikely() {
    int searches = left;
    if (searches > 0) {
      left = searches - 1;
    }
    return searches > 0;
  }

  /**
   * A search has read rows, and had not asked for them.
   *
   * @param faultsBefore what this gave for the search before, or 0
   * @return major faults of this thread, as far as known
   */
  long read(int rows, long nanos, long faultsBefore) {
    if (nanos <= rows * WARM_NANOS_A_ROW) {
      return faultsBefore;
    }
    long faults = majorFaults.getAsLong();
    if (faults > faultsBefore && faultsBefore > 0) {
      left = WHILE;
    }
    return Math.max(1, faults);
  }
}
