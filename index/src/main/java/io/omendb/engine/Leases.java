package io.omendb.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Who reads a collection's memory, so that it is unmapped when nobody does. Any thread; {@link
 * #close} by one.
 */
final class Leases {
  private static final long PAUSE_NANOS = 50_000;

  private final AtomicInteger held = new AtomicInteger();
  private volatile boolean closed;

  /** Takes a lease; false once they are closed. */
  boolean acquire() {
    held.incrementAndGet();
    if (closed) {
      held.decrementAndGet();
      return false;
    }
    return true;
  }

  /** Gives a lease back. */
  void release() {
    held.decrementAndGet();
  }

  /** Whether none is given any more. */
  boolean isClosed() {
    return closed;
  }

  /** Gives no more, and waits for those that are held. */
  void close() {
    closed = true;
    while (held.get() > 0) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
