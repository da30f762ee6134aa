package io.omendb.service.write;

import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.RowsMessage;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/// Frames of a bulk stream between the network's thread and the write queue, in the order they
/// came; also those for which the unlinked buffer has no room yet.
///
/// Each holds its bytes: see [RowsMessage#hold]. Guarded by its stream's monitor.
final class HeldFrames {
  /// A frame that waits.
  ///
  /// @param number its number, 0 where it was not looked at yet
  record HeldFrame(long number, RowsMessage rows) {}

  private final MemoryBudget network;
  private final MemoryBudget heap;
  private final ArrayDeque<HeldFrame> frames = new ArrayDeque<>();

  HeldFrames(MemoryBudget network, MemoryBudget heap) {
    this.network = network;
    this.heap = heap;
  }

  int size() {
    return frames.size();
  }

  boolean isEmpty() {
    return frames.isEmpty();
  }

  /// The next frame was tried, and found no room.
  boolean isNextTried() {
    HeldFrame next = frames.peekFirst();
    return next != null && next.number() != 0;
  }

  /// Takes a message from the network; refuses, and leaves it the caller's, where there is no
  /// memory for it.
  void add(RowsMessage rows) throws Refusal {
    if (!rows.hold(network, heap)) {
      throw Refusals.memoryFull(rows.bytes(), heap);
    }
    frames.addLast(new HeldFrame(0, rows));
  }

  /// Takes the next frame out: it is the caller's to close.
  @Nullable HeldFrame take() {
    return frames.pollFirst();
  }

  /// A frame that was taken out must wait on, before the others.
  void putBack(HeldFrame frame) {
    frames.addFirst(frame);
  }

  /// The stream is over: nothing of what waits is applied.
  void clear() {
    frames.forEach(frame -> frame.rows().close());
    frames.clear();
  }
}
