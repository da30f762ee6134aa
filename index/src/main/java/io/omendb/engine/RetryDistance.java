package io.omendb.engine;

import java.util.function.LongSupplier;

/**
 * When something that failed is tried again: at a distance that doubles with each failure, so that
 * a disk that is full, or memory that is refused, is neither hammered nor given up.
 *
 * <p>One thread.
 */
final class RetryDistance {
  /** After the first failure. */
  static final long FIRST_NANOS = 1_000_000_000L;

  /** After many. */
  static final long LAST_NANOS = 300_000_000_000L;

  private final LongSupplier nanoTime;
  private long failedNanos;

  /** 0 where the last try did not fail. */
  private long distanceNanos;

  RetryDistance(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Whether the last try did not fail, or long enough ago. */
  boolean mayTry() {
    return distanceNanos == 0 || nanoTime.getAsLong() - failedNanos > distanceNanos;
  }

  void failed() {
    failedNanos = nanoTime.getAsLong();
    distanceNanos = Math.clamp(2 * distanceNanos, FIRST_NANOS, LAST_NANOS);
  }

  void succeeded() {
    distanceNanos = 0;
  }
}
