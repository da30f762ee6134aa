package io.omendb.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * When a call that failed is made again, as long as its deadline allows: what the server asks to
 * repeat, and, where repeating is safe, what found no server.
 *
 * @param enabled whether at all
 * @param firstDelay before the second attempt; each later pause is twice as long
 * @param maxDelay longest pause
 */
public record RetryPolicy(boolean enabled, Duration firstDelay, Duration maxDelay) {
  /** 50 ms to 2 s. */
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(true, Duration.ofMillis(50), Duration.ofSeconds(2));

  /** No call is repeated. */
  public static final RetryPolicy NONE = new RetryPolicy(false, Duration.ZERO, Duration.ZERO);

  private static final int MOST_DOUBLINGS = 16;

  /**
   * How long to wait before the next attempt; empty: there is none.
   *
   * @param attempt attempts made so far
   * @param repeatable whether the call may be applied twice
   */
  Optional<Duration> delay(OmenException e, int attempt, boolean repeatable) {
    if (!enabled || (e.retryAfter().isEmpty() && !(repeatable && foundNoServer(e)))) {
      return Optional.empty();
    }
    long pause = firstDelay.toNanos() << Math.min(attempt - 1, MOST_DOUBLINGS);
    long most = Math.min(pause, maxDelay.toNanos());
    // Half of it by chance: clients that were turned away together do not come back together.
    long nanos = ThreadLocalRandom.current().nextLong(most / 2, most + 1);
    long asked = e.retryAfter().orElse(Duration.ZERO).toNanos();
    return Optional.of(Duration.ofNanos(Math.max(asked, nanos)));
  }

  /** A connection that breaks in the middle is INTERNAL at times, and has no reason then. */
  private static boolean foundNoServer(OmenException e) {
    return e.code() == Status.Code.UNAVAILABLE
        || (e.code() == Status.Code.INTERNAL && e.reason().isEmpty());
  }
}
