package io.omendb.service.read;

import io.grpc.Status;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.service.status.Refusal;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The threads that search and read: a fixed number, with a bounded queue before them.
///
/// The network's threads only take requests in; anything that computes or may wait runs here. A
/// full queue is told to the client at once, so the heap does not grow with the load.
public final class RequestPool implements AutoCloseable {
  private static final int RETRY_MILLIS = 50;

  private final ThreadPoolExecutor executor;

  public RequestPool(int threads, int queue) {
    AtomicInteger number = new AtomicInteger();
    executor =
        new ThreadPoolExecutor(
            threads,
            threads,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(queue),
            task -> {
              Thread thread = new Thread(task, "omendb-request-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    executor.prestartAllCoreThreads();
  }

  /// Runs `task` on one of the threads. Any thread may call this.
  public void execute(Runnable task) throws Refusal {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException e) {
      if (executor.isShutdown()) {
        throw Refusal.of(
            Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_DRAINING, "the server is stopping");
      }
      throw Refusal.of(
              Status.Code.RESOURCE_EXHAUSTED,
              ErrorReason.ERROR_REASON_QUEUE_FULL,
              "more requests wait than the server takes (--request-queue)")
          .withRetry(RETRY_MILLIS);
    }
  }

  /// Requests that wait for a thread.
  public int queued() {
    return executor.getQueue().size();
  }

  /// Nothing runs and nothing waits.
  public boolean isIdle() {
    return executor.getActiveCount() == 0 && executor.getQueue().isEmpty();
  }

  @Override
  public void close() {
    executor.shutdownNow();
  }
}
