package io.omendb.service.write;

/// Frames of a bulk stream on their way to one kind of acknowledgement.
///
/// Holds (frame, log position) pairs, both ascending. As the collection's watermark passes their
/// positions the mark advances: "every frame up to m has got so far". Bounded: when it is full
/// every second pair goes, and the mark, still true, moves in larger steps. So a stream of any
/// length, whose frames become searchable only at its end, costs 16 KiB.
///
/// Not thread-safe.
final class MarkQueue {
  private static final int CAPACITY = 1024;

  private final long[] frames = new long[CAPACITY];
  private final long[] sequences = new long[CAPACITY];
  private int head;
  private int size;

  private long frame;
  private long sequence;

  /// A mark that stands at `frame` from the start.
  MarkQueue(long frame) {
    this.frame = frame;
  }

  /// A frame, greater than all before it, that arrives when the watermark reaches `position`.
  void add(long newFrame, long position) {
    if (size == CAPACITY) {
      thin();
    }
    int at = (head + size) % CAPACITY;
    frames[at] = newFrame;
    sequences[at] = position;
    size++;
  }

  /// Moves the mark; returns whether it moved.
  boolean advance(long watermark) {
    boolean moved = false;
    while (size > 0 && sequences[head] <= watermark) {
      frame = frames[head];
      sequence = sequences[head];
      head = (head + 1) % CAPACITY;
      size--;
      moved = true;
    }
    return moved;
  }

  /// The mark.
  long frame() {
    return frame;
  }

  /// The log position of the mark; 0 before the first.
  long sequence() {
    return sequence;
  }

  /// Keeps the later of every two pairs, and so the last.
  private void thin() {
    int kept = 0;
    for (int i = 1; i < size; i += 2) {
      int from = (head + i) % CAPACITY;
      int to = (head + kept) % CAPACITY;
      frames[to] = frames[from];
      sequences[to] = sequences[from];
      kept++;
    }
    size = kept;
  }
}
