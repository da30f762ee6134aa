package io.omendb.service.wire;

import java.util.concurrent.atomic.LongAdder;

/// Bytes of vectors by the way they came from a request to where they are kept or used. Any thread.
public final class ByteCounters {
  private final LongAdder direct = new LongAdder();
  private final LongAdder heap = new LongAdder();
  private final LongAdder fallback = new LongAdder();

  /// Adds `bytes` that came by `path`.
  public void add(BytePath path, long bytes) {
    switch (path) {
      case DIRECT -> direct.add(bytes);
      case HEAP -> heap.add(bytes);
      case FALLBACK -> fallback.add(bytes);
    }
  }

  /// Bytes that came by `path` so far.
  public long bytes(BytePath path) {
    return switch (path) {
      case DIRECT -> direct.sum();
      case HEAP -> heap.sum();
      case FALLBACK -> fallback.sum();
    };
  }
}
