package io.omendb.loadtest.report;

import org.HdrHistogram.Histogram;

/** Latencies of one run, kept to three digits. One thread records; {@link #add} joins threads. */
public final class Latencies {

  private static final long LONGEST_NANOS = 3_600_000_000_000L;

  private final Histogram histogram = new Histogram(LONGEST_NANOS, 3);

  /** Records one. */
  public void record(long nanos) {
    histogram.recordValue(Math.clamp(nanos, 0, LONGEST_NANOS));
  }

  /** Adds those of another thread. */
  public void add(Latencies other) {
    histogram.add(other.histogram);
  }

  /** How many were recorded. */
  public long count() {
    return histogram.getTotalCount();
  }

  /** The mean in microseconds. */
  public double meanMicros() {
    return histogram.getMean() / 1e3;
  }

  /** A percentile in microseconds. */
  public double micros(double percentile) {
    return Math.round(histogram.getValueAtPercentile(percentile) / 100.0) / 10.0;
  }
}
