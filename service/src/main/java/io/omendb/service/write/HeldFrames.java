package io.omendb.service.write;

import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.RowsMessage;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Frames of a bulk stream that were asked for before the unlinked buffer filled, and wait for room
/// in it; with bytes of their own, in the order they came.
///
/// Their bytes are taken from the budget. Guarded by its stream's monitor.
final class HeldFrames {
  /// A frame that waits.
  record HeldFrame(long frame, RowsMessage rows) {}

  private final MemoryBudget budget;
  private final ArrayDeque<HeldFrame> frames = new ArrayDeque<>();

  HeldFrames(MemoryBudget budget) {
    this.budget = budget;
  }

  boolean isEmpty() {
    return frames.isEmpty();
  }

  /// Keeps a copy of a message; the message stays the caller's. Refuses where there is no memory
  /// for it.
  void add(long frame, RowsMessage message) throws Refusal {
    if (!budget.tryReserve(message.bytes())) {
      throw Refusals.memoryFull(message.bytes(), budget);
    }
    frames.add(new HeldFrame(frame, message.detach()));
  }

  /// The frame that is next in line; null where none waits.
  @Nullable HeldFrame first() {
    return frames.peekFirst();
  }

  /// The first frame is done with.
  void removeFirst() {
    release(frames.removeFirst());
  }

  /// The stream is over: nothing of what waits is applied.
  void clear() {
    frames.forEach(this::release);
    frames.clear();
  }

  private void release(HeldFrame frame) {
    budget.release(frame.rows().bytes());
    frame.rows().close();
  }
}
