package io.omendb.service.write;

import io.omendb.engine.Collection;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// Who waits for a collection's watermarks: writes to be acknowledged, and reads for a sequence to
/// become visible.
///
/// Any thread adds, under a short monitor; the acknowledging thread takes out.
public final class WatermarkWaiters {
  private final Collection collection;
  private final Runnable signal;

  // Guarded by the monitor, the queues' contents too.
  private final PriorityQueue<PendingAck> writes = new PriorityQueue<>();
  private final PriorityQueue<PendingAck> reads = new PriorityQueue<>();
  private @Nullable Refusal failure;

  /// `signal` is called whenever a watermark moves.
  WatermarkWaiters(Collection collection, Runnable signal) {
    this.collection = collection;
    this.signal = signal;
    collection.addWatermarkListener(signal);
  }

  /// Waits for a write to be acknowledged and visible.
  public void addWrite(PendingAck wait) {
    add(writes, wait);
  }

  /// Waits for a sequence to be visible.
  public void addRead(PendingAck wait) {
    add(reads, wait);
  }

  private void add(PriorityQueue<PendingAck> queue, PendingAck wait) {
    Refusal refusal;
    synchronized (this) {
      refusal = failure;
      if (refusal == null) {
        queue.add(wait);
      }
    }
    if (refusal != null) {
      wait.failed(refusal);
    } else {
      // The watermark may have passed it before it was in the queue.
      signal.run();
    }
  }

  /// Lets go whose position was reached or whose time is over; returns the nanoseconds until the
  /// next timeout.
  long advance(long now) {
    if (collection.hasFailed()) {
      fail(Refusals.outcomeUnknown());
      return PendingAck.FOREVER;
    }
    long visible = collection.visibleSequence();
    List<PendingAck> reached = new ArrayList<>();
    List<PendingAck> late = new ArrayList<>();
    long next = PendingAck.FOREVER;
    synchronized (this) {
      take(writes, visible, reached);
      take(reads, visible, reached);
      for (PendingAck wait : reads) {
        if (wait.expired(now)) {
          late.add(wait);
        } else if (wait.deadlineNanos() != PendingAck.FOREVER) {
          next = Math.min(next, wait.deadlineNanos() - now);
        }
      }
      reads.removeAll(late);
    }
    reached.forEach(PendingAck::reached);
    late.forEach(wait -> wait.timedOut(visible));
    return next;
  }

  private static void take(PriorityQueue<PendingAck> queue, long watermark, List<PendingAck> into) {
    for (PendingAck wait = queue.peek();
        wait != null && wait.sequence() <= watermark;
        wait = queue.peek()) {
      into.add(wait);
      queue.remove();
    }
  }

  /// Ends every wait, and those that may still come.
  void fail(Refusal refusal) {
    List<PendingAck> waits = new ArrayList<>();
    synchronized (this) {
      failure = refusal;
      waits.addAll(writes);
      waits.addAll(reads);
      writes.clear();
      reads.clear();
    }
    collection.removeWatermarkListener(signal);
    waits.forEach(wait -> wait.failed(refusal));
  }

  synchronized boolean isIdle() {
    return writes.isEmpty() && reads.isEmpty();
  }
}
