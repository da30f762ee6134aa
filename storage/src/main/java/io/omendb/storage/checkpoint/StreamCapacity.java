package io.omendb.storage.checkpoint;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How many streams the collections of a data directory remember together: each takes some 300 to
 * 600 bytes of the heap, and a collection alone may have no more than all of them.
 *
 * <p>Threads: any.
 */
public final class StreamCapacity {
  /** All collections together. */
  static final int MOST = 1 << 16;

  /** A collection keeps so many, however many others have. */
  static final int LEAST = 64;

  private final AtomicInteger streams = new AtomicInteger();

  void add(int more) {
    streams.addAndGet(more);
  }

  /** Whether a collection that has {@code own} must forget one. */
  boolean isExceeded(int own) {
    return own > LEAST && streams.get() > MOST;
  }
}
