package io.omendb.index.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.distance.Kernels;
import io.omendb.index.hnsw.NativeRows;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuantizerTrainerTest {
  private final long seed = Long.getLong("seed", System.nanoTime());

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void theSameRowsGiveTheSameFit(Similarity similarity) {
    System.err.println("QuantizerTrainerTest seed=" + seed);
    try (NativeRows rows = NativeRows.gaussian(24, 3000, seed)) {
      Quantizer one = QuantizerTrainer.fit(similarity, 24, 3000, rows::row);
      Quantizer two = QuantizerTrainer.fit(similarity, 24, 3000, rows::row);
      assertEquals(one.scale(), two.scale());
      assertEquals(one.normBound(), two.normBound());
      assertArrayEquals(one.low(), two.low());
      assertEquals(similarity, one.similarity());
      assertEquals(24, one.dimension());
    }
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void aFitToNormalRowsClipsLittleAndWastesLittle(Similarity similarity) {
    int count = 4000;
    try (NativeRows rows = NativeRows.gaussian(24, count, seed)) {
      Quantizer quantizer = QuantizerTrainer.fit(similarity, 24, count, rows::row);
      long clipped = 0;
      try (CodeTable table = new CodeTable(quantizer, 1 << 24)) {
        table.ensure(count);
        for (int i = 0; i < count; i++) {
          clipped += table.encode(i, rows.row(i), rows.squaredNorm(i), new float[rows.dimension()]);
        }
      }
      double share = clipped / (24.0 * count);
      assertTrue(share < 0.01, similarity + " clips " + share + ", seed " + seed);
      if (similarity == Similarity.L2) {
        double halfWidth = 127 / (2 * quantizer.scale());
        assertTrue(halfWidth > 2 && halfWidth < 5.5, "half-width " + halfWidth);
      }
    }
  }

  @Test
  void eachDimensionIsCentredOnItsOwnBulk() {
    SplittableRandom random = new SplittableRandom(seed);
    try (NativeRows rows = new NativeRows(16, 2000)) {
      for (int i = 0; i < 2000; i++) {
        float[] vector = new float[16];
        for (int j = 0; j < 16; j++) {
          vector[j] = 100 * j + (float) random.nextDouble(-1, 1);
        }
        rows.add(vector);
      }
      Quantizer quantizer = QuantizerTrainer.fit(Similarity.L2, 16, 2000, rows::row);
      float halfWidth = 127 / (2 * quantizer.scale());
      assertTrue(halfWidth < 1.2, "the offsets cost no resolution: " + halfWidth);
      for (int j = 0; j < 16; j++) {
        assertEquals(100 * j, quantizer.low()[j] + halfWidth, 0.1);
      }
    }
  }

  /** One bad row in a hundred, or one in a few, must not take the codes of the others away. */
  @ParameterizedTest
  @EnumSource(Similarity.class)
  void outliersDoNotCoarsenTheCodes(Similarity similarity) {
    SplittableRandom random = new SplittableRandom(seed);
    for (int count : new int[] {20, 300, 3000}) {
      try (NativeRows rows = new NativeRows(24, count);
          NativeRows clean = new NativeRows(24, count)) {
        for (int i = 0; i < count; i++) {
          float[] vector = NativeRows.gaussian(24, random);
          clean.add(vector);
          if (i % Math.max(150, count / 10) == 7) {
            for (int j = 0; j < 24; j++) {
              vector[j] *= 1e5f;
            }
          }
          rows.add(vector);
        }
        float with = QuantizerTrainer.fit(similarity, 24, count, rows::row).scale();
        float without = QuantizerTrainer.fit(similarity, 24, count, clean::row).scale();
        assertEquals(without, with, 0.2 * without, count + " rows, seed " + seed);
      }
    }
  }

  /** Where nearly all rows are alike, the others are the data. */
  @Test
  void aFewRowsBesideManyEqualOnesAreNoOutliers() {
    SplittableRandom random = new SplittableRandom(seed);
    try (NativeRows rows = new NativeRows(24, 2000)) {
      for (int i = 0; i < 2000; i++) {
        rows.add(i % 200 == 0 ? NativeRows.gaussian(24, random) : new float[24]);
      }
      Quantizer quantizer = QuantizerTrainer.fit(Similarity.L2, 24, 2000, rows::row);
      double halfWidth = 127 / (2 * quantizer.scale());
      assertTrue(halfWidth > 1 && halfWidth < 5.5, "half-width " + halfWidth);
    }
  }

  @Test
  void innerProductHasZeroInTheMiddleAndRoomForLongerRows() {
    try (NativeRows rows = NativeRows.ofManyNorms(16, 2000, seed)) {
      Quantizer quantizer = QuantizerTrainer.fit(Similarity.INNER_PRODUCT, 16, 2000, rows::row);
      float halfWidth = 127 / (2 * quantizer.scale());
      for (float low : quantizer.low()) {
        assertEquals(-halfWidth, low, 1e-4 * halfWidth);
      }
      float longest = 0;
      for (int i = 0; i < 2000; i++) {
        longest = Math.max(longest, rows.squaredNorm(i));
      }
      assertTrue(quantizer.normBound() > Math.sqrt(longest));
    }
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void constantRowsHaveOneCodeAndNoDistance(Similarity similarity) {
    try (NativeRows rows = new NativeRows(40, 300)) {
      float[] vector = new float[40];
      Arrays.fill(vector, 0.125f);
      for (int i = 0; i < 300; i++) {
        rows.add(vector);
      }
      Quantizer quantizer = QuantizerTrainer.fit(similarity, 40, 300, rows::row);
      assertTrue(Float.isFinite(quantizer.scale()) && quantizer.scale() > 0);
      try (CodeTable table = new CodeTable(quantizer, 1 << 20)) {
        table.ensure(2);
        assertEquals(0, table.encode(0, rows.row(0), rows.squaredNorm(0), new float[40]));
        assertEquals(0, table.encode(1, rows.row(299), rows.squaredNorm(299), new float[40]));
        assertEquals(0, Kernels.squaredL2(table.row(0), table.row(1), 64));
      }
    }
  }

  @Test
  void oneRowIsEnough() {
    try (NativeRows rows = NativeRows.gaussian(8, 1, seed)) {
      for (Similarity similarity : Similarity.values()) {
        Quantizer quantizer = QuantizerTrainer.fit(similarity, 8, 1, rows::row);
        assertTrue(Float.isFinite(quantizer.scale()) && quantizer.scale() > 0, similarity.name());
      }
    }
  }

  @Test
  void samplesAreBoundedInRowsAndInValues() {
    assertEquals(10, QuantizerTrainer.sampleSize(10, 8192));
    assertEquals(256, QuantizerTrainer.sampleSize(1_000_000, 8192));
    assertEquals(256, QuantizerTrainer.sampleSize(257, 8192));
    assertEquals(1 << 14, QuantizerTrainer.sampleSize(1_000_000, 128));
    assertEquals(1 << 14, QuantizerTrainer.sampleSize(1_000_000, 1));
    assertEquals(1365, QuantizerTrainer.sampleSize(1_000_000, 1536));
  }

  @Test
  void aSampleIsSpreadOverAllRows() {
    try (NativeRows rows = NativeRows.gaussian(8192, 2, seed)) {
      int available = 1000;
      boolean[] quarters = new boolean[4];
      int[] asked = {0};
      QuantizerTrainer.fit(
          Similarity.L2,
          8192,
          available,
          i -> {
            asked[0]++;
            quarters[4 * i / available] = true;
            return rows.row(i & 1);
          });
      assertEquals(256, asked[0]);
      assertArrayEquals(new boolean[] {true, true, true, true}, quarters);
    }
  }
}
