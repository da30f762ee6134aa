package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Writers, a deleter and searchers at once. Every id has one vector, so a search for that vector
 * must find the id at distance 0 while it lives.
 */
class ConcurrencyTest {
  private static final int DIMENSION = 16;
  private static final int WRITERS = 2;
  private static final int BATCH = 20;
  private static final int IDS_OF_A_WRITER = 8_000;
  private static final long RUN_NANOS = TimeUnit.SECONDS.toNanos(3);

  private final long seed = Long.getLong("seed", System.nanoTime());

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  /** Acknowledged version of each id; 0 for none, written by one writer. */
  private final AtomicIntegerArray versions = new AtomicIntegerArray(WRITERS * IDS_OF_A_WRITER);

  /** Set before a delete of the id begins: from here on it may be gone. */
  private final AtomicIntegerArray doomed = new AtomicIntegerArray(WRITERS * IDS_OF_A_WRITER);

  /** When the delete of the id was acknowledged. */
  private final AtomicLongArray deletedAt = new AtomicLongArray(WRITERS * IDS_OF_A_WRITER);

  /** Ids each writer has inserted. */
  private final AtomicIntegerArray inserted = new AtomicIntegerArray(WRITERS);

  private final AtomicLong missesOfTheGraph = new AtomicLong();
  private final AtomicLong searches = new AtomicLong();
  private final AtomicInteger deletes = new AtomicInteger();

  /** Vector of an id; the same in each of its versions. */
  private float[] vector(int id) {
    Random random = new Random(seed * 1_000_003 + id);
    float[] vector = new float[DIMENSION];
    for (int d = 0; d < DIMENSION; d++) {
      vector[d] = (float) random.nextGaussian();
    }
    return vector;
  }

  private static CollectionConfig config(Profile profile) {
    return new CollectionConfig(
        "things", DIMENSION, Similarity.L2, IdKind.NUMERIC, 16, 100, 0.99, 0, profile);
  }

  @ParameterizedTest
  @EnumSource(Profile.class)
  void searchesSeeWhatIsAcknowledgedAndNothingDeleted(Profile profile) throws Exception {
    System.err.println("ConcurrencyTest seed=" + seed);
    try (Database database = TestEngine.open(directory);
        ExecutorService threads = Executors.newCachedThreadPool()) {
      Collection collection = database.create(config(profile));
      long end = System.nanoTime() + RUN_NANOS;
      List<Callable<Void>> work = new ArrayList<>();
      for (int writer = 0; writer < WRITERS; writer++) {
        int w = writer;
        work.add(() -> write(collection, w, end));
      }
      work.add(() -> delete(collection, end));
      work.add(() -> search(collection, 1, end));
      work.add(() -> search(collection, 2, end));
      for (Future<Void> done : threads.invokeAll(work)) {
        done.get();
      }
      TestEngine.awaitLinked(collection);
      checkAll(collection);
      TestEngine.awaitSound(collection);
    }
    System.err.println(
        inserted
            + " ids inserted, "
            + deletes
            + " deleted, "
            + searches
            + " searches, "
            + missesOfTheGraph
            + " missed by the graph");
    assertTrue(searches.get() > 100 && deletes.get() > 0);
    assertTrue(missesOfTheGraph.get() <= searches.get() / 200, "missed: " + missesOfTheGraph);
    try (Database database = TestEngine.open(directory)) {
      checkAll(database.collection("things"));
    }
  }

  private Void write(Collection collection, int writer, long end) throws Exception {
    Random random = new Random(seed + writer);
    AppendResult result = new AppendResult();
    while (System.nanoTime() < end) {
      TestRows rows = new TestRows();
      List<Integer> written = new ArrayList<>();
      int known = inserted.get(writer);
      boolean replace = known == IDS_OF_A_WRITER || (known > 0 && random.nextInt(4) == 0);
      for (int i = 0; i < (replace ? 1 : BATCH); i++) {
        int index = replace ? random.nextInt(known) : known + i;
        int id = index * WRITERS + writer;
        // Who is doomed is not written again, so that a deleted id stays deleted.
        if (!replace || doomed.compareAndSet(id, 0, 2)) {
          rows.addWithPayload(id, payload(versions.get(id) + 1), vector(id));
          written.add(id);
        }
      }
      try {
        collection.append(rows, WriteMode.UPSERT, Visibility.IMMEDIATE, result);
      } catch (UnlinkedBufferFullException e) {
        throw new AssertionError(e);
      }
      TestEngine.awaitAcknowledged(collection, result.lsn);
      for (int id : written) {
        versions.set(id, versions.get(id) + 1);
        if (replace) {
          doomed.set(id, 0);
        }
      }
      if (!replace) {
        inserted.set(writer, known + BATCH);
      }
    }
    return null;
  }

  private static byte[] payload(int version) {
    return new byte[] {(byte) version, (byte) (version >> 8)};
  }

  private static int version(Collection collection, int slot) {
    byte[] payload = new byte[2];
    assertEquals(2, collection.rows().copyPayload(slot, payload, 0));
    return (payload[0] & 0xFF) | (payload[1] & 0xFF) << 8;
  }

  private int anyId(Random random) {
    int writer = random.nextInt(WRITERS);
    int known = inserted.get(writer);
    return known == 0 ? -1 : random.nextInt(known) * WRITERS + writer;
  }

  private Void delete(Collection collection, long end) throws Exception {
    Random random = new Random(seed + 100);
    while (System.nanoTime() < end) {
      int id = anyId(random);
      if (id >= 0 && doomed.compareAndSet(id, 0, 1)) {
        TestEngine.delete(collection, id);
        deletedAt.set(id, System.nanoTime());
        deletes.incrementAndGet();
      } else {
        Thread.onSpinWait();
      }
    }
    return null;
  }

  private Void search(Collection collection, int number, long end) {
    Random random = new Random(seed + 200 + number);
    SearchScratch scratch = new SearchScratch();
    SearchResult result = new SearchResult();
    while (System.nanoTime() < end) {
      int id = anyId(random);
      if (id < 0) {
        continue;
      }
      SearchRequest request = TestEngine.nearest(vector(id), 10);
      request.exact = random.nextInt(4) == 0;
      request.ef = 200;
      int atLeast = versions.get(id);
      long start = System.nanoTime();
      assertTrue(collection.acquire());
      try {
        collection.search(request, scratch, result);
        boolean found = false;
        for (int i = 0; i < result.count(); i++) {
          int other = Math.toIntExact(collection.rows().numericId(result.slot(i)));
          long dead = deletedAt.get(other);
          assertTrue(dead == 0 || dead > start, () -> other + " was found after its delete");
          if (other == id) {
            assertEquals(0f, result.distance(i));
            found |= version(collection, result.slot(i)) >= atLeast;
          }
        }
        if (!found && doomed.get(id) != 1) {
          assertTrue(!request.exact, () -> id + " was not found, version " + atLeast);
          missesOfTheGraph.incrementAndGet();
        }
      } finally {
        collection.release();
      }
      searches.incrementAndGet();
    }
    return null;
  }

  /** A search that overlaps an upsert sees the row before it or after it, not neither. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aRowIsThereAtEveryMomentOfItsUpsert(boolean exact) throws Exception {
    try (Database database = TestEngine.open(directory);
        ExecutorService threads = Executors.newCachedThreadPool()) {
      Collection collection =
          database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
      TestRows rows = new TestRows();
      for (int id = 0; id < 2_000; id++) {
        rows.add(id, vector(id));
      }
      TestEngine.insert(collection, rows);
      TestEngine.awaitLinked(collection);
      long end = System.nanoTime() + RUN_NANOS / 2;
      Callable<Void> writer =
          () -> {
            AppendResult result = new AppendResult();
            TestRows row = new TestRows().add(7, vector(7));
            while (System.nanoTime() < end) {
              collection.append(row, WriteMode.UPSERT, Visibility.IMMEDIATE, result);
              TestEngine.awaitAcknowledged(collection, result.lsn);
            }
            return null;
          };
      Callable<Void> searcher =
          () -> {
            SearchRequest request = TestEngine.nearest(vector(7), 1);
            request.exact = exact;
            while (System.nanoTime() < end) {
              request.k = 11 - request.k; // 1, 10, 1, …
              List<Long> ids = TestEngine.searchIds(collection, request);
              assertEquals(7L, ids.getFirst());
              assertEquals(ids.size(), ids.stream().distinct().count(), () -> "twice in " + ids);
            }
            return null;
          };
      for (Future<Void> done : threads.invokeAll(List.of(writer, searcher, searcher))) {
        done.get();
      }
      assertEquals(2_000, collection.rows().liveCount());
    }
  }

  /** Nobody writes: every id is there in its last version, or gone. */
  private void checkAll(Collection collection) {
    int live = 0;
    for (int writer = 0; writer < WRITERS; writer++) {
      for (int index = 0; index < inserted.get(writer); index++) {
        int id = index * WRITERS + writer;
        int slot = collection.rows().find(id);
        if (deletedAt.get(id) > 0) {
          assertEquals(-1, slot);
        } else {
          live++;
          assertEquals(versions.get(id), version(collection, slot));
        }
      }
    }
    assertEquals(live, collection.rows().liveCount());
    CollectionStats stats = collection.stats(false);
    assertEquals(live, stats.linkedCount());
    SearchRequest all = TestEngine.exactNearest(new float[DIMENSION], live + 100);
    assertEquals(live, TestEngine.search(collection, all).count());
  }
}
