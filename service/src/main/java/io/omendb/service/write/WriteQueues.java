package io.omendb.service.write;

import com.google.common.util.concurrent.MoreExecutors;
import io.omendb.engine.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Where writes are applied: one after the other in each collection, on threads that may wait for a
/// disk. Those of the network and of searches never do.
///
/// A collection that writes has a thread, one that does not has none. What waits in a queue is
/// bounded by the memory that its messages hold. Any thread may call this.
public final class WriteQueues implements AutoCloseable {
  private static final int CLOSE_SECONDS = 2;

  private final AtomicInteger numbers = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();
  private final Map<Collection, Executor> queues = new ConcurrentHashMap<>();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "omendb-write-" + numbers.incrementAndGet());
        thread.setDaemon(true);
        return thread;
      });
  private final Executor catalogue = MoreExecutors.newSequentialExecutor(threads);

  /// Runs `task`, which does not throw, after the writes of the collection that came before it.
  public void execute(Collection collection, Runnable task) {
    execute(
        queues.computeIfAbsent(collection, key -> MoreExecutors.newSequentialExecutor(threads)),
        () -> {
          try {
            task.run();
          } finally {
            if (collection.isClosed()) { // dropped before this task came
              drop(collection);
            }
          }
        });
  }

  /// Runs `task`, which does not throw: one that makes collections or drops them.
  public void executeOnCatalogue(Runnable task) {
    execute(catalogue, task);
  }

  private void execute(Executor queue, Runnable task) {
    waiting.incrementAndGet();
    boolean entered = false;
    try {
      queue.execute(() -> {
        try {
          task.run();
        } finally {
          waiting.decrementAndGet();
        }
      });
      entered = true;
    } finally {
      if (!entered) {
        waiting.decrementAndGet();
      }
    }
  }

  /// The collection is gone.
  public void drop(Collection collection) {
    queues.remove(collection);
  }

  /// Nothing runs and nothing waits.
  public boolean isIdle() {
    return waiting.get() == 0;
  }

  /// Takes no more, and waits a while for what there is. Nothing is interrupted: that would close
  /// the file that a thread writes to.
  @Override
  public void close() {
    threads.shutdown();
    try {
      boolean unused = threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
