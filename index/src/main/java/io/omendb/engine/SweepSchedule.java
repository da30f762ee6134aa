package io.omendb.engine;

import java.util.function.LongSupplier;

/**
 * When a sweep for unreached nodes is due: after a build, and after a trickle when it has grown to
 * a share of the graph, or with time.
 *
 * <p>One thread: the linker's.
 */
final class SweepSchedule {
  /** Newly linked rows below which only time makes a sweep due. */
  static final int LEAST_ROWS = 256;

  static final int SWEEPS_PER_GRAPH = 64;

  /** Keeps the sweeps of a trickle, half a microsecond a row, below a hundredth of a processor. */
  static final long PERIOD_NANOS_PER_ROW = 60_000;

  private final LongSupplier nanoTime;
  private int linkedSince;
  private long sweptNanos;

  SweepSchedule(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.sweptNanos = nanoTime.getAsLong();
  }

  boolean isDue(int linked) {
    return linkedSince >= Math.max(LEAST_ROWS, linked / SWEEPS_PER_GRAPH)
        || (linkedSince > 0 && nanoTime.getAsLong() - sweptNanos > linked * PERIOD_NANOS_PER_ROW);
  }

  /** Rows were linked. */
  void linked(int rows) {
    linkedSince += rows;
  }

  /** A sweep was made. */
  void swept() {
    linkedSince = 0;
    sweptNanos = nanoTime.getAsLong();
  }
}
