package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.SiftSmall;
import io.omendb.index.Similarity;
import io.omendb.index.hnsw.Scoring;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the graph finds on real vectors with default settings, embedded, without the network. */
class RecallTest {
  private static final int FRAME = 250;
  private static final int K = 10;

  /**
   * Of a target of 0.99, calibrated on forty samples when the graph had five eighths of its rows,
   * and measured with a hundred queries: 0.984 has been seen.
   */
  private static final double FLOOR_OF_HARD_DATA = 0.97;

  /** Of the graph, where it is not what a default search uses. */
  private static final int EF_OF_HARD_DATA = 160;

  private final Random random = TestEngine.random(RecallTest.class);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  /**
   * At 1,000 rows any beam of use meets many of them: there is no ceiling.
   *
   * @param spread norms are multiplied by 1 to this
   * @param floor least recall@10
   * @param ceiling largest share of the rows that a search may measure
   */
  @ParameterizedTest
  @CsvSource({
    "1000, L2, AFTER_BUILD, 1, 0.99, 1.0",
    "1000, L2, IMMEDIATE, 1, 0.99, 1.0",
    "10000, L2, AFTER_BUILD, 1, 0.98, 0.2",
    "10000, COSINE, AFTER_BUILD, 1, 0.98, 0.2",
    "10000, INNER_PRODUCT, AFTER_BUILD, 10, 0.95, 0.2",
    "10000, L2, AFTER_BUILD, 10, 0.95, 0.2"
  })
  void siftSmall(
      int count,
      Similarity similarity,
      Visibility visibility,
      float spread,
      double floor,
      double ceiling)
      throws Exception {
    float[][] vectors = Arrays.copyOf(SiftSmall.base(), count);
    for (float[] vector : vectors) {
      float factor = (float) Math.pow(spread, random.nextDouble());
      for (int j = 0; j < vector.length; j++) {
        vector[j] *= factor;
      }
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(CollectionConfig.of("sift", SiftSmall.DIMENSION, similarity));
      collection.beginBuild();
      for (int from = 0; from < count; from += FRAME) {
        TestEngine.append(
            collection,
            TestRows.of(vectors, from, from + FRAME, from),
            WriteMode.UPSERT,
            visibility);
      }
      collection.endBuild();
      TestEngine.awaitLinked(collection);
      check(collection, vectors, floor, ceiling);
    }
  }

  /**
   * Deleted nodes are walked through and do not take the place of live ones in the beam. With the
   * seed given, a search that stopped had met nine live rows of ten, and fell back.
   */
  @ParameterizedTest
  @CsvSource({
    "clustered, 0.5, 0",
    "clustered, 0.8, 0",
    "clustered, 0.95, 0",
    "clustered, 0.95, 65008889188350",
    "gaussian, 0.8, 0"
  })
  void deletesCostNoRecall(String kind, double share, long seed) throws Exception {
    if (seed != 0) {
      random.setSeed(seed);
    }
    int count = 20_000;
    float[][] vectors =
        kind.equals("gaussian") ? gaussian(count, 16) : TestEngine.clustered(random, count, 16);
    float[][] queries = kind.equals("gaussian") ? gaussian(200, 16) : Arrays.copyOf(vectors, 200);
    try (Database database = TestEngine.open(directory)) {
      Collection collection = built(database, vectors);
      double before = recall(collection, queries, vectors);
      delete(collection, vectors, share);
      double after = recall(collection, queries, vectors);
      System.err.println(kind + " " + share + ": recall@10 " + before + " -> " + after);
      assertTrue(after >= before - 0.01, "recall@10 " + before + " -> " + after);
      assertEquals(0, collection.stats(false).fallbackCount());
      TestEngine.await(
          "a calibration of what is left", () -> collection.stats(false).calibratedRecall() > 0.9);
      assertTrue(recall(collection, queries, vectors) >= before - 0.01);
    }
  }

  /**
   * As above, at a size where a beam is a small part of the rows; Gaussian is the hardest there is.
   */
  @Tag("ci")
  @ParameterizedTest
  @CsvSource({"clustered, 64, 0.98", "gaussian, 32, 0.95", "gaussian, 64, 0.85"})
  void deletesCostNoRecallAtAHundredThousand(String kind, int dimension, double floor)
      throws Exception {
    int count = 100_000;
    float[][] vectors =
        kind.equals("gaussian")
            ? gaussian(count, dimension)
            : TestEngine.clustered(random, count, dimension);
    float[][] queries =
        kind.equals("gaussian") ? gaussian(100, dimension) : Arrays.copyOf(vectors, 100);
    try (Database database = TestEngine.open(directory)) {
      Collection collection = built(database, vectors);
      double before = recall(collection, queries, vectors);
      System.err.println(
          kind + ", " + dimension + "-d: recall@10 " + before + ", " + collection.stats(false));
      assertTrue(before >= floor, "recall@10 " + before);
      delete(collection, vectors, 0.8);
      double after = recall(collection, queries, vectors);
      System.err.println("recall@10 after 80 % were deleted: " + after);
      assertTrue(after >= before - 0.01, "recall@10 " + before + " -> " + after);
      assertEquals(0, collection.stats(false).fallbackCount());
    }
  }

  /**
   * Where codes cannot tell rows apart, or all rows are about as near, the target is reached all
   * the same: by a wider beam, or by comparing all rows where that takes less time.
   */
  @ParameterizedTest
  @CsvSource({
    "unit, 3000, 768, COSINE",
    "unit, 800, 1536, COSINE",
    "one large dimension, 20000, 32, L2",
    "gaussian, 20000, 64, L2"
  })
  void theDefaultReachesTheTargetOnHardData(
      String kind, int count, int dimension, Similarity similarity) throws Exception {
    float[][] vectors = gaussian(count, dimension);
    float[][] queries = gaussian(100, dimension);
    if (kind.equals("one large dimension")) {
      Stream.of(vectors, queries).flatMap(Arrays::stream).forEach(row -> row[0] *= 1e6f);
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = built(database, vectors, similarity);
      double recall = recall(collection, queries, vectors);
      System.err.println(kind + ": recall@10 " + recall + ", " + collection.stats(false));
      assertTrue(recall >= FLOOR_OF_HARD_DATA, "recall@10 " + recall);
      // Calibrated anew by samples that are linked, since no others come.
      TestEngine.delete(collection, LongStream.range(0, count / 3).toArray());
      while (collection.linkStep()) {
        // until nothing is due
      }
      Arrays.fill(vectors, 0, count / 3, new float[0]);
      double left = recall(collection, queries, vectors);
      System.err.println("a third deleted: " + left + ", " + collection.stats(false));
      assertTrue(left >= FLOOR_OF_HARD_DATA, "recall@10 " + left);
      assertEquals(0, collection.stats(false).fallbackCount());
    }
  }

  /**
   * Clusters so tight that codes cannot tell the rows of one apart: a beam on codes of any width
   * gathers them in any order. Found at a small ef too, as on full vectors.
   */
  @Test
  void rowsCloserThanCodesCanTellAreFound() throws Exception {
    int count = 20_000;
    float[][] centres = gaussian(200, 64);
    float[][] vectors = gaussian(count, 64);
    float[][] queries = gaussian(100, 64);
    for (float[][] rows : List.of(vectors, queries)) {
      for (float[] row : rows) {
        float[] centre = centres[random.nextInt(centres.length)];
        for (int j = 0; j < row.length; j++) {
          row[j] = centre[j] + 0.01f * row[j];
        }
      }
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = built(database, vectors);
      CollectionStats stats = collection.stats(false);
      double byDefault = recall(collection, queries, vectors);
      double narrow = recall(collection, queries, vectors, 10);
      System.err.println("clusters: " + byDefault + ", at ef 10 " + narrow + ", " + stats);
      assertEquals(Scoring.VECTORS, stats.calibration().scoring());
      assertTrue(byDefault >= 0.98, "recall@10 " + byDefault);
      assertTrue(narrow >= 0.6, "recall@10 at ef 10 " + narrow);
    }
  }

  /** Of hard data too, at once and when the calibration has followed. */
  @Test
  void deletesCostNoRecallOnHardData() throws Exception {
    int count = 50_000;
    float[][] vectors = gaussian(count, 64);
    float[][] queries = gaussian(60, 64);
    try (Database database = TestEngine.open(directory)) {
      Collection collection = built(database, vectors);
      double before = recall(collection, queries, vectors);
      delete(collection, vectors, 0.8);
      double atOnce = recall(collection, queries, vectors);
      while (collection.linkStep()) {
        // until nothing is due: the calibration above all
      }
      double after = recall(collection, queries, vectors);
      System.err.println("hard data: recall@10 " + before + " -> " + atOnce + " -> " + after);
      assertTrue(Math.min(atOnce, after) >= before - 0.01, before + " -> " + atOnce + ", " + after);
    }
  }

  /** All that lies near was deleted, more than the widest beam holds: what is left is found. */
  @Test
  void rowsBehindManyDeletedOnesAreFound() throws Exception {
    int count = 20_000;
    int left = 1_000;
    float[][] vectors = gaussian(count + left, 8);
    for (int row = left; row < vectors.length; row++) {
      for (int j = 0; j < 8; j++) {
        vectors[row][j] = 100 + 0.01f * vectors[row][j];
      }
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = built(database, vectors);
      TestEngine.delete(collection, LongStream.range(left, left + count).toArray());
      float[][] query = {vectors[left]};
      assertEquals(1.0, recall(collection, query, Arrays.copyOf(vectors, left)));
      assertEquals(0, collection.stats(false).fallbackCount());
    }
  }

  /** Deletes a share of the rows at random, and empties their vectors. */
  private void delete(Collection collection, float[][] vectors, double share) throws Exception {
    int count = (int) (share * vectors.length);
    long[] dead = random.ints(0, vectors.length).distinct().limit(count).asLongStream().toArray();
    TestEngine.delete(collection, dead);
    for (long id : dead) {
      vectors[(int) id] = new float[0];
    }
  }

  /** A collection with the graph of all of them. */
  private static Collection built(Database database, float[][] vectors) throws Exception {
    return built(database, vectors, Similarity.L2);
  }

  private static Collection built(Database database, float[][] vectors, Similarity similarity)
      throws Exception {
    Collection collection =
        database.create(CollectionConfig.of("c", vectors[0].length, similarity));
    collection.beginBuild();
    TestEngine.append(collection, TestRows.of(vectors), WriteMode.UPSERT, Visibility.AFTER_BUILD);
    collection.endBuild();
    TestEngine.awaitLinked(collection);
    return collection;
  }

  private float[][] gaussian(int count, int dimension) {
    float[][] vectors = new float[count][dimension];
    for (float[] vector : vectors) {
      for (int j = 0; j < dimension; j++) {
        vector[j] = (float) random.nextGaussian();
      }
    }
    return vectors;
  }

  private static double recall(Collection collection, float[][] queries, float[][] vectors) {
    return recall(collection, queries, vectors, 0);
  }

  private static double recall(
      Collection collection, float[][] queries, float[][] vectors, int ef) {
    List<float[]> live = Arrays.stream(vectors).filter(vector -> vector.length > 0).toList();
    int hits = 0;
    for (float[] query : queries) {
      SearchRequest request = TestEngine.nearest(query, K);
      request.ef = ef;
      SearchResult result = TestEngine.search(collection, request);
      assertEquals(K, result.count());
      double kth = TestEngine.bruteForce(collection.config().similarity(), query, live, K)[K - 1];
      for (int i = 0; i < K; i++) {
        hits += result.distance(i) <= kth + 1e-6 * (1 + kth) ? 1 : 0;
      }
    }
    return hits / (double) (K * queries.length);
  }

  private static void check(Collection collection, float[][] vectors, double floor, double ceiling)
      throws Exception {
    Similarity similarity = collection.config().similarity();
    float[][] queries = SiftSmall.queries();
    boolean scans = collection.stats(false).defaultEf() == 0;
    int hits = 0;
    long distances = 0;
    for (float[] query : queries) {
      SearchRequest request = TestEngine.nearest(query, K);
      request.ef = scans ? EF_OF_HARD_DATA : 0;
      SearchResult result = TestEngine.search(collection, request);
      assertEquals(SearchStrategy.GRAPH, result.strategy);
      assertEquals(0, result.unlinkedRows);
      assertEquals(K, result.count());
      distances += result.distanceComputations;
      double kth = TestEngine.bruteForce(similarity, query, TestEngine.listOf(vectors), K)[K - 1];
      for (int i = 0; i < K; i++) {
        hits += result.distance(i) <= kth + 1e-6 * (1 + Math.abs(kth)) ? 1 : 0;
      }
    }
    CollectionStats stats = collection.stats(false);
    double recall = hits / (double) (K * queries.length);
    double share = (double) distances / queries.length / vectors.length;
    System.err.println(
        "siftsmall "
            + vectors.length
            + " "
            + similarity
            + ": recall@10 "
            + recall
            + ", share of distances "
            + share
            + ", ef "
            + stats.defaultEf());
    assertEquals(vectors.length, stats.liveCount());
    assertEquals(stats.liveCount(), stats.linkedCount());
    assertEquals(0, stats.unlinkedCount());
    assertEquals(0, stats.fallbackCount());
    assertTrue(recall >= floor, "recall@10 " + recall);
    assertTrue(share <= ceiling, "share of distances " + share);
  }
}
