package io.omendb.service.write;

import io.omendb.service.wire.RowsMessage;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Frames of a bulk stream that were asked for before the unlinked buffer filled, and wait for room
/// in it; with bytes of their own, in the order they came.
///
/// Guarded by its stream's monitor.
final class HeldFrames {
  /// A frame that waits.
  record HeldFrame(long frame, RowsMessage rows) {}

  private final ArrayDeque<HeldFrame> frames = new ArrayDeque<>();

  boolean isEmpty() {
    return frames.isEmpty();
  }

  /// Keeps a copy of a message; the message stays the caller's.
  void add(long frame, RowsMessage message) {
    frames.add(new HeldFrame(frame, message.detach()));
  }

  /// The frame that is next in line; null where none waits.
  @Nullable HeldFrame first() {
    return frames.peekFirst();
  }

  /// The first frame is done with.
  void removeFirst() {
    frames.removeFirst().rows().close();
  }

  /// The stream is over: nothing of what waits is applied.
  void clear() {
    frames.forEach(frame -> frame.rows().close());
    frames.clear();
  }
}
