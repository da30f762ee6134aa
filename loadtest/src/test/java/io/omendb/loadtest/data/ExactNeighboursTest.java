package io.omendb.loadtest.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.omendb.loadtest.report.Progress;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExactNeighboursTest {

  private static final long SEED = Long.getLong("seed", 20260101);

  @ParameterizedTest
  @CsvSource({
    "L2, 3000, 33",
    "COSINE, 3000, 33",
    "IP, 3000, 33",
    "L2, 700, 128",
    "COSINE, 5, 2",
    "IP, 1025, 784"
  })
  void agreesWithSortingAllRows(Metric metric, int count, int dimension) {
    SplittableRandom random = new SplittableRandom(SEED);
    Vectors base = gaussian(random, count, dimension);
    Vectors queries = gaussian(random, 17, dimension);
    int k = Math.min(10, count);

    Neighbours found = ExactNeighbours.find(base, queries, metric, 10, 3, Progress.NONE);

    for (int query = 0; query < queries.count(); query++) {
      float[] vector = queries.row(query);
      List<Integer> expected =
          IntStream.range(0, count)
              .boxed()
              .sorted(Comparator.comparingDouble(row -> metric.distance(vector, base.row(row))))
              .limit(k)
              .toList();
      int asked = query;
      List<Integer> actual =
          IntStream.range(0, k).mapToObj(rank -> found.row(asked, rank)).toList();
      assertEquals(expected, actual, "query " + query + ", seed " + SEED);
    }
  }

  private static Vectors gaussian(SplittableRandom random, int count, int dimension) {
    float[] components = new float[count * dimension];
    for (int i = 0; i < components.length; i++) {
      components[i] = (float) random.nextGaussian();
    }
    return new ArrayVectors(components, dimension);
  }
}
