package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.SiftSmall;
import io.omendb.index.Similarity;
import io.omendb.index.hnsw.Scoring;
import io.omendb.storage.api.IdKind;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Collections whose searches go by neighbour blocks: as right as the others, at any time. */
class SpeedProfileTest {
  private static final double ALLOWED = 0.005;

  private final Random random = TestEngine.random(SpeedProfileTest.class);

  @TempDir
  @SuppressWarnings("NullAway.Init")
  private Path directory;

  private static CollectionConfig config(String name, int dimension, Similarity similarity) {
    return new CollectionConfig(
        name, dimension, similarity, IdKind.NUMERIC, 16, 100, 0.99, 0, Profile.SPEED);
  }

  @ParameterizedTest
  @EnumSource(
      value = Similarity.class,
      names = {"L2", "COSINE"})
  void searchesGoByBlocksAndReachTheTarget(Similarity similarity) throws Exception {
    float[][] base = SiftSmall.base();
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.create(config("things", 128, similarity));
      TestEngine.insert(collection, TestRows.of(base));
      awaitBlocks(collection);
      Calibration calibration = collection.stats(false).calibration();
      assertTrue(calibration.recall() >= 0.99 - ALLOWED, calibration.toString());
      double recall = recall(collection, SiftSmall.queries(), base, similarity);
      assertTrue(recall >= 0.99 - 2 * ALLOWED, "recall@10 " + recall + " by " + calibration);
      assertEquals(0, collection.stats(false).fallbackCount());
    }
  }

  @Test
  void innerProductsHaveNone() throws Exception {
    float[][] base = Arrays.copyOf(SiftSmall.base(), 3_000);
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.create(config("things", 128, Similarity.INNER_PRODUCT));
      TestEngine.insert(collection, TestRows.of(base));
      TestEngine.awaitLinked(collection);
      TestEngine.await("calibrated", () -> collection.stats(false).calibratedRecall() > 0);
      assertFalse(collection.stats(false).calibration().scoring() == Scoring.BLOCKS);
    }
  }

  /** Rows that one-bit codes, and seven bits, cannot tell apart. */
  @Test
  void rowsCloserThanCodesCanTellAreFoundAllTheSame() throws Exception {
    float[][] rows = TestEngine.clustered(random, 4_000, 48);
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < 48; j++) {
        rows[i][j] = rows[i % 20][j] + 1e-3f * rows[i][j];
      }
    }
    float[][] queries = new float[100][];
    for (int i = 0; i < queries.length; i++) {
      queries[i] = rows[random.nextInt(rows.length)].clone();
      queries[i][i % 48] += 1e-4f;
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.create(config("tight", 48, Similarity.L2));
      TestEngine.insert(collection, TestRows.of(rows));
      TestEngine.awaitLinked(collection);
      TestEngine.await("calibrated", () -> collection.stats(false).calibratedRecall() > 0);
      double recall = recall(collection, queries, rows, Similarity.L2);
      assertTrue(
          recall >= 0.97, "recall@10 " + recall + " by " + collection.stats(false).calibration());
    }
  }

  /** What is written when blocks are there is found, what is deleted is not; and after a start. */
  @Test
  void blocksFollowWritesDeletesAndAStart() throws Exception {
    float[][] base = SiftSmall.base();
    float[][] queries = SiftSmall.queries();
    int first = 8_000;
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.create(config("things", 128, Similarity.L2));
      TestEngine.insert(collection, TestRows.of(base, 0, first, 0));
      awaitBlocks(collection);
      for (int from = first; from < base.length; from += 100) {
        TestEngine.insert(collection, TestRows.of(base, from, from + 100, from));
      }
      TestEngine.awaitLinked(collection);
      awaitBlocks(collection);
      double recall = recall(collection, queries, base, Similarity.L2);
      assertTrue(recall >= 0.98, "recall@10 " + recall);
      for (int row = first; row < base.length; row++) {
        assertEquals(
            0,
            TestEngine.search(collection, TestEngine.nearest(base[row], 1)).nearest.distance(0),
            "row " + row);
      }
      long[] deleted = new long[500];
      Arrays.setAll(deleted, i -> 16L * i);
      TestEngine.delete(collection, deleted);
      for (long id : deleted) {
        assertFalse(
            TestEngine.searchIds(collection, TestEngine.nearest(base[(int) id], 10)).contains(id));
      }
      collection.checkpoint();
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      // At once, by what stands in for blocks until they are written, and then by blocks.
      for (boolean byBlocks : new boolean[] {false, true}) {
        if (byBlocks) {
          awaitBlocks(collection);
        }
        for (int row = 1; row < base.length; row += 50) {
          List<Long> found = TestEngine.searchIds(collection, TestEngine.nearest(base[row], 1));
          assertTrue(row % 16 == 0 || found.equals(List.of((long) row)), "row " + row);
        }
      }
      assertEquals(0, collection.stats(false).fallbackCount());
    }
  }

  private static void awaitBlocks(Collection collection) {
    TestEngine.awaitLinked(collection);
    TestEngine.await(
        "searches by blocks: " + collection.stats(false).calibration(),
        () -> collection.stats(false).calibration().scoring() == Scoring.BLOCKS);
  }

  private static double recall(
      Collection collection, float[][] queries, float[][] rows, Similarity similarity) {
    int hits = 0;
    List<float[]> all = TestEngine.listOf(rows);
    for (float[] query : queries) {
      SearchResult result = TestEngine.search(collection, TestEngine.nearest(query, 10));
      double[] exact = TestEngine.bruteForce(similarity, query, all, 10);
      for (int i = 0; i < result.nearest.size(); i++) {
        if (result.nearest.distance(i) <= exact[9] * (1 + 1e-5) + 1e-6) {
          hits++;
        }
      }
    }
    return (double) hits / (10 * queries.length);
  }
}
