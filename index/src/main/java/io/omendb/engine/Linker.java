package io.omendb.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.storage.api.FailureHandler;
import io.omendb.storage.api.Joins;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that link rows, of all collections in turn, a batch at a time, and take their
 * checkpoints in between. One thread at a time takes a step of a collection, and one at a time
 * writes its checkpoint, beside further steps; while a step is a long one, a calibration or a
 * sweep, the other threads go on with the other collections. Batches share the {@link
 * io.omendb.index.hnsw.Workers}, a batch at a time.
 *
 * <p>What goes wrong with one collection stays with it: it is told by {@link Collection#fault},
 * tried again at a growing distance, and its log is cut all the same. An Error is everybody's: the
 * failure handler decides.
 */
final class Linker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Linker.class);

  /** How often an idle linker looks for what only time makes due: sweeps, checkpoints. */
  private static final long IDLE_NANOS = 200_000_000L;

  /** Long steps that may be under way without any other collection waiting. */
  private static final int THREADS = 4;

  /** What the threads' names begin with. */
  static final String NAME = "omendb-linker-";

  private final List<Collection> collections = new CopyOnWriteArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final List<Thread> threads =
      IntStream.rangeClosed(1, THREADS)
          .mapToObj(number -> Thread.ofPlatform().daemon().name(NAME + number).unstarted(this::run))
          .toList();

  private final FailureHandler failureHandler;

  @GuardedBy("lock")
  private boolean signalled;

  @GuardedBy("lock")
  private boolean closed;

  /**
   * @param failureHandler told of an Error that ends a thread
   */
  Linker(FailureHandler failureHandler) {
    this.failureHandler = failureHandler;
  }

  void start() {
    threads.forEach(Thread::start);
  }

  void add(Collection collection) {
    collections.add(collection);
    signal();
  }

  /** Removes a collection; a step of it may still be running. */
  void remove(Collection collection) {
    collections.remove(collection);
  }

  /** Something may be there to link. */
  void signal() {
    lock.lock();
    try {
      signalled = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      link();
    } catch (Error e) {
      LOG.error("a thread of the linker has ended", e);
      failureHandler.fatal("the linker", e);
    }
  }

  private void link() {
    while (awaitWork()) {
      boolean worked;
      do {
        worked = false;
        for (Collection collection : collections) {
          worked |= step(collection);
        }
      } while (worked && !isClosed());
    }
  }

  private boolean step(Collection collection) {
    try {
      return collection.linkStep();
    } catch (IOException | RuntimeException e) {
      LOG.error("collection {}: checkpoint failed", collection.config().name(), e);
      return false;
    }
  }

  private boolean isClosed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a signal, or a while; false when closed. */
  private boolean awaitWork() {
    lock.lock();
    try {
      long nanos = IDLE_NANOS;
      while (!closed && !signalled && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      signalled = false;
      return !closed;
    } catch (InterruptedException e) {
      return false; // nobody interrupts this thread but a dying process
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    threads.forEach(Joins::join);
  }
}
