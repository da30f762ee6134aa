package io.omendb.loadtest.gate;

import io.omendb.loadtest.data.ArrayVectors;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.data.SiftSmall;
import io.omendb.loadtest.data.VectorFile;
import io.omendb.loadtest.data.Vectors;
import io.omendb.loadtest.report.Progress;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recall on the real vectors that come with OmenDB. */
class RecallGateTest {

  private final Path directory;

  RecallGateTest(@TempDir Path directory) throws IOException {
    this.directory = directory;
    SiftSmall.unpack(directory);
  }

  @ParameterizedTest
  @CsvSource({
    // At 1,000 rows a beam of any use meets many of them: there is no ceiling.
    "1000, AFTER_BUILD, 0.99, 1.0",
    "10000, AFTER_BUILD, 0.98, 0.2",
    "10000, IMMEDIATE, 0.98, 0.2"
  })
  void siftSmall(int count, String visibility, double recallFloor, double distancesCeiling)
      throws IOException {
    try (VectorFile base = VectorFile.open(SiftSmall.base(directory), count);
        VectorFile queries = VectorFile.open(SiftSmall.queries(directory));
        Gate gate = Gate.open(directory.resolve("data"))) {
      gate.build(base, Metric.L2, Visibility.valueOf("VISIBILITY_" + visibility));
      Dataset set = Dataset.of("siftsmall", base, queries, Metric.L2, 2, Progress.NONE);
      gate.check(set, recallFloor, distancesCeiling);
    }
  }

  @Test
  void siftSmallSortedByItsFirstComponent() throws IOException {
    sorted(row -> row[0]);
  }

  @Test
  void siftSmallSortedByNorm() throws IOException {
    sorted(row -> (float) IntStream.range(0, row.length).mapToDouble(i -> row[i] * row[i]).sum());
  }

  private void sorted(Function<float[], Float> key) throws IOException {
    try (VectorFile base = VectorFile.open(SiftSmall.base(directory));
        VectorFile queries = VectorFile.open(SiftSmall.queries(directory));
        Gate gate = Gate.open(directory.resolve("data"))) {
      float[][] rows =
          Stream.iterate(0, row -> row < base.count(), row -> row + 1)
              .map(base::row)
              .sorted(Comparator.comparing(key))
              .toArray(float[][]::new);
      Vectors sorted = ArrayVectors.of(rows.length, base.dimension(), row -> rows[row]);
      gate.build(sorted, Metric.L2, Visibility.VISIBILITY_AFTER_BUILD);
      Dataset set = Dataset.of("siftsmall sorted", sorted, queries, Metric.L2, 2, Progress.NONE);
      gate.check(set, 0.98, 0.2);
    }
  }
}
