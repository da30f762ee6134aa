package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.Workers;
import io.omendb.storage.DataDirectory;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A build of many rows at once beside whatever else goes on in its collection. */
class BulkBuildTest {
  private static final int DIMENSION = 16;
  private static final int OTHERS = 1_000;
  private static final int BUILT = 50_000;

  private final Random random = TestEngine.random(BulkBuildTest.class);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  private static boolean isFound(Collection collection, float[] vector) {
    SearchResult result = TestEngine.search(collection, TestEngine.nearest(vector, 1));
    return result.count() == 1 && result.distance(0) == 0;
  }

  /** Rows linked before, rows that come meanwhile, and rows that are deleted meanwhile. */
  @Test
  void noRowIsMissedWhileAGraphTakesThePlaceOfAnother() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 2 * OTHERS + BUILT, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
      TestEngine.insert(collection, TestRows.of(vectors, 0, OTHERS, 0));
      TestEngine.awaitLinked(collection);
      int from = 2 * OTHERS;
      build(collection, vectors, from, from + BUILT);
      int arrived = OTHERS;
      int searches = 0;
      while (collection.stats(false).unbuiltCount() > 0 || arrived < 2 * OTHERS) {
        if (arrived < 2 * OTHERS) {
          TestEngine.insert(collection, TestRows.of(vectors, arrived, arrived + 20, arrived));
          arrived += 20;
          TestEngine.delete(collection, from + arrived);
        }
        for (int i = 0; i < 50; i++) {
          int row = random.nextInt(arrived);
          assertTrue(isFound(collection, vectors[row]), "row " + row + " of " + arrived);
          searches++;
        }
      }
      System.err.println(searches + " searches beside the build");
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      CollectionStats stats = collection.stats(false);
      int deleted = OTHERS / 20;
      assertEquals(2 * OTHERS + BUILT - deleted, stats.searchableCount());
      int missed = 0;
      for (int row = 0; row < vectors.length; row += 7) {
        boolean gone =
            row >= from + OTHERS + 20 && row <= from + 2 * OTHERS && (row - from) % 20 == 0;
        missed += isFound(collection, vectors[row]) == gone ? 1 : 0;
      }
      assertTrue(missed <= vectors.length / 7 / 200, missed + " of " + vectors.length / 7);
    }
  }

  /** Its rows are durable, and what was done for them is done again. */
  @Test
  void aBuildThatAStopCutsShortIsMadeAgain() throws Exception {
    float[][] vectors = TestEngine.clustered(random, BUILT, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
      build(collection, vectors, 0, BUILT);
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      assertEquals(BUILT, collection.stats(false).linkedCount());
      assertTrue(isFound(collection, vectors[BUILT - 1]));
    }
  }

  /** Rows that are linked already are built anew with a build half as large as they are. */
  @Test
  void whatWasLinkedIsBuiltAnewWithALargeBuild() throws Exception {
    int first = 12_000;
    int second = 10_000;
    float[][] vectors = TestEngine.clustered(random, first + second, DIMENSION);
    Collection collection;
    try (DataDirectory data = DataDirectory.open(directory, StorageOptions.defaults());
        Workers workers = new Workers(2, "link")) {
      CollectionConfig config = CollectionConfig.of("things", DIMENSION, Similarity.L2);
      collection = Collection.open(data.create(config.toSchema(0)), workers, () -> {});
      build(collection, vectors, 0, first);
      while (collection.linkStep()) {
        // until all is linked
      }
      TestEngine.delete(collection, 5);
      build(collection, vectors, first, first + second);
      Set<Long> linked = new TreeSet<>();
      double progress = 0;
      boolean worked = true;
      while (worked) {
        worked = collection.linkStep();
        CollectionStats stats = collection.stats(false);
        linked.add(stats.linkedCount());
        if (!Double.isNaN(stats.buildProgress())) {
          assertTrue(stats.buildProgress() >= progress, () -> "backwards to " + stats);
          progress = stats.buildProgress();
        }
        int row = 6 + random.nextInt(first - 6);
        assertTrue(isFound(collection, vectors[row]), "row " + row);
        assertFalse(isFound(collection, vectors[5]), "a deleted row");
      }
      assertEquals(1, progress, 0.03);
      long whole = (long) first + second - 1;
      // The rows held out for a calibration follow; batches would have come in many steps.
      assertEquals(3, linked.size(), linked::toString);
      assertTrue(linked.containsAll(Set.of(first - 1L, whole)), linked::toString);
      assertEquals(List.of(), collection.violations());
      assertTrue(isFound(collection, vectors[first + 9]));
      collection.close(true);
    }
    collection.freeIndex();
    assertLoaded(first + second - 1);
  }

  /** A graph of as many rows as the one in the image is another all the same. */
  @Test
  void theImageOfAGraphThatWasReplacedIsWrittenAnew() throws Exception {
    int half = 10_000;
    float[][] vectors = TestEngine.clustered(random, 3 * half, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
      build(collection, vectors, 0, 2 * half);
      TestEngine.awaitLinked(collection);
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      TestEngine.delete(collection, LongStream.range(0, half).toArray());
      build(collection, vectors, 2 * half, 3 * half);
      TestEngine.awaitLinked(collection);
    }
    assertLoaded(2 * half);
  }

  /** Asserts that a start finds all rows in the image. */
  private void assertLoaded(int rows) throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, StorageOptions.defaults());
        Workers workers = new Workers(1, "link")) {
      Collection collection = Collection.open(data.openCollection("things"), workers, () -> {});
      assertEquals(rows, collection.stats(false).linkedCount());
      assertEquals(List.of(), collection.violations());
      collection.close(false);
      collection.freeIndex();
    }
  }

  private static void build(Collection collection, float[][] vectors, int from, int to)
      throws Exception {
    collection.beginBuild();
    TestEngine.append(
        collection, TestRows.of(vectors, from, to, from), WriteMode.UPSERT, Visibility.AFTER_BUILD);
    collection.endBuild();
  }
}
