package io.omendb.engine;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Lets one writer wait until no reader can still hold what it has replaced.
 *
 * <p>Readers count themselves in one of two counters; the writer turns to the other and waits until
 * the first is empty. Readers never wait. (Sleepable RCU, Linux kernel.)
 */
final class ReaderEpoch {
  private static final long PAUSE_NANOS = 50_000;

  private final AtomicInteger[] readers = {new AtomicInteger(), new AtomicInteger()};
  private volatile int epoch;

  /** Enters; give the answer to {@link #exit}. */
  int enter() {
    while (true) {
      int side = epoch & 1;
      readers[side].incrementAndGet();
      if ((epoch & 1) == side) {
        return side;
      }
      readers[side].decrementAndGet();
    }
  }

  /** Leaves. */
  void exit(int side) {
    readers[side].decrementAndGet();
  }

  /** Waits until every reader that entered before has left. One caller at a time. */
  void awaitReaders() {
    int side = epoch & 1;
    int next = epoch + 1;
    epoch = next;
    while (readers[side].get() > 0) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
