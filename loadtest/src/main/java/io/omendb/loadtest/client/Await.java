package io.omendb.loadtest.client;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for what another process will do and does not tell. */
public final class Await {

  private static final long POLL_NANOS = 10_000_000;

  private Await() {}

  /**
   * Asks until the answer is yes.
   *
   * @param what told if it does not become so in time
   * @throws IllegalStateException if it does not
   */
  public static void until(Duration timeout, Supplier<String> what, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > timeout.toNanos()) {
        throw new IllegalStateException("not within " + timeout + ": " + what.get());
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }
}
