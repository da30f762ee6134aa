package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.quantization.CodeTable;
import io.omendb.index.quantization.QuantizerTrainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class HnswIndexTest {
  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Workers workers = new Workers(2, "link");

  @BeforeEach
  void printSeed() {
    System.err.println("HnswIndexTest seed=" + seed);
  }

  @AfterEach
  void close() {
    workers.close();
  }

  @Test
  void anEmptyIndexFindsNothing() {
    try (NativeRows rows = new NativeRows(16, 1);
        HnswIndex index = rows.build(Similarity.L2, workers)) {
      assertEquals(0, index.search(new float[16], 10, new SearchScratch()));
      assertEquals(List.of(), index.violations());
      assertEquals(0, index.linkedCount());
      assertEquals(0, index.sweep());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 17, 255, 256, 257, 1000, 5000})
  void graphsOfEverySizeAreSoundAndFindEachRow(int size) {
    try (NativeRows rows = NativeRows.gaussian(16, size, seed);
        HnswIndex index = rows.build(Similarity.L2, workers)) {
      assertEquals(List.of(), index.violations());
      assertEquals(size, index.linkedCount());
      SearchScratch scratch = new SearchScratch();
      for (int i = 0; i < size; i += 1 + size / 300) {
        assertEquals(i, rows.search(index, rows.vector(i), 1, 64, scratch).ordinal(0), "row " + i);
      }
      assertEquals(Math.min(size, 64), index.search(rows.vector(0), 64, scratch));
    }
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void theGraphDoesNotDependOnTheNumberOfThreads(Similarity similarity) {
    try (NativeRows rows = NativeRows.ofManyNorms(24, 3000, seed)) {
      Set<Long> hashes = new HashSet<>();
      for (int threads : new int[] {1, 2, 4}) {
        try (Workers some = new Workers(threads, "link");
            HnswIndex index = rows.build(similarity, some)) {
          hashes.add(index.graphHash());
        }
      }
      assertEquals(1, hashes.size(), hashes.toString());
    }
  }

  @Test
  void anotherSeedOrRowMakesAnotherHash() {
    try (NativeRows rows = NativeRows.gaussian(24, 500, 1);
        NativeRows others = NativeRows.gaussian(24, 500, 2);
        HnswIndex one = rows.build(Similarity.L2, workers);
        HnswIndex two = others.build(Similarity.L2, workers)) {
      assertTrue(one.graphHash() != two.graphHash());
    }
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void findsTheNearest(Similarity similarity) {
    try (NativeRows rows = NativeRows.ofManyNorms(32, 5000, seed);
        HnswIndex index = rows.build(similarity, workers)) {
      assertEquals(List.of(), index.violations());
      double recall = rows.recall(index, rows.gaussianQueries(200, seed + 1), 10, 160);
      System.err.println(similarity + " recall=" + recall);
      assertTrue(recall >= 0.95, similarity + " recall " + recall);
    }
  }

  @Test
  void rowsThatComeSortedAreFoundAsWell() {
    int dimension = 24;
    List<float[]> vectors = new ArrayList<>();
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < 5000; i++) {
      vectors.add(NativeRows.gaussian(dimension, random));
    }
    vectors.sort(Comparator.comparing((float[] v) -> v[0]));
    try (NativeRows rows = new NativeRows(dimension, vectors.size())) {
      vectors.forEach(rows::add);
      try (HnswIndex index = rows.build(Similarity.L2, workers)) {
        assertEquals(List.of(), index.violations());
        double recall = rows.recall(index, rows.gaussianQueries(200, seed + 1), 10, 160);
        System.err.println("sorted recall=" + recall);
        assertTrue(recall >= 0.97, "recall " + recall);
      }
    }
  }

  /** A search that ends by distance finds what the wide beam finds, for fewer distances. */
  @ParameterizedTest
  @CsvSource({"L2, false", "L2, true", "COSINE, false", "COSINE, true"})
  void aSearchThatEndsByDistanceFindsAsMuch(Similarity similarity, boolean onVectors) {
    int dimension = 16;
    int k = 10;
    try (NativeRows rows = NativeRows.gaussian(dimension, 5_000, seed);
        HnswIndex index = rows.build(similarity, workers)) {
      SearchScratch scratch = new SearchScratch();
      long[] distances = new long[3];
      int[] same = new int[3];
      float[] reaches = {0, 0.01f, 0.5f};
      int queries = 100;
      for (int q = 0; q < queries; q++) {
        float[] query = rows.vector(q * 50);
        scratch.scoreOnCodes();
        if (onVectors) {
          float squaredNorm = rows.squaredNorm(q * 50);
          scratch.scoreOnVectors(query, squaredNorm, query.length);
        }
        Set<Integer> exact = new HashSet<>();
        for (int i = 0; i < reaches.length; i++) {
          scratch.neverStop();
          if (reaches[i] > 0) {
            scratch.stopBeyond(k, reaches[i]);
          }
          assertTrue(index.search(query, 400, scratch) >= k);
          distances[i] += scratch.distanceComputations();
          for (int hit = 0; hit < k; hit++) {
            int ordinal = HnswIndex.found(scratch, hit);
            same[i] += i == 0 || exact.contains(ordinal) ? 1 : 0;
            if (i == 0) {
              exact.add(ordinal);
            }
          }
        }
      }
      String figures = Arrays.toString(distances) + " distances, same " + Arrays.toString(same);
      assertTrue(distances[1] < distances[2] && distances[2] < distances[0], figures);
      assertTrue(same[1] < same[2] || same[1] == queries * k, figures);
      assertTrue(same[2] >= 0.98 * queries * k, figures);
    }
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void identicalVectorsAreAllReachedAndAnswersAreDistinct(Similarity similarity) {
    try (NativeRows rows = new NativeRows(20, 1000)) {
      float[] vector = new float[20];
      Arrays.fill(vector, 0.25f);
      for (int i = 0; i < 1000; i++) {
        rows.add(vector);
      }
      try (HnswIndex index = rows.build(similarity, workers)) {
        assertEquals(List.of(), index.violations());
        SearchScratch scratch = new SearchScratch();
        TopK found = rows.search(index, rows.query(vector), 100, 128, scratch);
        Set<Integer> distinct = new HashSet<>();
        for (int i = 0; i < found.size(); i++) {
          distinct.add(found.ordinal(i));
        }
        assertEquals(100, distinct.size());
        assertEquals(1000, index.search(rows.query(vector), 1000, scratch));
      }
    }
  }

  /** A beam that is full of copies of one vector hides nothing behind them. */
  @ParameterizedTest
  @CsvSource({"L2, 1", "L2, 2", "COSINE, 2", "INNER_PRODUCT, 2"})
  void aRowAmongCopiesOfAnotherIsFound(Similarity similarity, int threads) {
    int dimension = 32;
    int count = 10_000;
    int oneIn = 100;
    SplittableRandom random = new SplittableRandom(seed);
    float[] copied = unit(random, dimension);
    try (NativeRows rows = new NativeRows(dimension, count);
        Workers workers = new Workers(threads, "copies")) {
      for (int i = 0; i < count; i++) {
        rows.add(i % oneIn == 0 ? unit(random, dimension) : copied);
      }
      try (HnswIndex index = rows.build(similarity, workers)) {
        assertEquals(List.of(), index.violations());
        SearchScratch scratch = new SearchScratch();
        int lost = 0;
        for (int i = 0; i < count; i += oneIn) {
          lost += rows.search(index, rows.vector(i), 1, 10, scratch).ordinal(0) == i ? 0 : 1;
        }
        assertEquals(0, lost, "of " + count / oneIn);
        TopK found = rows.search(index, rows.query(copied), 1_000, 1_000, scratch);
        assertEquals(0, found.distance(999) - found.distance(0), 1e-5, "1,000 copies");
      }
    }
  }

  private static float[] unit(SplittableRandom random, int dimension) {
    float[] vector = NativeRows.gaussian(dimension, random);
    double squares = 0;
    for (float x : vector) {
      squares += x * x;
    }
    NativeRows.scale(vector, (float) (1 / Math.sqrt(squares)));
    return vector;
  }

  /** Every row stored some times over: neighbours are other rows, and all copies are found. */
  @ParameterizedTest
  @ValueSource(ints = {2, 5, 40})
  void copiesOfEveryRowAreFound(int copies) {
    int dimension = 16;
    int different = 2_000;
    SplittableRandom random = new SplittableRandom(seed);
    float[][] vectors = new float[different][];
    Arrays.setAll(vectors, i -> unit(random, dimension));
    try (NativeRows rows = new NativeRows(dimension, different * copies)) {
      for (int copy = 0; copy < copies; copy++) {
        for (float[] vector : vectors) {
          rows.add(vector);
        }
      }
      try (HnswIndex index = rows.build(Similarity.L2, workers)) {
        assertEquals(List.of(), index.violations());
        SearchScratch scratch = new SearchScratch();
        int found = 0;
        int queries = 200;
        for (int i = 0; i < queries; i++) {
          TopK nearest = rows.search(index, rows.vector(i), copies, 2 * copies + 60, scratch);
          for (int hit = 0; hit < nearest.size(); hit++) {
            found += nearest.distance(hit) == 0 ? 1 : 0;
          }
        }
        assertTrue(found >= 0.98 * queries * copies, found + " of " + queries * copies);
      }
    }
  }

  /** The more copies, the fewer of the nodes that a search expands lie in other clusters. */
  @ParameterizedTest
  @CsvSource({"50, 160, 0.97", "100, 320, 0.93"})
  void tightClustersAreAllFound(int copies, int ef, double floor) {
    int dimension = 32;
    SplittableRandom random = new SplittableRandom(seed);
    try (NativeRows rows = new NativeRows(dimension, 10_000)) {
      List<float[]> queries = new ArrayList<>();
      float[][] centres = new float[100][];
      for (int c = 0; c < centres.length; c++) {
        centres[c] = NativeRows.gaussian(dimension, random);
        queries.add(rows.query(centres[c]));
      }
      for (int copy = 0; copy < copies; copy++) {
        for (float[] centre : centres) {
          float[] vector = NativeRows.gaussian(dimension, random);
          for (int j = 0; j < dimension; j++) {
            vector[j] = centre[j] + 1e-4f * vector[j];
          }
          rows.add(vector);
        }
      }
      try (HnswIndex index = rows.build(Similarity.L2, workers)) {
        assertEquals(List.of(), index.violations());
        double recall = rows.recall(index, queries, 10, ef);
        System.err.println("clusters of " + copies + " recall=" + recall);
        assertTrue(recall >= floor, "recall " + recall);
      }
    }
  }

  @Test
  void tenThousandIdenticalVectorsAreAllReached() {
    int count = 10_000;
    float[] vector = NativeRows.gaussian(32, new SplittableRandom(seed));
    try (NativeRows rows = new NativeRows(32, count)) {
      for (int i = 0; i < count; i++) {
        rows.add(vector);
      }
      try (HnswIndex index = rows.build(Similarity.L2, workers)) {
        assertEquals(List.of(), index.violations());
        assertEquals(count, index.search(rows.query(vector), count, new SearchScratch()));
      }
    }
  }

  /** Among many copies all lists that took a new node may prune it again. */
  @ParameterizedTest
  @ValueSource(ints = {4, 8, 16})
  void everyCopyThatIsLinkedAloneIsNamedByAList(int m) {
    int count = 6000;
    float[] vector = NativeRows.gaussian(16, new SplittableRandom(seed));
    try (NativeRows rows = new NativeRows(16, count)) {
      for (int i = 0; i < count; i++) {
        rows.add(vector);
      }
      List<AutoCloseable> retired = new ArrayList<>();
      try (HnswIndex index = rows.index(Similarity.L2, m, workers, retired)) {
        int lost = 0;
        for (int node = 0; node < count; node++) {
          index.link(new int[] {node}, 1, count);
          NativeRows.closeAll(retired);
          lost += node == 0 || hasInEdge(index.graph(), node) ? 0 : 1;
        }
        assertEquals(0, lost);
      }
    }
  }

  private static boolean hasInEdge(HnswGraph graph, int node) {
    int[] list = new int[graph.maxDegree(0)];
    for (int other = node - 1; other >= 0; other--) {
      if (NeighborSelector.contains(list, graph.neighbors(0, other, list), node)) {
        return true;
      }
    }
    return false;
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void anOutlierDoesNotCostTheOtherRowsTheirRecall(Similarity similarity) {
    SplittableRandom random = new SplittableRandom(seed);
    try (NativeRows rows = new NativeRows(48, 3000)) {
      for (int i = 0; i < 3000; i++) {
        float[] vector = NativeRows.gaussian(48, random);
        if (i % 1000 == 500) {
          NativeRows.scale(vector, 1e4f);
        }
        rows.add(vector);
      }
      try (HnswIndex index = rows.build(similarity, workers)) {
        assertEquals(List.of(), index.violations());
        List<float[]> queries = rows.gaussianQueries(100, seed + 1);
        double recall = rows.recall(index, queries, 10, 160);
        System.err.println(similarity + " beside outliers recall=" + recall);
        assertTrue(recall >= 0.93, "recall " + recall);
        TopK found = rows.search(index, rows.vector(1500), 1, 160, new SearchScratch());
        if (similarity != Similarity.INNER_PRODUCT) {
          assertEquals(1500, found.ordinal(0), "the outlier itself");
        }
      }
    }
  }

  /** A fit to a sample smaller than the graph was once taken for a fit to a smaller graph. */
  @ParameterizedTest
  @ValueSource(ints = {64, 1024})
  void theQuantizerIsFittedAnewWhenTheGraphHasDoubled(int dimension) {
    int size = 5000;
    assertTrue(QuantizerTrainer.sampleSize(size, 1024) < size / 2);
    try (NativeRows rows = NativeRows.gaussian(dimension, size, seed)) {
      List<AutoCloseable> retired = new ArrayList<>();
      try (HnswIndex index = rows.index(Similarity.L2, 4, workers, retired)) {
        CodeTable codes = index.codes();
        List<Integer> fittedAt = new ArrayList<>();
        for (int at = 0; at < size; at += 250) {
          index.link(IntStream.range(at, at + 250).toArray(), 250, at + 250);
          if (index.codes() != codes) {
            codes = index.codes();
            fittedAt.add(at);
          }
        }
        assertEquals(List.of(0, 500, 1500, 3500), fittedAt);
        NativeRows.closeAll(retired);
      }
    }
  }

  @Test
  void rowsFarBeyondTheFirstFitFindThemselves() {
    int dimension = 16;
    SplittableRandom random = new SplittableRandom(seed);
    for (boolean grows : new boolean[] {true, false}) {
      try (NativeRows rows = new NativeRows(dimension, 6000)) {
        for (int i = 0; i < 6000; i++) {
          float[] vector = NativeRows.gaussian(dimension, random);
          if (grows) {
            NativeRows.scale(vector, 1 + i / 60f); // from 1 to 100 times as long
          } else {
            for (int j = 0; j < dimension; j++) {
              vector[j] += i / 100f; // from 0 to 60 standard deviations away
            }
          }
          rows.add(vector);
        }
        try (HnswIndex index = rows.build(Similarity.L2, workers)) {
          assertEquals(List.of(), index.violations());
          SearchScratch scratch = new SearchScratch();
          int missed = 0;
          for (int i = 1000; i < 6000; i += 7) {
            missed += rows.search(index, rows.vector(i), 1, 128, scratch).ordinal(0) == i ? 0 : 1;
          }
          assertTrue(missed <= 3, "grows=" + grows + " missed " + missed + " of 715");
        }
      }
    }
  }

  @Test
  void innerProductAnswersFollowNormsBeyondTheFirstFit() {
    SplittableRandom random = new SplittableRandom(seed);
    try (NativeRows rows = new NativeRows(32, 3000)) {
      for (int i = 0; i < 3000; i++) {
        float[] vector = NativeRows.gaussian(32, random);
        NativeRows.scale(vector, i < 300 ? 0.01f : 1 + i / 300f);
        rows.add(vector);
      }
      try (HnswIndex index = rows.build(Similarity.INNER_PRODUCT, workers)) {
        assertEquals(List.of(), index.violations());
        double recall = rows.recall(index, rows.gaussianQueries(200, seed + 1), 10, 160);
        System.err.println("growing norms recall=" + recall);
        assertTrue(recall >= 0.9, "recall " + recall);
      }
    }
  }

  @Test
  void batchesOfScatteredOrdinalsAreSound() {
    int size = 3000;
    try (NativeRows rows = NativeRows.gaussian(16, size, seed)) {
      List<AutoCloseable> retired = new ArrayList<>();
      try (HnswIndex index = rows.index(Similarity.L2, NativeRows.M, workers, retired)) {
        int[] order = shuffled(size, seed);
        int half = size / 2;
        for (int at = 0; at < half; at += 100) {
          index.link(Arrays.copyOfRange(order, at, at + 100), 100, size);
        }
        index.sweep();
        assertEquals(List.of(), index.violations());
        Set<Integer> linked = new HashSet<>();
        for (int i = 0; i < half; i++) {
          linked.add(order[i]);
        }
        SearchScratch scratch = new SearchScratch();
        for (int i = 0; i < size; i += 5) {
          assertEquals(linked.contains(i), index.graph().isLinked(i));
          int found = index.search(rows.vector(i), 64, scratch);
          assertEquals(64, found);
          for (int j = 0; j < found; j++) {
            assertTrue(linked.contains(HnswIndex.found(scratch, j)));
          }
        }
        index.link(new int[0], 0, size);
        assertEquals(half, index.linkedCount());
        NativeRows.closeAll(retired);
      }
    }
  }

  @Test
  void aWiderBeamFindsMoreAndCountsItsWork() {
    try (NativeRows rows = NativeRows.gaussian(32, 4000, seed);
        HnswIndex index = rows.build(Similarity.L2, workers)) {
      List<float[]> queries = rows.gaussianQueries(100, seed + 1);
      double narrow = rows.recall(index, queries, 10, 10);
      double wide = rows.recall(index, queries, 10, 300);
      assertTrue(wide >= narrow && wide >= 0.98, narrow + " " + wide);
      SearchScratch scratch = new SearchScratch();
      index.search(queries.getFirst(), 10, scratch);
      long few = scratch.distanceComputations();
      assertTrue(few > 0 && few < 4000, "few=" + few);
      assertTrue(scratch.nodesVisited() >= 10);
      index.search(queries.getFirst(), 300, scratch);
      assertTrue(scratch.distanceComputations() > few);
    }
  }

  /** Both once: a visited set too small for the new nodes, and codes that they do not have. */
  @Test
  void aSearchHeldUpByBatchesAndRefitsMeetsNoneOfTheirNodes() {
    try (NativeRows rows = NativeRows.gaussian(16, 3000, seed)) {
      List<AutoCloseable> retired = new ArrayList<>();
      try (HnswIndex index = rows.index(Similarity.L2, NativeRows.M, workers, retired)) {
        rows.link(index, retired, 0, 100);
        HnswGraph graph = index.graph();
        long entry = graph.entry();
        int bound = graph.bound();
        CodeTable codes = index.codes();
        SearchScratch scratch = new SearchScratch();
        codes.quantizer().encodeQuery(rows.vector(3), scratch.query(codes.dims()), new float[16]);
        scratch.begin(bound, 64);
        for (int at = 100; at < 3000; at += 100) {
          index.link(IntStream.range(at, at + 100).toArray(), 100, at + 100);
        }
        assertTrue(index.codes() != codes, "refitted");
        HnswSearcher.seed(scratch, HnswSearcher.key(HnswSearcher.distance(codes, 3, scratch), 3));
        HnswSearcher.searchLayer(graph, codes, 0, 64, scratch);
        assertBelow(bound, scratch);
        HnswSearcher.search(graph, entry, bound, codes, 64, scratch);
        assertBelow(bound, scratch);
        NativeRows.closeAll(retired);
      }
    }
  }

  private static void assertBelow(int bound, SearchScratch scratch) {
    assertTrue(scratch.poolSize > 0);
    for (int i = 0; i < scratch.poolSize; i++) {
      assertTrue(HnswIndex.found(scratch, i) < bound);
    }
  }

  static int[] shuffled(int size, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] order = new int[size];
    Arrays.setAll(order, i -> i);
    for (int i = size - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int moved = order[i];
      order[i] = order[other];
      order[other] = moved;
    }
    return order;
  }
}
