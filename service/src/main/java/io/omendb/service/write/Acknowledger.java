package io.omendb.service.write;

import io.omendb.engine.Collection;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.storage.api.FailureHandler;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one thread that tells clients what became of their writes.
///
/// The engine's threads only wake it: an fsync must not wait for replies to be encoded. A round
/// looks at every collection's watermarks and lets go who waited for them, then at every bulk
/// stream, so what gathers during a round is answered together in the next.
public final class Acknowledger implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Acknowledger.class);

  private final Map<Collection, WatermarkWaiters> waits = new ConcurrentHashMap<>();
  private final Set<OpenStream> streams = ConcurrentHashMap.newKeySet();
  private final FailureHandler failureHandler;
  private final Thread thread;
  private volatile boolean signalled;
  private volatile boolean closed;

  /// `failureHandler` is told of an Error that ends the thread.
  public Acknowledger(FailureHandler failureHandler) {
    this.failureHandler = failureHandler;
    thread = new Thread(this::run, "omendb-acknowledge");
    thread.setDaemon(true);
    thread.start();
  }

  /// Something moved. Any thread; quick.
  void signal() {
    if (!signalled) {
      signalled = true;
      LockSupport.unpark(thread);
    }
  }

  /// The waits on a collection.
  public WatermarkWaiters of(Collection collection) {
    WatermarkWaiters found = waits.get(collection);
    return found != null
        ? found
        : waits.computeIfAbsent(collection, key -> new WatermarkWaiters(key, this::signal));
  }

  void add(OpenStream stream) {
    streams.add(stream);
    signal();
  }

  void remove(OpenStream stream) {
    streams.remove(stream);
  }

  /// Connected bulk streams.
  public int streamCount() {
    return streams.size();
  }

  /// Connected bulk streams of a collection.
  public int streamCount(Collection collection) {
    int count = 0;
    for (OpenStream stream : streams) {
      count += stream.isOf(collection) ? 1 : 0;
    }
    return count;
  }

  /// The collection is about to go: ends what waits on it.
  public void drop(Collection collection) {
    Refusal refusal = Refusals.collectionDropped(collection.config().name());
    streams.forEach(stream -> {
      if (stream.isOf(collection)) {
        stream.fail(refusal);
      }
    });
    WatermarkWaiters gone = waits.remove(collection);
    if (gone != null) {
      gone.fail(refusal);
    }
    signal();
  }

  /// The server is about to stop: streams are told, and with `force` ended.
  public void drain(boolean force) {
    streams.forEach(stream -> stream.drain(force));
    signal();
  }

  /// Nothing waits for an acknowledgement.
  public boolean isIdle() {
    return streams.isEmpty() && waits.values().stream().allMatch(WatermarkWaiters::isIdle);
  }

  private void run() {
    try {
      acknowledge();
    } catch (Error e) {
      LOG.error("the acknowledging thread has ended", e);
      failureHandler.fatal("the acknowledging thread", e);
    }
  }

  private void acknowledge() {
    while (!closed) {
      signalled = false;
      long now = System.nanoTime();
      long pause = PendingAck.FOREVER;
      for (Map.Entry<Collection, WatermarkWaiters> collection : waits.entrySet()) {
        pause = Math.min(pause, advance(collection.getValue(), now));
        if (collection.getKey().isClosed()) { // and somebody came after it was dropped
          drop(collection.getKey());
        }
      }
      for (OpenStream stream : streams) {
        pause = Math.min(pause, advance(stream, now));
      }
      if (!signalled && pause > 0) {
        LockSupport.parkNanos(this, pause);
      }
    }
  }

  private static long advance(WatermarkWaiters collection, long now) {
    try {
      return collection.advance(now);
    } catch (RuntimeException e) {
      LOG.error("a defect while acknowledging writes", e);
      return PendingAck.FOREVER;
    }
  }

  /// One stream that is broken must not keep the others from being told.
  private long advance(OpenStream stream, long now) {
    try {
      return stream.advance(now);
    } catch (RuntimeException e) {
      LOG.error("a defect while acknowledging a bulk stream, which ends", e);
      streams.remove(stream);
      stream.abandon(Refusals.internal(e));
      return PendingAck.FOREVER;
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
