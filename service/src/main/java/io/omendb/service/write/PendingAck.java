package io.omendb.service.write;

import io.omendb.service.status.Refusal;

/// Something that goes on when a collection's watermark reaches a log position.
///
/// Every method is called on the acknowledging thread, and exactly one of them, once; they must be
/// quick and must not throw.
public abstract class PendingAck implements Comparable<PendingAck> {
  /// A [#deadlineNanos] that never comes.
  public static final long FOREVER = Long.MAX_VALUE;

  private final long sequence;
  private final long deadlineNanos;

  /// `deadlineNanos` by `System.nanoTime`, or [#FOREVER].
  public PendingAck(long sequence, long deadlineNanos) {
    this.sequence = sequence;
    this.deadlineNanos = deadlineNanos;
  }

  final long sequence() {
    return sequence;
  }

  final boolean expired(long now) {
    return deadlineNanos != FOREVER && now - deadlineNanos >= 0;
  }

  final long deadlineNanos() {
    return deadlineNanos;
  }

  /// The watermark got there.
  protected abstract void reached();

  /// It did not, in time; `visibleSequence` is how far it got.
  protected void timedOut(long visibleSequence) {}

  /// It never will.
  protected abstract void failed(Refusal refusal);

  @Override
  public final int compareTo(PendingAck other) {
    return Long.compare(sequence, other.sequence);
  }

  // Order is by position only; equality stays identity.
  @Override
  public final boolean equals(Object other) {
    return this == other;
  }

  @Override
  public final int hashCode() {
    return System.identityHashCode(this);
  }
}
