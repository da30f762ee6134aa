package io.omendb.embedded;

import io.omendb.engine.Collection;
import io.omendb.engine.CollectionStats;
import io.omendb.engine.Rows;
import io.omendb.engine.SearchRequest;
import io.omendb.engine.SearchResult;
import io.omendb.engine.UnlinkedBufferFullException;
import io.omendb.engine.Visibility;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Vectors with numeric ids and payloads. Thread-safe: writes take a short lock, searches none.
 *
 * <p>Arrays given are read during the call and never kept; arrays returned are the caller's.
 */
public final class EmbeddedCollection {
  /** Rows written as one unit by {@link #putAll}. */
  private static final int FRAME_ROWS = 1_024;

  /** How often room for a write is looked for: linking tells nobody. */
  private static final long ROOM_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

  private static final byte[] NO_PAYLOAD = {};
  private static final byte[][] NO_PAYLOADS = {};

  private final Collection collection;
  private final int dimension;
  private final Queue<Searcher> searchers = new ConcurrentLinkedQueue<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();

  EmbeddedCollection(Collection collection) {
    this.collection = collection;
    this.dimension = collection.config().dimension();
    collection.addWatermarkListener(this::signal);
  }

  /** Whether it stands for this collection, and not for one of its name that was dropped. */
  boolean isOf(Collection other) {
    return collection == other;
  }

  /** What a search needs; as many are made as there are searches at a time. */
  private static final class Searcher {
    final SearchRequest request = new SearchRequest();
    final SearchScratch scratch = new SearchScratch();
    final SearchResult result = new SearchResult();
  }

  /** Writes a vector, or replaces it. When it returns it is durable, and searches find it. */
  public void put(long id, float[] vector) throws IOException {
    put(id, vector, NO_PAYLOAD);
  }

  /**
   * Writes a vector with a payload of up to 64 KiB, or replaces both.
   *
   * @throws IllegalArgumentException if the vector is of another dimension, not finite, or zero
   *     under cosine; nothing is written
   * @throws IOException if the volume is full or does not write; nothing is acknowledged
   */
  public void put(long id, float[] vector, byte[] payload) throws IOException {
    checkComponents("vector", vector, 1);
    byte[][] payloads = {payload};
    write(new ArrayRows(new long[] {id}, vector, payloads, dimension, 0, 1), Visibility.IMMEDIATE);
  }

  /** Writes many vectors without payloads. */
  public void putAll(long[] ids, float[] vectors) throws IOException {
    putAll(ids, vectors, NO_PAYLOADS);
  }

  /**
   * Writes many vectors, which are built into the graph at once; searches find each as it is
   * linked, and {@link #awaitSearchable} waits for all.
   *
   * @param vectors row-major, ids × dimension
   * @param payloads one an id, or none at all
   * @throws IllegalArgumentException as of {@link #put}; what came before the 1,024 rows that it
   *     names is written
   */
  public void putAll(long[] ids, float[] vectors, byte[][] payloads) throws IOException {
    checkComponents("vectors", vectors, ids.length);
    if (payloads.length != 0 && payloads.length != ids.length) {
      throw new IllegalArgumentException(
          "payloads is %d long, expected %d: one an id".formatted(payloads.length, ids.length));
    }
    collection.beginBuild();
    try {
      for (int first = 0; first < ids.length; first += FRAME_ROWS) {
        int count = Math.min(FRAME_ROWS, ids.length - first);
        write(
            new ArrayRows(ids, vectors, payloads, dimension, first, count), Visibility.AFTER_BUILD);
      }
    } finally {
      collection.endBuild();
    }
  }

  private void write(ArrayRows rows, Visibility visibility) throws IOException {
    AppendResult result = new AppendResult();
    boolean written = false;
    while (!written) {
      try {
        collection.append(rows, WriteMode.UPSERT, visibility, result);
        written = true;
      } catch (UnlinkedBufferFullException e) {
        awaitMove(ROOM_NANOS);
      } catch (InvalidRowsException e) {
        throw new IllegalArgumentException(
            "of rows %d to %d: %s"
                .formatted(rows.first(), rows.first() + rows.count() - 1, e.getMessage()),
            e);
      }
    }
    awaitVisible(result.lsn);
  }

  private void awaitVisible(long sequence) throws IOException {
    while (collection.visibleSequence() < sequence) {
      checkLog();
      lock.lock();
      try {
        if (collection.visibleSequence() < sequence && !collection.hasFailed()) {
          moved.await();
        }
      } catch (InterruptedException e) {
        throw interrupted();
      } finally {
        lock.unlock();
      }
    }
  }

  private void checkLog() throws IOException {
    if (collection.hasFailed()) {
      throw new IOException(
          "the log of collection "
              + collection.config().name()
              + " has failed: whether the write is kept shows when it is opened again");
    }
  }

  @SuppressWarnings("WaitNotInLoop") // its callers loop
  private void awaitMove(long nanos) throws InterruptedIOException {
    lock.lock();
    try {
      var unused = moved.awaitNanos(nanos);
    } catch (InterruptedException e) {
      throw interrupted();
    } finally {
      lock.unlock();
    }
  }

  private static InterruptedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new InterruptedIOException("interrupted while a write was under way");
  }

  /** On a thread of the engine. */
  private void signal() {
    lock.lock();
    try {
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until searches find all that was written. */
  public void awaitSearchable() throws IOException {
    long sequence = collection.lastSequence();
    while (collection.searchableSequence() < sequence) {
      checkLog();
      awaitMove(ROOM_NANOS);
    }
  }

  /** The k nearest records, by ascending distance, equal ones by ascending id. */
  public List<Hit> search(float[] query, int k) {
    return search(query, k, 0);
  }

  /**
   * The k nearest records.
   *
   * @param ef width of the beam; 0: what was calibrated for the target recall
   */
  public List<Hit> search(float[] query, int k, int ef) {
    checkComponents("query", query, 1);
    if (k < 1 || ef < 0) {
      throw new IllegalArgumentException(
          "k=%d and ef=%d, expected at least 1 and 0".formatted(k, ef));
    }
    Searcher pooled = searchers.poll();
    Searcher searcher = pooled == null ? new Searcher() : pooled;
    searcher.request.query = query;
    searcher.request.k = k;
    searcher.request.ef = ef;
    lease();
    try {
      collection.search(searcher.request, searcher.scratch, searcher.result);
      List<Hit> hits = new ArrayList<>(searcher.result.count());
      for (int i = 0; i < searcher.result.count(); i++) {
        int slot = searcher.result.slot(i);
        hits.add(
            new Hit(collection.rows().numericId(slot), searcher.result.distance(i), payload(slot)));
      }
      return hits;
    } finally {
      collection.release();
      searchers.add(searcher);
    }
  }

  /** The payload of a record; empty: there is no such record. */
  public Optional<byte[]> payload(long id) {
    lease();
    try {
      int slot = collection.rows().find(id);
      return slot < 0 ? Optional.empty() : Optional.of(payload(slot));
    } finally {
      collection.release();
    }
  }

  private byte[] payload(int slot) {
    Rows rows = collection.rows();
    byte[] payload = new byte[rows.payloadLength(slot)];
    if (payload.length > 0) {
      rows.copyPayload(slot, payload, 0);
    }
    return payload;
  }

  /** Deletes records as one unit; returns how many were there. Searches find them no more. */
  public int delete(long... ids) throws IOException {
    var result = collection.delete(ids);
    awaitVisible(result.lsn());
    return result.deleted();
  }

  /** Live records. */
  public long count() {
    lease();
    try {
      return collection.rows().liveCount();
    } finally {
      collection.release();
    }
  }

  /** Counts, sizes and quality. */
  public CollectionStats stats() {
    return collection.stats(false);
  }

  private void lease() {
    if (!collection.acquire()) {
      throw new IllegalStateException(
          "collection " + collection.config().name() + " was dropped, or its database closed");
    }
  }

  private void checkComponents(String name, float[] components, int rows) {
    if (components.length != (long) rows * dimension) {
      throw new IllegalArgumentException(
          "%s is %d components, expected %d of dimension %d"
              .formatted(name, components.length, (long) rows * dimension, dimension));
    }
  }
}
