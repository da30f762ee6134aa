package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.SiftSmall;
import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs that are built at once are as sound as those that grow, and find as much. */
class BulkLinkerTest {
  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Workers workers = new Workers(2, "link");

  @BeforeEach
  void printSeed() {
    System.err.println("BulkLinkerTest seed=" + seed);
  }

  @AfterEach
  void close() {
    workers.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 33, 512, 513, 1000, 5000, 20_000})
  void graphsOfEverySizeAreSoundAndFindEachRow(int size) {
    try (NativeRows rows = NativeRows.gaussian(16, size, seed);
        HnswIndex index = rows.buildAtOnce(Similarity.L2, workers)) {
      assertEquals(List.of(), index.violations());
      assertEquals(size, index.linkedCount());
      SearchScratch scratch = new SearchScratch();
      for (int i = 0; i < size; i += 1 + size / 300) {
        assertEquals(i, rows.search(index, rows.vector(i), 1, 64, scratch).ordinal(0), "row " + i);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"L2, 24", "COSINE, 24", "L2, 130"})
  void theGraphDoesNotDependOnTheNumberOfThreads(Similarity similarity, int dimension) {
    try (NativeRows rows = NativeRows.ofManyNorms(dimension, 6000, seed)) {
      Set<Long> hashes = new HashSet<>();
      for (int threads : new int[] {1, 2, 4}) {
        try (Workers some = new Workers(threads, "link");
            HnswIndex index = rows.buildAtOnce(similarity, some)) {
          hashes.add(index.graphHash());
        }
      }
      assertEquals(1, hashes.size(), hashes.toString());
    }
  }

  @Test
  void realVectorsAreFoundAsInAGraphThatGrew() throws Exception {
    float[][] base = SiftSmall.base();
    try (NativeRows rows = new NativeRows(SiftSmall.DIMENSION, base.length)) {
      Arrays.stream(base).forEach(rows::add);
      List<float[]> queries = Arrays.stream(SiftSmall.queries()).map(rows::query).toList();
      try (HnswIndex atOnce = rows.buildAtOnce(Similarity.L2, workers);
          HnswIndex grown = rows.build(Similarity.L2, workers)) {
        for (int ef : new int[] {10, 20, 40}) {
          double recall = rows.recall(atOnce, queries, 10, ef);
          double before = rows.recall(grown, queries, 10, ef);
          System.err.println("ef " + ef + " recall " + recall + ", grown " + before);
          assertTrue(recall >= before - 0.015, "ef " + ef + " " + recall + ", grown " + before);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"L2, 32, 0.85", "COSINE, 32, 0.85", "L2, 8, 0.99", "L2, 200, 0.55"})
  void randomRowsAreFound(Similarity similarity, int dimension, double floor) {
    try (NativeRows rows = NativeRows.gaussian(dimension, 10_000, seed);
        HnswIndex index = rows.buildAtOnce(similarity, workers)) {
      assertEquals(List.of(), index.violations());
      double recall = rows.recall(index, rows.gaussianQueries(100, seed + 1), 10, 60);
      System.err.println(similarity + " " + dimension + " recall " + recall);
      assertTrue(recall >= floor, similarity + " " + dimension + " recall " + recall);
    }
  }

  /** All the nearest rows of a row lie in its own cluster, and yet there is a way to the others. */
  @ParameterizedTest
  @CsvSource({
    "64, 10, 2000, 160, 0.99",
    "64, 200, 100, 160, 0.98",
    "64, 400, 50, 20, 0.98",
    "64, 1000, 20, 160, 0.97",
    "192, 10, 2000, 160, 0.99",
    "192, 400, 50, 20, 0.98"
  })
  void tightClustersAreFound(int dimension, int clusters, int rowsOfEach, int ef, double floor) {
    Random random = new Random(seed);
    float[][] centres = new float[clusters][];
    Arrays.setAll(centres, i -> gaussian(random, dimension));
    try (NativeRows rows = new NativeRows(dimension, clusters * rowsOfEach)) {
      for (int i = 0; i < clusters * rowsOfEach; i++) {
        rows.add(near(centres[random.nextInt(clusters)], random));
      }
      try (HnswIndex index = rows.buildAtOnce(Similarity.L2, workers)) {
        assertEquals(List.of(), index.violations());
        SearchScratch scratch = new SearchScratch();
        int queries = 300;
        int reached = 0;
        for (int i = 0; i < queries; i++) {
          float[] centre = centres[random.nextInt(clusters)];
          TopK found = rows.search(index, rows.query(near(centre, random)), 1, ef, scratch);
          reached += found.distance(0) < 1 ? 1 : 0; // in another cluster it is some 128
        }
        System.err.println(dimension + "-d, " + clusters + " clusters: " + reached);
        assertTrue(reached >= floor * queries, reached + " of " + queries);
      }
    }
  }

  private static float[] gaussian(Random random, int dimension) {
    float[] vector = new float[dimension];
    for (int j = 0; j < dimension; j++) {
      vector[j] = (float) random.nextGaussian();
    }
    return vector;
  }

  private static float[] near(float[] centre, Random random) {
    float[] vector = centre.clone();
    for (int j = 0; j < vector.length; j++) {
      vector[j] += 0.01f * (float) random.nextGaussian();
    }
    return vector;
  }

  @Test
  void copiesAreFoundAndHideNobody() {
    int dimension = 32;
    int count = 12_000;
    int oneIn = 100;
    Random random = new Random(seed);
    float[] copied = gaussian(random, dimension);
    try (NativeRows rows = new NativeRows(dimension, count)) {
      for (int i = 0; i < count; i++) {
        rows.add(i % oneIn == 0 ? gaussian(random, dimension) : copied);
      }
      try (HnswIndex index = rows.buildAtOnce(Similarity.L2, workers)) {
        assertEquals(List.of(), index.violations());
        assertEquals(count, index.linkedCount());
        SearchScratch scratch = new SearchScratch();
        for (int i = 0; i < count; i += oneIn) {
          assertEquals(
              i, rows.search(index, rows.vector(i), 1, 20, scratch).ordinal(0), "row " + i);
        }
        TopK found = rows.search(index, rows.query(copied), 1_000, 1_000, scratch);
        assertEquals(0, found.distance(999), "1,000 copies");
      }
    }
  }

  /** Rows of one code, yet not of one vector: no leader divides them. */
  @Test
  void rowsThatCodesCannotTellApartAreLinked() {
    int dimension = 16;
    int count = 5_000;
    Random random = new Random(seed);
    try (NativeRows rows = new NativeRows(dimension, count)) {
      for (int i = 0; i < count; i++) {
        float[] vector = new float[dimension];
        vector[0] = i < 2 ? 1_000_000f * i : random.nextFloat();
        rows.add(vector);
      }
      try (HnswIndex index = rows.buildAtOnce(Similarity.L2, workers)) {
        assertEquals(List.of(), index.violations());
        assertEquals(count, index.linkedCount());
      }
    }
  }

  /**
   * Until it is published a build is no part of the graph, in which others are linked meanwhile.
   */
  @Test
  void othersAreLinkedAndSearchedBesideABuild() {
    int others = 500;
    int count = 6_000;
    try (NativeRows rows = NativeRows.gaussian(16, others + count, seed)) {
      List<AutoCloseable> retired = new ArrayList<>();
      try (HnswIndex index = rows.index(Similarity.L2, NativeRows.M, workers, retired)) {
        try (BulkLinker build =
            index.build(NativeRows.range(others, others + count), others + count)) {
          int linked = 0;
          boolean ready = false;
          while (!ready || linked < others) {
            ready = build.step();
            if (linked < others) {
              rows.link(index, retired, linked, linked + 50);
              linked += 50;
            }
            assertEquals(linked, index.linkedCount());
            assertEquals(List.of(), index.violations());
          }
          build.publish();
          build.linkCopies();
        }
        assertEquals(count, index.linkedCount());
        rows.link(index, retired, 0, others);
        index.sweep();
        assertEquals(List.of(), index.violations());
        assertEquals(others + count, index.linkedCount());
        SearchScratch scratch = new SearchScratch();
        for (int i = 0; i < others + count; i += 13) {
          assertEquals(
              i, rows.search(index, rows.vector(i), 1, 64, scratch).ordinal(0), "row " + i);
        }
      }
    }
  }

  /** Linked nodes are built anew, and what comes of it depends on the nodes alone. */
  @Test
  void aGraphIsBuiltAnewAsIfNothingHadBeenLinked() {
    int count = 3_000;
    try (NativeRows rows = NativeRows.gaussian(16, count, seed)) {
      List<AutoCloseable> retired = new ArrayList<>();
      try (HnswIndex fresh = rows.buildAtOnce(Similarity.L2, workers);
          HnswIndex index = rows.index(Similarity.L2, NativeRows.M, workers, retired)) {
        int[] some = IntStream.range(0, count / 2).toArray();
        index.link(some, some.length, count); // all are there to fit a quantizer to
        HnswGraph before = index.graph();
        long hash = index.graphHash();
        try (BulkLinker build = index.build(NativeRows.range(0, count), count)) {
          while (!build.step()) {
            assertEquals(hash, index.graphHash(), "the graph that is searched meanwhile");
          }
          build.publish();
          build.linkCopies();
          assertFalse(retired.contains(before), "retired while the caller may hold searches up");
        }
        assertTrue(retired.contains(before));
        index.sweep();
        assertEquals(List.of(), index.violations());
        assertEquals(fresh.graphHash(), index.graphHash());
        NativeRows.closeAll(retired);
      }
    }
  }
}
