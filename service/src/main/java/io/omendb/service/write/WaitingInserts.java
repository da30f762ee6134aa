package io.omendb.service.write;

import io.omendb.engine.Collection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Inserts that came while the unlinked buffer of their collection was full, in one line a
/// collection: a client that writes in a loop is held to the rate at which rows are linked, instead
/// of being refused.
///
/// One thread tries them again. Only the first of a line does at a time, and the next when that is
/// done: several at once would overtake each other, whenever one finds room that an earlier one did
/// not. Any thread adds.
public final class WaitingInserts implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(WaitingInserts.class);

  /// How soon to look again whether there is room: linking a batch takes longer.
  private static final long PAUSE_NANOS = 1_000_000;

  /// An insert that waits. But for the first, its methods are called on the thread of this class.
  interface Waiting {
    Collection collection();

    /// Whether there is room for it.
    boolean hasRoom();

    /// Whether its time is over, or nobody waits for it.
    boolean isOver(long now);

    /// Goes back into the write queue; ends with [#again] or [#done].
    void resume();

    /// Is refused: its time is over.
    void refuse();

    /// Is given up: the server stops.
    void abandon();
  }

  /// Those of one collection.
  private static final class Line {
    final Deque<Waiting> waiting = new ArrayDeque<>();
    @Nullable Waiting resumed;

    boolean isEmpty() {
      return resumed == null && waiting.isEmpty();
    }
  }

  /// Changed under the lock; every insert asks whether its collection has one, which takes none.
  private final Map<Collection, Line> lines = new ConcurrentHashMap<>();

  private final Thread thread = new Thread(this::run, "omendb-insert-wait");
  private volatile boolean closed;

  public WaitingInserts() {
    thread.setDaemon(true);
    thread.start();
  }

  /// Inserts of the collection came earlier and are not done: whoever comes now is behind them.
  boolean hasOf(Collection collection) {
    return lines.containsKey(collection);
  }

  /// Joins its collection's line.
  synchronized void add(Waiting insert) {
    lines.computeIfAbsent(insert.collection(), key -> new Line()).waiting.addLast(insert);
    LockSupport.unpark(thread);
  }

  /// One that was resumed found no room, and is the first of its line again.
  synchronized void again(Waiting insert) {
    Line line = lines.get(insert.collection());
    if (line != null && line.resumed == insert) {
      line.resumed = null;
      line.waiting.addFirst(insert);
    }
  }

  /// One that was resumed is written or refused; of others nothing is known here.
  synchronized void done(Waiting insert) {
    Line line = lines.get(insert.collection());
    if (line != null && line.resumed == insert) {
      line.resumed = null;
      if (line.isEmpty()) {
        lines.remove(insert.collection());
      }
      LockSupport.unpark(thread);
    }
  }

  private void run() {
    List<Waiting> over = new ArrayList<>();
    List<Waiting> ready = new ArrayList<>();
    while (!closed) {
      take(System.nanoTime(), over, ready);
      over.forEach(insert -> guarded(insert, insert::refuse));
      ready.forEach(insert -> guarded(insert, insert::resume));
      over.clear();
      ready.clear();
      if (lines.isEmpty()) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, PAUSE_NANOS);
      }
    }
    abandonAll();
  }

  private synchronized void take(long now, List<Waiting> over, List<Waiting> ready) {
    for (Line line : lines.values()) {
      for (Iterator<Waiting> each = line.waiting.iterator(); each.hasNext(); ) {
        Waiting insert = each.next();
        if (insert.isOver(now)) {
          each.remove();
          over.add(insert);
        }
      }
      Waiting first = line.waiting.peekFirst();
      if (first != null && line.resumed == null && first.hasRoom()) {
        line.resumed = line.waiting.removeFirst();
        ready.add(first);
      }
    }
    lines.values().removeIf(Line::isEmpty);
  }

  private void guarded(Waiting insert, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      LOG.error("a defect of an insert that waited", e);
      insert.abandon();
      done(insert);
    }
  }

  private void abandonAll() {
    List<Waiting> rest = new ArrayList<>();
    synchronized (this) {
      lines.values().forEach(line -> rest.addAll(line.waiting));
      lines.clear();
    }
    rest.forEach(Waiting::abandon);
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
