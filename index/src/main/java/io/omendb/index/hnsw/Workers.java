package io.omendb.index.hnsw;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of threads that work through numbered chunks together; the caller is one of them.
 *
 * <p>{@link #run} returns when all chunks are done, with everything the workers wrote visible to
 * the caller. One at a time: {@link #run} waits for its turn, and {@link #exclusively} keeps it.
 */
public final class Workers implements AutoCloseable {
  private final int threads;
  private final ExecutorService executor;

  /** Fair: the long work of one collection lets those of others in between. */
  private final ReentrantLock turn = new ReentrantLock(true);

  private final @Nullable LinkScratch[] scratches;

  /** Starts {@code threads − 1} daemon threads. */
  public Workers(int threads, String name) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads=" + threads + ", expected >= 1");
    }
    this.threads = threads;
    this.scratches = new LinkScratch[threads];
    AtomicInteger number = new AtomicInteger();
    this.executor =
        Executors.newFixedThreadPool(
            Math.max(1, threads - 1),
            task -> {
              Thread thread = new Thread(task, name + "-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Threads that work, the caller included. */
  public int threads() {
    return threads;
  }

  /** What worker {@code worker} links with, in a graph of this degree, in the caller's turn. */
  LinkScratch scratch(int worker, int maxDegree) {
    assert turn.isLocked();
    LinkScratch scratch = scratches[worker];
    if (scratch == null || !scratch.fits(maxDegree)) {
      scratch = new LinkScratch(maxDegree);
      scratches[worker] = scratch;
    }
    return scratch;
  }

  /** One chunk of work on one worker's own state. */
  @FunctionalInterface
  public interface ChunkTask {
    /** Does the work of that number. */
    void run(int chunk);
  }

  /**
   * Runs chunks 0..chunks−1, each once, on whichever worker is free.
   *
   * @param worker makes the task of worker 0..threads−1, over that worker's own scratch
   */
  public void run(int chunks, IntFunction<ChunkTask> worker) {
    exclusively(() -> runInTurn(chunks, worker));
  }

  /**
   * Runs items 0..count−1, each once, {@code ofChunk} in a row on whichever worker is free.
   *
   * @param worker makes what worker 0..threads−1 does with an item
   */
  public void runEach(int count, int ofChunk, IntFunction<IntConsumer> worker) {
    run(
        Math.ceilDiv(count, ofChunk),
        w -> {
          IntConsumer task = worker.apply(w);
          return chunk -> {
            int to = Math.min(count, (chunk + 1) * ofChunk);
            for (int item = chunk * ofChunk; item < to; item++) {
              task.accept(item);
            }
          };
        });
  }

  /** Runs a task that may {@link #run} several times, and nobody else in between. */
  void exclusively(Runnable task) {
    turn.lock();
    try {
      task.run();
    } finally {
      turn.unlock();
    }
  }

  private void runInTurn(int chunks, IntFunction<ChunkTask> worker) {
    AtomicInteger next = new AtomicInteger();
    List<Future<?>> others = new ArrayList<>();
    for (int w = 1; w < Math.min(threads, chunks); w++) {
      ChunkTask task = worker.apply(w);
      others.add(executor.submit(() -> drain(next, chunks, task)));
    }
    try {
      drain(next, chunks, worker.apply(0));
    } finally {
      await(others);
    }
  }

  private static void drain(AtomicInteger next, int chunks, ChunkTask task) {
    for (int chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
      task.run(chunk);
    }
  }

  /** Waits for all of them, also when one has failed: what they write in is reused, or unmapped. */
  private static void await(List<Future<?>> others) {
    boolean interrupted = false;
    Throwable failure = null;
    for (Future<?> other : others) {
      boolean done = false;
      while (!done) {
        try {
          other.get();
          done = true;
        } catch (InterruptedException e) {
          interrupted = true; // lists are half written: finish, then tell
        } catch (ExecutionException e) {
          failure = e.getCause();
          done = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw new IllegalStateException("a worker failed", failure);
    }
  }

  @Override
  public void close() {
    executor.shutdown();
  }
}
