package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A row that is replaced by one that is hidden until it is linked stays found until then. */
class UpsertTest {
  private static final int ROWS = 2_000;
  private static final int DIMENSION = 16;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  private final Random random = TestEngine.random(UpsertTest.class);
  private final float[][] before = TestEngine.clustered(random, ROWS, DIMENSION);
  private final float[][] after = TestEngine.clustered(random, ROWS, DIMENSION);

  private Collection create(Database database) throws Exception {
    Collection collection =
        database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
    TestEngine.insert(collection, TestRows.of(before));
    TestEngine.awaitLinked(collection);
    return collection;
  }

  private static void replace(Collection collection, float[][] vectors, int from, int to)
      throws Exception {
    TestEngine.append(
        collection, TestRows.of(vectors, from, to, from), WriteMode.UPSERT, Visibility.AFTER_BUILD);
  }

  private static long nearest(Collection collection, float[] vector, boolean exact) {
    SearchRequest request =
        exact ? TestEngine.exactNearest(vector, 1) : TestEngine.nearest(vector, 1);
    if (!exact) {
      request.ef = 200;
    }
    SearchResult result = TestEngine.search(collection, request);
    assertEquals(1, result.count());
    return result.distance(0) == 0 ? TestEngine.ids(collection, result).getFirst() : -1;
  }

  private static void assertFound(
      Collection collection, float[][] vectors, int from, int to, boolean found) {
    for (boolean exact : new boolean[] {false, true}) {
      for (int id = from; id < to; id += 7) {
        long expected = found ? id : -1;
        assertEquals(expected, nearest(collection, vectors[id], exact), "exact " + exact);
      }
    }
  }

  @Test
  void aReplacedRowIsFoundUntilItsSuccessorIs() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database);
      collection.beginBuild();
      replace(collection, after, 0, ROWS);
      assertFound(collection, before, 0, ROWS, true);
      assertFound(collection, after, 0, ROWS, false);
      CollectionStats stats = collection.stats(false);
      assertEquals(ROWS, stats.liveCount());
      assertEquals(ROWS, stats.unbuiltCount());
      assertEquals(ROWS, stats.searchableCount());
      collection.endBuild();
      TestEngine.awaitLinked(collection);
      assertFound(collection, before, 0, ROWS, false);
      assertFound(collection, after, 0, ROWS, true);
      stats = collection.stats(false);
      assertEquals(ROWS, stats.searchableCount());
      assertEquals(0, stats.replacedCount());
      assertEquals(0, stats.fallbackCount());
    }
  }

  @Test
  void aDeletedRowIsNotFoundAgainWhenItsIdIsWrittenToABuild() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database);
      TestEngine.delete(collection, 7, 14);
      collection.beginBuild();
      replace(collection, after, 0, 10);
      assertEquals(-1, nearest(collection, before[7], true));
      assertEquals(-1, nearest(collection, before[7], false));
      assertEquals(0, nearest(collection, before[0], true));
      assertEquals(9, collection.stats(false).replacedCount());
      collection.endBuild();
      TestEngine.awaitLinked(collection);
      assertEquals(7, nearest(collection, after[7], false));
    }
  }

  /** Rows replaced before they were linked, and again before their successors were. */
  @Test
  void repeatedUpsertsShowTheLastRowThatWasFound() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database);
      float[][] between = TestEngine.clustered(random, ROWS, DIMENSION);
      collection.beginBuild();
      replace(collection, between, 0, 600);
      replace(collection, after, 0, 600);
      assertFound(collection, before, 0, 600, true);
      assertFound(collection, between, 0, 600, false);
      assertFound(collection, after, 0, 600, false);
      // Found at once, in place of what was held.
      TestEngine.insert(collection, TestRows.of(between, 0, 100, 0));
      assertFound(collection, between, 0, 100, true);
      assertFound(collection, before, 0, 100, false);
      TestEngine.delete(collection, 100, 107);
      assertNotEquals(100, nearest(collection, before[100], true));
      assertNotEquals(107, nearest(collection, before[107], false));
      // A new id, replaced before anyone could find it.
      float[] first = TestEngine.clustered(random, 1, DIMENSION)[0];
      float[] second = TestEngine.clustered(random, 1, DIMENSION)[0];
      for (float[] vector : List.of(first, second)) {
        TestEngine.append(
            collection,
            new TestRows().add(9_999, vector),
            WriteMode.UPSERT,
            Visibility.AFTER_BUILD);
      }
      assertEquals(-1, nearest(collection, first, true));
      assertEquals(-1, nearest(collection, second, true));
      collection.endBuild();
      TestEngine.awaitLinked(collection);
      assertFound(collection, between, 0, 100, true);
      assertFound(collection, after, 108, 600, true);
      assertEquals(9_999, nearest(collection, second, false));
      assertEquals(0, collection.stats(false).replacedCount());
      assertEquals(ROWS - 2 + 1, collection.stats(false).searchableCount());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aCrashMeanwhileShowsTheSuccessors(boolean checkpoint) throws Exception {
    Path live = directory.resolve("live");
    Path copy = directory.resolve("copy");
    try (Database database = TestEngine.open(live)) {
      Collection collection = create(database);
      collection.beginBuild();
      replace(collection, after, 0, ROWS);
      if (checkpoint) {
        collection.checkpoint();
      }
      TestEngine.copy(live, copy);
    }
    try (Database database = TestEngine.open(copy)) {
      Collection collection = database.collection("things");
      assertFound(collection, after, 0, ROWS, true);
      assertFound(collection, before, 0, ROWS, false);
      TestEngine.awaitLinked(collection);
      assertFound(collection, after, 0, ROWS, true);
    }
  }

  /** While batches take the place of what they replace: each id once, and always. */
  @Test
  void everyIdIsFoundOnceAtEveryMoment() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database);
      int searches =
          searchesBeside(
              count -> assertEachOnce(collection, before[count % ROWS]),
              () -> {
                for (int round = 0; round < 6; round++) {
                  collection.beginBuild();
                  replace(collection, round % 2 == 0 ? after : before, 0, ROWS);
                  collection.endBuild();
                  TestEngine.awaitLinked(collection);
                }
              });
      assertTrue(searches > 100, "searches");
      assertEquals(0, collection.stats(false).fallbackCount());
    }
  }

  /** A row and its replacement are both near: one of them must not take the place of a third. */
  @Test
  void aSearchBesideUpsertsGivesAllThatItWasAskedFor() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database);
      int searches =
          searchesBeside(
              count -> {
                SearchRequest request = TestEngine.nearest(before[count % ROWS], 10);
                assertEquals(10, TestEngine.search(collection, request).count());
              },
              () -> {
                for (int round = 0; round < 300; round++) {
                  TestEngine.insert(collection, TestRows.of(before, 0, 200, 0));
                }
              });
      assertTrue(searches > 10, "searches");
    }
  }

  /** Searches, numbered from 0, on another thread while the writes run; returns how many. */
  private static int searchesBeside(IntConsumer search, Executable writes) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(1)) {
      AtomicBoolean done = new AtomicBoolean();
      Future<Integer> searches =
          threads.submit(() -> {
            int count = 0;
            while (!done.get()) {
              search.accept(count);
              count++;
            }
            return count;
          });
      try {
        assertDoesNotThrow(writes);
      } finally {
        done.set(true);
      }
      return searches.get();
    }
  }

  private static void assertEachOnce(Collection collection, float[] vector) {
    SearchRequest request = TestEngine.exactNearest(vector, ROWS);
    SearchResult result = new SearchResult();
    assertTrue(collection.acquire());
    try {
      collection.search(request, new SearchScratch(), result);
      Set<Long> ids = new HashSet<>(TestEngine.ids(collection, result));
      assertEquals(ROWS, result.count());
      assertEquals(ROWS, ids.size(), "each id once");
    } finally {
      collection.release();
    }
  }
}
