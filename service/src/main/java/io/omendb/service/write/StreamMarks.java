package io.omendb.service.write;

/// How far the frames of a bulk stream got: received, durable, searchable; and what the client was
/// told of it. A later mark is never ahead of an earlier one.
///
/// Guarded by its stream's monitor.
final class StreamMarks {
  private MarkQueue received = new MarkQueue(0);
  private MarkQueue durable = new MarkQueue(0);
  private final MarkQueue searchable = new MarkQueue(0);
  private long lastAdded;
  private long toldReceived;
  private long toldDurable;
  private long toldSearchable;

  /// Frames up to `frame` were settled by an earlier connection; they are searchable when
  /// `position` is.
  void resume(long frame, long position) {
    received = new MarkQueue(frame);
    durable = new MarkQueue(frame);
    if (frame > 0) {
      searchable.add(frame, position);
    }
  }

  /// A frame was taken in, its last log position being `position`.
  void add(long frame, long position) {
    lastAdded = frame;
    received.add(frame, position);
    durable.add(frame, position);
    searchable.add(frame, position);
  }

  /// The last frame taken in; 0 before the first.
  long lastAdded() {
    return lastAdded;
  }

  /// Moves the marks to the collection's watermarks, which the caller reads in this order, so that
  /// a later mark is not ahead of an earlier one.
  void advance(long searchableSequence, long durableSequence, long visibleSequence) {
    searchable.advance(searchableSequence);
    durable.advance(durableSequence);
    received.advance(visibleSequence);
  }

  /// Every frame up to it was received.
  long received() {
    return received.frame();
  }

  /// Log position of the last frame received.
  long receivedSequence() {
    return received.sequence();
  }

  /// Every frame up to it is durable.
  long durable() {
    return Math.min(durable.frame(), received.frame());
  }

  /// Every frame up to it is searchable.
  long searchable() {
    return Math.min(searchable.frame(), received.frame());
  }

  /// Whether a mark is further than the client was told.
  boolean haveMoved() {
    return received() > toldReceived || durable() > toldDurable || searchable() > toldSearchable;
  }

  /// The client is told the marks as they are.
  void told() {
    toldReceived = received();
    toldDurable = durable();
    toldSearchable = searchable();
  }
}
