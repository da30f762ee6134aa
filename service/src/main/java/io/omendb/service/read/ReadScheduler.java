package io.omendb.service.read;

import io.grpc.Deadline;
import io.grpc.Status;
import io.omendb.engine.Collection;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.service.status.Refusal;
import io.omendb.service.write.Acknowledger;
import io.omendb.service.write.PendingAck;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Starts reads on the request threads, once what they ask to see is visible.
///
/// A read that waits for `min_visible_sequence` occupies no thread while it waits.
public final class ReadScheduler {
  private static final int RETRY_MILLIS = 100;

  private final RequestPool pool;
  private final Acknowledger acknowledger;
  private final long visibleWaitNanos;

  public ReadScheduler(RequestPool pool, Acknowledger acknowledger, long visibleWaitNanos) {
    this.pool = pool;
    this.acknowledger = acknowledger;
    this.visibleWaitNanos = visibleWaitNanos;
  }

  /// Runs `task` on a request thread when `sequence` (unsigned; 0: at once) is visible in
  /// `collection`. If it cannot be, throws, or later calls `refuse` from another thread.
  public void start(
      Collection collection,
      long sequence,
      @Nullable Deadline deadline,
      Runnable task,
      Consumer<Refusal> refuse)
      throws Refusal {
    if (Long.compareUnsigned(sequence, collection.visibleSequence()) <= 0) {
      pool.execute(task);
      return;
    }
    long last = collection.lastSequence();
    if (Long.compareUnsigned(sequence, last) > 0) {
      throw Refusal.of(
              Status.Code.FAILED_PRECONDITION,
              ErrorReason.ERROR_REASON_SEQUENCE_NOT_ISSUED,
              "min_visible_sequence is "
                  + Long.toUnsignedString(sequence)
                  + ", which this collection has not given")
          .with("value", Long.toUnsignedString(sequence))
          .with("expected", "at most " + last);
    }
    long wait = visibleWaitNanos;
    if (deadline != null) {
      wait = Math.min(wait, deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }
    acknowledger
        .of(collection)
        .addRead(
            new PendingAck(sequence, System.nanoTime() + wait) {
              @Override
              protected void reached() {
                try {
                  pool.execute(task);
                } catch (Refusal e) {
                  refuse.accept(e);
                }
              }

              @Override
              protected void timedOut(long visibleSequence) {
                refuse.accept(notVisible(sequence, visibleSequence));
              }

              @Override
              protected void failed(Refusal refusal) {
                refuse.accept(refusal);
              }
            });
  }

  private static Refusal notVisible(long sequence, long visible) {
    return Refusal.of(
            Status.Code.UNAVAILABLE,
            ErrorReason.ERROR_REASON_SEQUENCE_NOT_VISIBLE,
            "sequence " + sequence + " did not become visible in time; " + visible + " is")
        .with("value", Long.toString(sequence))
        .with("visible_sequence", Long.toString(visible))
        .withRetry(RETRY_MILLIS);
  }
}
