package io.omendb.index.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.SiftSmall;
import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.distance.Kernels;
import io.omendb.index.hnsw.NativeRows;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizerTest {
  private static final int DIMENSION = 50;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final AddressSpace space = AddressSpace.reserve(1 << 16);
  private final long row = space.address();
  private final long codes = space.address() + (1 << 15);

  @BeforeEach
  void commit() {
    System.err.println("QuantizerTest seed=" + seed);
    space.commit(1 << 16);
  }

  @AfterEach
  void close() {
    space.close();
  }

  @Test
  void aCodeIsWithinHalfAStepOfWhatItStandsFor() {
    Quantizer quantizer = l2();
    float step = 1 / quantizer.scale();
    for (int round = 0; round < 200; round++) {
      float[] vector = new float[DIMENSION];
      for (int j = 0; j < DIMENSION; j++) {
        vector[j] = quantizer.low()[j] + (float) random.nextDouble(0, 127) * step;
      }
      assertEquals(0, encode(quantizer, vector));
      for (int j = 0; j < DIMENSION; j++) {
        float decoded = quantizer.low()[j] + Memory.getByte(codes + j) * step;
        assertEquals(vector[j], decoded, 0.5001 * step);
      }
    }
  }

  @Test
  void countsAndClampsWhatIsOutside() {
    Quantizer quantizer = l2();
    float step = 1 / quantizer.scale();
    float[] vector = new float[DIMENSION];
    for (int j = 0; j < DIMENSION; j++) {
      vector[j] = quantizer.low()[j] + 60 * step;
    }
    vector[0] = quantizer.low()[0] - 2 * step;
    vector[7] = quantizer.low()[7] + 130 * step;
    vector[8] = 1e30f;
    vector[DIMENSION - 1] = -1e30f;
    assertEquals(4, encode(quantizer, vector));
    assertEquals(0, Memory.getByte(codes));
    assertEquals(127, Memory.getByte(codes + 7));
    assertEquals(127, Memory.getByte(codes + 8));
    assertEquals(0, Memory.getByte(codes + DIMENSION - 1));
    assertEquals(60, Memory.getByte(codes + 1));
  }

  @Test
  void encodingLeavesTheBytesBehindTheDimension() {
    Memory.fill(codes, 128, (byte) 99);
    encode(l2(), new float[DIMENSION]);
    for (int j = DIMENSION; j < 128; j++) {
      assertEquals(99, Memory.getByte(codes + j));
    }
  }

  @Test
  void aQueryHasTheCodesOfTheSameRowAndZeroPadding() {
    Quantizer quantizer = l2();
    for (int round = 0; round < 100; round++) {
      float[] vector = NativeRows.gaussian(DIMENSION, random);
      encode(quantizer, vector);
      byte[] query = new byte[quantizer.paddedCodes() + 3];
      Arrays.fill(query, (byte) 77);
      quantizer.encodeQuery(vector, query, new float[vector.length]);
      for (int j = 0; j < DIMENSION; j++) {
        assertEquals(Memory.getByte(codes + j), query[j]);
      }
      for (int j = DIMENSION; j < quantizer.paddedCodes(); j++) {
        assertEquals(0, query[j]);
      }
      assertEquals(77, query[quantizer.paddedCodes()]);
    }
  }

  @Test
  void cosineDoesNotSeeLength() {
    Quantizer quantizer = centred(Similarity.COSINE, 0, 127 / 1.0f);
    for (int round = 0; round < 100; round++) {
      float[] vector = NativeRows.gaussian(DIMENSION, random);
      encode(quantizer, vector);
      byte[] first = read();
      byte[] query = query(quantizer, vector);
      for (float factor : new float[] {4, 0x1p-20f, 1e6f, 0.37f}) {
        float[] scaled = vector.clone();
        for (int j = 0; j < DIMENSION; j++) {
          scaled[j] *= factor;
        }
        encode(quantizer, scaled);
        byte[] scaledQuery = query(quantizer, scaled);
        for (int j = 0; j < DIMENSION; j++) {
          // Rounding of the norm may move what lies between two codes.
          assertEquals(first[j], Memory.getByte(codes + j), 1);
          assertEquals(query[j], scaledQuery[j], 1);
          assertEquals(first[j], query[j], 1);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void aZeroQueryHasTheCodesOfZero(Similarity similarity) {
    Quantizer quantizer = centred(similarity, 10, 127 / 8f);
    byte[] query = query(quantizer, new float[DIMENSION]);
    for (int j = 0; j < DIMENSION; j++) {
      assertEquals(63.5, query[j], 0.5);
    }
  }

  @Test
  void aBiasIsTheSquaredNormInCodesAndBounded() {
    Quantizer quantizer = centred(Similarity.INNER_PRODUCT, 10, 3);
    assertEquals(0, quantizer.bias(0));
    assertEquals(9 * 25, quantizer.bias(25));
    assertEquals(9 * 100, quantizer.shift());
    assertEquals(1 << 29, quantizer.bias(Float.MAX_VALUE));
  }

  @Test
  void innerProductCodesDoNotSeeTheLengthOfAQuery() {
    Quantizer quantizer = centred(Similarity.INNER_PRODUCT, 10, 3);
    float[] vector = NativeRows.gaussian(DIMENSION, random);
    byte[] first = query(quantizer, vector);
    for (int j = 0; j < DIMENSION; j++) {
      vector[j] *= 1024;
    }
    assertArrayEquals(first, query(quantizer, vector));
    int largest = 0;
    for (int j = 0; j < DIMENSION; j++) {
      largest = Math.max(largest, Math.abs(2 * first[j] - 127));
    }
    assertTrue(largest >= 126, "the largest component takes the whole range: " + largest);
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void codeDistancesOrderRowsAsTheSimilarityDoes(Similarity similarity) {
    int dimension = 64;
    int count = 2000;
    int queries = 50;
    try (NativeRows rows =
        similarity == Similarity.INNER_PRODUCT
            ? NativeRows.ofManyNorms(dimension, count, seed)
            : NativeRows.gaussian(dimension, count, seed)) {
      Quantizer quantizer = QuantizerTrainer.fit(similarity, dimension, count, rows::row);
      try (CodeTable table = new CodeTable(quantizer, 1 << 24)) {
        table.ensure(count);
        for (int i = 0; i < count; i++) {
          int clipped =
              table.encode(i, rows.row(i), rows.squaredNorm(i), new float[rows.dimension()]);
          assertTrue(clipped <= dimension);
        }
        int hits = 0;
        for (int q = 0; q < queries; q++) {
          float[] query = rows.query(NativeRows.gaussian(dimension, random));
          TopK exact = rows.nearest(similarity, query, 10, count);
          TopK byCode = scan(table, query, count);
          for (int i = 0; i < 10; i++) {
            for (int j = 0; j < 10; j++) {
              hits += byCode.ordinal(i) == exact.ordinal(j) ? 1 : 0;
            }
          }
        }
        double recall = hits / (10.0 * queries);
        assertTrue(recall >= 0.9, similarity + " recall@10 of the codes: " + recall);
      }
    }
  }

  /** Real vectors, as they are and with norms that spread by ten. */
  @ParameterizedTest
  @CsvSource({
    "L2, 1, 0.95",
    "COSINE, 1, 0.95",
    "INNER_PRODUCT, 1, 0.95",
    "L2, 10, 0.9",
    "COSINE, 10, 0.95",
    "INNER_PRODUCT, 10, 0.95"
  })
  void codesAloneFindTheNearestRealVectors(Similarity similarity, double spread, double floor)
      throws IOException {
    float[][] base = SiftSmall.base();
    int dimension = SiftSmall.DIMENSION;
    int count = 4000;
    try (NativeRows rows = new NativeRows(dimension, count)) {
      for (int i = 0; i < count; i++) {
        float factor = (float) Math.pow(spread, random.nextDouble());
        for (int j = 0; j < dimension; j++) {
          base[i][j] *= factor;
        }
        rows.add(base[i]);
      }
      Quantizer quantizer = QuantizerTrainer.fit(similarity, dimension, count, rows::row);
      try (CodeTable table = new CodeTable(quantizer, 1 << 24)) {
        table.ensure(count);
        for (int i = 0; i < count; i++) {
          table.encode(i, rows.row(i), rows.squaredNorm(i), new float[rows.dimension()]);
        }
        int hits = 0;
        float[][] queries = SiftSmall.queries();
        for (float[] query : queries) {
          TopK exact = rows.nearest(similarity, query, 10, count);
          TopK byCode = scan(table, query, count);
          for (int i = 0; i < 10; i++) {
            hits +=
                rows.distance(similarity, query, byCode.ordinal(i)) <= exact.distance(9) ? 1 : 0;
          }
        }
        double recall = hits / (10.0 * queries.length);
        System.err.println(similarity + " spread " + spread + ": recall@10 of codes " + recall);
        assertTrue(recall >= floor, "recall@10 of the codes: " + recall);
      }
    }
  }

  /** The ten nearest by code distance, all rows measured as a search measures a list. */
  private static TopK scan(CodeTable table, float[] query, int count) {
    byte[] codes = new byte[table.dims()];
    table.quantizer().encodeQuery(query, codes, new float[query.length]);
    int[] ordinals = new int[count];
    Arrays.setAll(ordinals, i -> i);
    int[] distances = new int[count];
    int touched =
        Kernels.squaredL2(
            codes, table.address(), table.stride(), table.dims(), ordinals, count, distances);
    if (table.quantizer().biased()) {
      table.applyBiases(ordinals, count, distances);
    }
    TopK nearest = new TopK();
    nearest.reset(10);
    for (int i = 0; i < count; i++) {
      assertTrue(distances[i] >= 0, "negative, touched " + touched);
      nearest.offer(distances[i], i);
    }
    return nearest;
  }

  @Test
  void aRowBeyondTheNormBoundCountsAsClippedWhole() {
    Quantizer quantizer = centred(Similarity.INNER_PRODUCT, 10, 127 / 1000f);
    try (CodeTable table = new CodeTable(quantizer, 1 << 20)) {
      table.ensure(2);
      float[] vector = new float[DIMENSION];
      vector[0] = 9;
      Memory.writeFloats(vector, 0, row, DIMENSION);
      assertEquals(0, table.encode(0, row, 81, new float[DIMENSION]));
      assertEquals(quantizer.bias(81), table.bias(0));
      vector[0] = 20;
      Memory.writeFloats(vector, 0, row, DIMENSION);
      assertEquals(DIMENSION, table.encode(1, row, 400, new float[DIMENSION]));
      int[] distances = {0, 0};
      table.applyBiases(new int[] {0, 1}, 2, distances);
      assertEquals(quantizer.shift() - table.bias(0), distances[0]);
      assertEquals(0, distances[1]);
    }
  }

  @Test
  void tableRowsStartOnACacheLineUnlessTwoFitOne() {
    try (CodeTable narrow = new CodeTable(of(Similarity.L2, 20), 1 << 16);
        CodeTable wide = new CodeTable(of(Similarity.L2, 100), 1 << 16)) {
      assertEquals(32, narrow.stride());
      assertEquals(128, wide.stride());
      assertEquals(128, wide.dims());
      assertEquals(wide.address() + 3 * 128, wide.row(3));
    }
  }

  @Test
  void refusesALowOfAnotherLength() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new Quantizer(Similarity.L2, 3, 0, 1, new float[] {1, 2}));
  }

  private static Quantizer of(Similarity similarity, int dimension) {
    return new Quantizer(similarity, dimension, 0, 1, new float[dimension]);
  }

  private Quantizer l2() {
    float[] low = new float[DIMENSION];
    for (int j = 0; j < DIMENSION; j++) {
      low[j] = (float) random.nextDouble(-5, 5);
    }
    return new Quantizer(Similarity.L2, DIMENSION, 0, 20, low);
  }

  /** Zero in the middle of the codes. */
  private static Quantizer centred(Similarity similarity, float normBound, float scale) {
    float[] low = new float[DIMENSION];
    Arrays.fill(low, -63.5f / scale);
    return new Quantizer(similarity, DIMENSION, normBound, scale, low);
  }

  private int encode(Quantizer quantizer, float[] vector) {
    float squares = 0;
    for (float x : vector) {
      squares += x * x;
    }
    Memory.writeFloats(vector, 0, row, DIMENSION);
    return quantizer.encode(row, squares, codes, new float[quantizer.dimension()]);
  }

  private byte[] read() {
    byte[] bytes = new byte[DIMENSION];
    Memory.read(codes, bytes, 0, DIMENSION);
    return bytes;
  }

  private static byte[] query(Quantizer quantizer, float[] vector) {
    byte[] target = new byte[quantizer.paddedCodes()];
    quantizer.encodeQuery(vector, target, new float[vector.length]);
    return target;
  }
}
