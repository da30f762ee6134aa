package io.omendb.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.storage.api.FailureHandler;
import io.omendb.storage.api.Joins;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that links rows, of all collections in turn, a batch at a time, and takes their
 * checkpoints in between, so that an image is never of a graph half linked.
 *
 * <p>What goes wrong with one collection stays with it: it is told by {@link Collection#fault},
 * tried again at a growing distance, and its log is cut all the same. An Error is everybody's: the
 * failure handler decides.
 */
final class Linker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Linker.class);

  /** How often an idle linker looks for what only time makes due: sweeps, checkpoints. */
  private static final long IDLE_NANOS = 200_000_000L;

  private final List<Collection> collections = new CopyOnWriteArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Thread thread = new Thread(this::run, "omendb-linker");

  private final FailureHandler failureHandler;

  @GuardedBy("lock")
  private boolean signalled;

  @GuardedBy("lock")
  private boolean closed;

  /**
   * @param failureHandler told of an Error that ends the thread
   */
  Linker(FailureHandler failureHandler) {
    this.failureHandler = failureHandler;
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
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
      LOG.error("the linker has ended: no more rows are linked", e);
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
      changed.signal();
    } finally {
      lock.unlock();
    }
    Joins.join(thread);
  }
}
