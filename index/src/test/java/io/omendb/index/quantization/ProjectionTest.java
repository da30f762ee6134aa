package io.omendb.index.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.distance.Panel;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToLongFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where rows differ in few directions, their distances stay; whatever they are, nothing fails. */
class ProjectionTest {
  private static final int ROWS = 32 * Panel.LANES;
  private static final int DIMS = 160;
  private static final int COMPONENTS = 48;
  private static final int MIDDLE = 64;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);

  /** Codes of rows, and their projections, in native memory. */
  private final class Rows implements AutoCloseable {
    private final AddressSpace space = AddressSpace.reserve((long) ROWS * (DIMS + COMPONENTS));

    Rows() {
      System.err.println("ProjectionTest seed=" + seed);
      space.commit(space.bytes());
    }

    long code(int row) {
      return space.address() + (long) row * DIMS;
    }

    long projected(int row) {
      return code(ROWS) + (long) row * COMPONENTS;
    }

    private long[] panel(int first, IntToLongFunction address) {
      long[] rows = new long[Panel.LANES];
      Arrays.setAll(rows, lane -> address.applyAsLong(first + lane));
      return rows;
    }

    void project() {
      Projection projection = new Projection(DIMS, COMPONENTS);
      for (int pass = 0; pass < Projection.PASSES; pass++) {
        for (int first = 0; first < ROWS; first += Panel.LANES) {
          projection.add(panel(first, this::code));
        }
        projection.endPass();
      }
      Projection.Scratch scratch = projection.newScratch();
      for (int first = 0; first < ROWS; first += Panel.LANES) {
        projection.project(
            panel(first, this::code), panel(first, this::projected), Panel.LANES, scratch);
      }
    }

    double squaredDistance(long a, long b, int length) {
      double sum = 0;
      for (int k = 0; k < length; k++) {
        double difference = Memory.getByte(a + k) - Memory.getByte(b + k);
        sum += difference * difference;
      }
      return sum;
    }

    @Override
    public void close() {
      space.close();
    }
  }

  /** Rows of some directions with rounding errors, which are in all. */
  private void fill(Rows rows, int directions) {
    float[][] basis = new float[directions][DIMS];
    for (float[] direction : basis) {
      for (int k = 0; k < DIMS; k++) {
        direction[k] = (float) (random.nextGaussian() * 20 / Math.sqrt(directions));
      }
    }
    for (int row = 0; row < ROWS; row++) {
      float[] sum = new float[DIMS];
      for (float[] direction : basis) {
        float factor = (float) random.nextGaussian();
        for (int k = 0; k < DIMS; k++) {
          sum[k] += factor * direction[k];
        }
      }
      for (int k = 0; k < DIMS; k++) {
        int code = Math.clamp(Math.round(MIDDLE + sum[k]), 0, Quantizer.MAX_CODE);
        Memory.putByte(rows.code(row) + k, (byte) code);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 30})
  void distancesStayWhereRowsDifferInFewDirections(int directions) {
    try (Rows rows = new Rows()) {
      fill(rows, directions);
      rows.project();
      double codes = 0;
      double projected = 0;
      double products = 0;
      for (int i = 0; i < 4_000; i++) {
        int a = random.nextInt(ROWS);
        int b = random.nextInt(ROWS);
        double ofCodes = rows.squaredDistance(rows.code(a), rows.code(b), DIMS);
        double of = rows.squaredDistance(rows.projected(a), rows.projected(b), COMPONENTS);
        codes += ofCodes * ofCodes;
        projected += of * of;
        products += of * ofCodes;
      }
      double cosine = products / Math.sqrt(codes * projected);
      assertTrue(cosine > 0.999, directions + " directions: " + cosine);
    }
  }

  /** Rows that are all one leave nothing to project to. */
  @Test
  void copiesAreOnePoint() {
    try (Rows rows = new Rows()) {
      for (int row = 0; row < ROWS; row++) {
        for (int k = 0; k < DIMS; k++) {
          Memory.putByte(rows.code(row) + k, (byte) (k % 128));
        }
      }
      rows.project();
      for (int row = 1; row < ROWS; row++) {
        assertEquals(0, rows.squaredDistance(rows.projected(0), rows.projected(row), COMPONENTS));
      }
    }
  }
}
