package io.omendb.service.write;

import io.omendb.engine.Collection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Inserts that came while the unlinked buffer of their collection was full, in the order they
/// came: a client that writes in a loop is held to the rate at which rows are linked, instead of
/// being refused.
///
/// One thread tries them again, all of a collection in their order as soon as there is room for
/// one: those for which there is none come back in the same order. Any thread adds.
public final class WaitingInserts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WaitingInserts.class);

  /// How soon to look again whether there is room: linking a batch takes longer.
  private static final long PAUSE_NANOS = 1_000_000;

  /// An insert that waits. Its methods are called on the thread of this class.
  interface Waiting {
    Collection collection();

    /// Whether there is room, or its time is over, or nobody waits for it.
    boolean isReady(long now);

    /// Goes back into the write queue.
    void resume();

    /// It is given up: the server stops.
    void abandon();
  }

  private final ConcurrentLinkedQueue<Waiting> arrived = new ConcurrentLinkedQueue<>();
  private final Map<Collection, Integer> counts = new ConcurrentHashMap<>();
  private final Thread thread = new Thread(this::run, "omendb-insert-wait");
  private volatile boolean closed;

  public WaitingInserts() {
    thread.setDaemon(true);
    thread.start();
  }

  /// Inserts of the collection came earlier and are not done: whoever comes now is behind them.
  boolean hasOf(Collection collection) {
    return counts.containsKey(collection);
  }

  /// Waits, for the first time or again; until [#done] it is one of its collection's.
  void add(Waiting insert, boolean again) {
    if (!again) {
      counts.merge(insert.collection(), 1, Integer::sum);
    }
    arrived.add(insert);
    LockSupport.unpark(thread);
  }

  /// An insert that was added is written, refused, or given up.
  void done(Waiting insert) {
    counts.computeIfPresent(insert.collection(), (key, count) -> count == 1 ? null : count - 1);
  }

  private void run() {
    List<Waiting> waiting = new ArrayList<>();
    while (!closed) {
      for (Waiting next = arrived.poll(); next != null; next = arrived.poll()) {
        waiting.add(next);
      }
      long now = System.nanoTime();
      waiting.removeIf(insert -> isDone(insert, now));
      if (waiting.isEmpty() && arrived.isEmpty()) {
        LockSupport.park(this);
      } else if (!waiting.isEmpty()) {
        LockSupport.parkNanos(this, PAUSE_NANOS);
      }
    }
    waiting.addAll(arrived);
    waiting.forEach(Waiting::abandon);
  }

  private static boolean isDone(Waiting insert, long now) {
    try {
      boolean ready = insert.isReady(now);
      if (ready) {
        insert.resume();
      }
      return ready;
    } catch (RuntimeException e) {
      LOG.error("a defect of an insert that waited", e);
      insert.abandon();
      return true;
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
