package io.omendb.storage.checkpoint;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.StreamState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How far each client stream got, so that a broken one resumes without loss or duplicates.
 *
 * <p>Logged when a frame is taken into the log, written when the log's thread has written it,
 * durable after a sync. Entries live for {@link #KEPT} after their last frame; the oldest go before
 * that where there are more than the {@link StreamCapacity}. Threads: any; one short monitor.
 */
public final class StreamTable implements AutoCloseable {
  static final Duration KEPT = Duration.ofHours(24);

  /** What a checkpoint keeps of a stream. */
  public record Saved(String streamId, long sequence, long lastSeenMillis) {}

  private static final class Entry {
    final byte[] utf8;
    long logged = -1;
    long written = -1;
    long durable = -1;
    long lastSeenMillis;
    boolean unsynced;

    Entry(String streamId) {
      utf8 = streamId.getBytes(StandardCharsets.UTF_8);
    }
  }

  private final StreamCapacity capacity;

  @GuardedBy("this")
  private final LinkedHashMap<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);

  @GuardedBy("this")
  private final List<Entry> unsynced = new ArrayList<>();

  StreamTable(StreamCapacity capacity) {
    this.capacity = capacity;
  }

  /** A stream's id as it is logged. */
  public synchronized byte[] idOf(String streamId) {
    return entry(streamId).utf8;
  }

  /** A frame goes into the log. */
  public synchronized void logged(StreamFrame frame) {
    Entry entry = entry(frame.streamId());
    entry.logged = frame.frameSequence();
    entry.lastSeenMillis = System.currentTimeMillis();
  }

  /** A frame was written. */
  public synchronized void written(String streamId, long sequence) {
    Entry entry = entry(streamId);
    entry.written = sequence;
    entry.logged = Math.max(entry.logged, sequence);
    if (!entry.unsynced) {
      entry.unsynced = true;
      unsynced.add(entry);
    }
  }

  /** All that was written is durable. */
  public synchronized void durable() {
    for (Entry entry : unsynced) {
      entry.durable = entry.written;
      entry.unsynced = false;
    }
    unsynced.clear();
  }

  /** A checkpoint made these durable. */
  public synchronized void durable(List<Saved> saved) {
    for (Saved stream : saved) {
      Entry entry = entries.get(stream.streamId());
      if (entry != null) {
        entry.durable = Math.max(entry.durable, stream.sequence());
      }
    }
  }

  public synchronized @Nullable StreamState state(String streamId) {
    Entry entry = entries.get(streamId);
    return entry == null || entry.logged == -1 || expired(entry)
        ? null
        : new StreamState(entry.logged, entry.durable);
  }

  /** What was written so far. */
  synchronized List<Saved> save() {
    List<Saved> saved = new ArrayList<>(entries.size());
    for (Map.Entry<String, Entry> stream : entries.entrySet()) {
      Entry entry = stream.getValue();
      if (entry.written >= 0 && !expired(entry)) {
        saved.add(new Saved(stream.getKey(), entry.written, entry.lastSeenMillis));
      }
    }
    return saved;
  }

  synchronized void load(List<Saved> saved) {
    for (Saved stream : saved) {
      Entry entry = entry(stream.streamId());
      entry.logged = stream.sequence();
      entry.written = stream.sequence();
      entry.durable = stream.sequence();
      entry.lastSeenMillis = stream.lastSeenMillis();
    }
  }

  public synchronized int size() {
    return entries.size();
  }

  @GuardedBy("this")
  private Entry entry(String streamId) {
    Entry entry = entries.get(streamId);
    if (entry == null) {
      entry = new Entry(streamId);
      entry.lastSeenMillis = System.currentTimeMillis();
      entries.put(streamId, entry);
      capacity.add(1);
      dropOldest();
    }
    return entry;
  }

  /** Least recently used first, so the expired are at the front. */
  @GuardedBy("this")
  private void dropOldest() {
    Iterator<Entry> oldest = entries.values().iterator();
    while (oldest.hasNext()) {
      Entry entry = oldest.next();
      if (!capacity.isExceeded(entries.size()) && !expired(entry)) {
        return;
      }
      oldest.remove();
      capacity.add(-1);
    }
  }

  private static boolean expired(Entry entry) {
    return System.currentTimeMillis() - entry.lastSeenMillis > KEPT.toMillis();
  }

  /** Gives its share of the capacity back. */
  @Override
  public synchronized void close() {
    capacity.add(-entries.size());
    entries.clear();
    unsynced.clear();
  }
}
