package io.omendb.loadtest.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.omendb.loadtest.client.Searches;
import io.omendb.loadtest.data.ArrayVectors;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.data.VectorFile;
import io.omendb.loadtest.data.Vectors;
import io.omendb.loadtest.report.Progress;
import io.omendb.proto.v1.Hit;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Recall on 100,000 vectors: real ones, and sets made to be hard in a way of their own. */
@Tag("ci")
class LargeRecallGateTest {

  private static final int COUNT = 100_000;
  private static final int QUERIES = 500;
  private static final double DISTANCES_CEILING = 0.10;

  private final long seed = Long.getLong("seed", 20260101);
  private final SplittableRandom random = new SplittableRandom(seed);
  private final Path data;

  LargeRecallGateTest(@TempDir Path directory) {
    this.data = directory.resolve("data");
    System.out.println("LargeRecallGateTest: seed " + seed);
  }

  /** GloVe word vectors, where {@code .ci/run} has put them. */
  @ParameterizedTest
  @CsvSource({"COSINE, 0.95", "L2, 0.97"})
  void glove(Metric metric, double recallFloor) throws IOException {
    String directory = System.getProperty("omendb.glove");
    assertNotNull(directory, "-Domendb.glove=DIRECTORY, as .ci/run gives it");
    try (VectorFile base = VectorFile.open(Path.of(directory, "glove_base.fvecs"), COUNT);
        VectorFile queries = VectorFile.open(Path.of(directory, "glove_query.fvecs"))) {
      assertEquals(COUNT, base.count());
      check("glove", base, queries, metric, recallFloor);
    }
  }

  /**
   * Many far islands of near-copies: a graph that follows near neighbours alone never leaves one.
   */
  @Test
  void tightClusters() throws IOException {
    int dimension = 64;
    int clusters = 1_000;
    Vectors centres = gaussian(clusters, dimension, 1);
    Vectors base = jittered(COUNT, centres);
    check("clusters", base, jittered(QUERIES, centres), Metric.L2, 0.97);
  }

  /** Norms from 1 to 10: the long vectors are near to everything. */
  @Test
  void innerProductOfUnequalNorms() throws IOException {
    int dimension = 64;
    Vectors base =
        ArrayVectors.of(
            COUNT,
            dimension,
            row -> scaled(gaussianRow(dimension), Math.pow(10, random.nextDouble())));
    check("norms", base, gaussian(QUERIES, dimension, 1), Metric.IP, 0.95);
  }

  /** Nothing tells one from another: every search must still find k, and at distance 0. */
  @Test
  void identicalVectors() throws IOException {
    float[] vector = gaussianRow(32);
    try (Gate gate = Gate.open(data)) {
      gate.build(
          ArrayVectors.of(10_000, vector.length, row -> vector),
          Metric.L2,
          Visibility.VISIBILITY_AFTER_BUILD);
      SearchResponse found =
          gate.connection()
              .vectors()
              .search(Searches.request(Gate.COLLECTION, vector, 0).setK(100).build());
      assertEquals(
          100, found.getHitsList().stream().mapToLong(Hit::getNumericId).distinct().count());
      found.getHitsList().forEach(hit -> assertEquals(0, hit.getDistance(), "distance"));
    }
  }

  private void check(String name, Vectors base, Vectors queries, Metric metric, double recallFloor)
      throws IOException {
    Dataset set = Dataset.of(name, base, queries, metric, 2, Progress.NONE);
    try (Gate gate = Gate.open(data)) {
      gate.build(base, metric, Visibility.VISIBILITY_AFTER_BUILD);
      gate.check(set, recallFloor, DISTANCES_CEILING);
    }
  }

  private Vectors jittered(int count, Vectors centres) {
    return ArrayVectors.of(
        count,
        centres.dimension(),
        row -> {
          float[] copy = centres.row(row % centres.count());
          for (int i = 0; i < copy.length; i++) {
            copy[i] += (float) (0.01 * random.nextGaussian());
          }
          return copy;
        });
  }

  private Vectors gaussian(int count, int dimension, double scale) {
    return ArrayVectors.of(count, dimension, row -> scaled(gaussianRow(dimension), scale));
  }

  private float[] gaussianRow(int dimension) {
    float[] row = new float[dimension];
    IntStream.range(0, dimension).forEach(i -> row[i] = (float) random.nextGaussian());
    return row;
  }

  private static float[] scaled(float[] row, double scale) {
    for (int i = 0; i < row.length; i++) {
      row[i] *= (float) scale;
    }
    return row;
  }
}
