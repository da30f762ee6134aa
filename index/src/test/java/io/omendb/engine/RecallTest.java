package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.SiftSmall;
import io.omendb.index.Similarity;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the graph finds on real vectors with default settings, embedded, without the network. */
class RecallTest {
  private static final int FRAME = 250;
  private static final int K = 10;

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

  private static void check(Collection collection, float[][] vectors, double floor, double ceiling)
      throws Exception {
    Similarity similarity = collection.config().similarity();
    float[][] queries = SiftSmall.queries();
    int hits = 0;
    long distances = 0;
    for (float[] query : queries) {
      SearchResult result = TestEngine.search(collection, TestEngine.nearest(query, K));
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
