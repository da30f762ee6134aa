package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.omendb.index.ExactDistance;
import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.distance.Kernels;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nothing is missed, where products are exact to the last bit and where they are all rounding. */
class ExactNearestTest {
  private static final int DIMENSION = 37;
  private static final int ROWS = 1_777;
  private static final int QUERIES = 131;
  private static final int K = 7;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);

  /**
   * @param spread of components about the offset: at 1e-6 of it products cannot tell rows apart
   */
  private record Data(float offset, float spread) {}

  @ParameterizedTest
  @EnumSource
  void answersAreThoseOfAComparisonWithEachRow(Similarity similarity) {
    System.err.println("ExactNearestTest seed=" + seed);
    for (Data data :
        new Data[] {
          new Data(0, 1), new Data(1, 0.001F), new Data(1000, 0.001F), new Data(0, 1.4e18F)
        }) {
      try (NativeRows rows = new NativeRows(DIMENSION, ROWS)) {
        for (int i = 0; i < ROWS; i++) {
          rows.add(vector(data));
        }
        check(similarity, data, rows);
      }
    }
  }

  private void check(Similarity similarity, Data data, NativeRows rows) {
    float[][] queries = new float[QUERIES][];
    float[] squaredNorms = new float[QUERIES];
    int[] own = new int[QUERIES];
    TopK[] nearest = new TopK[QUERIES];
    for (int i = 0; i < QUERIES; i++) {
      queries[i] = Arrays.copyOf(vector(data), Kernels.paddedFloats(DIMENSION));
      for (float x : queries[i]) {
        squaredNorms[i] += x * x;
      }
      own[i] = random.nextInt(ROWS);
      nearest[i] = new TopK();
      nearest[i].reset(K);
    }
    try (Workers workers = new Workers(3, "exact")) {
      new ExactNearest(similarity, DIMENSION, rows, ROWS, row -> row % 5 != 0)
          .find(queries, squaredNorms, own, nearest, workers);
    }
    for (int i = 0; i < QUERIES; i++) {
      TopK expected = new TopK();
      expected.reset(K);
      for (int row = 0; row < ROWS; row++) {
        if (row % 5 != 0 && row != own[i]) {
          expected.offer(distance(similarity, queries[i], squaredNorms[i], rows, row), row);
        }
      }
      assertEquals(K, nearest[i].size());
      for (int rank = 0; rank < K; rank++) {
        // The last bit depends on how a kernel was compiled, and many rows may be as near.
        float distance = expected.distance(rank);
        double delta = 1e-6 * Math.abs(distance) + (similarity == Similarity.COSINE ? 3e-7 : 0);
        assertEquals(distance, nearest[i].distance(rank), delta, data + ", query " + i);
      }
    }
  }

  private static float distance(
      Similarity similarity, float[] query, float squaredNorm, NativeRows rows, int row) {
    return ExactDistance.distance(
        similarity, query, squaredNorm, rows.row(row), rows.squaredNorm(row), query.length);
  }

  private float[] vector(Data data) {
    float[] vector = new float[DIMENSION];
    for (int j = 0; j < DIMENSION; j++) {
      vector[j] = data.offset + data.spread * (float) random.nextGaussian();
    }
    return vector;
  }
}
