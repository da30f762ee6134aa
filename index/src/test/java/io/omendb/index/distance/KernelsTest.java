package io.omendb.index.distance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kernels of this process against their specification in plain loops. */
class KernelsTest {
  private static final int MAX_DIMS = 8192;
  private static final int MAX_CODE = 127;
  private static final long ROW = 1 << 16;
  private static final int[] BLOCK_DIMS = {32, 64, 96, 128, 160, 416, 1024, 4096, 4128, 8192};

  /** Half a unit in the last place of 1. */
  private static final double ROUNDING = 0x1p-24;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final AddressSpace space = AddressSpace.reserve(16 * ROW);

  @BeforeEach
  void commit() {
    System.err.println("KernelsTest seed=" + seed);
    space.commit(2 * ROW);
  }

  @AfterEach
  void close() {
    space.close();
  }

  @Test
  void codesAreExactAtEveryPaddedDimensionAndAlignment() {
    for (int dims = Kernels.CODE_BLOCK; dims <= MAX_DIMS; dims += Kernels.CODE_BLOCK) {
      long a = space.address() + random.nextInt(64);
      long b = space.address() + ROW + random.nextInt(64);
      for (int i = 0; i < dims; i++) {
        Memory.putByte(a + i, (byte) random.nextInt(128));
        Memory.putByte(b + i, (byte) random.nextInt(128));
      }
      assertCodes(a, b, dims);
    }
  }

  @Test
  void extremeCodesOverflowNoLane() {
    for (int dims = Kernels.CODE_BLOCK; dims <= MAX_DIMS; dims *= 2) {
      long a = space.address();
      long b = space.address() + ROW;
      Memory.fill(a, dims, (byte) MAX_CODE);
      Memory.fill(b, dims, (byte) 0);
      assertEquals(dims * MAX_CODE * MAX_CODE, Kernels.squaredL2(a, b, dims));
      assertCodes(a, b, dims);
      assertCodes(b, a, dims);
      Memory.fill(b, dims, (byte) MAX_CODE);
      assertEquals(0, Kernels.squaredL2(a, b, dims));
      assertCodes(a, b, dims);
    }
  }

  @Test
  void estimatesOfBlocksAreThoseOfThePlainLoops() {
    for (int dims : BLOCK_DIMS) {
      Block block = new Block(dims, 1 + random.nextInt(FastScan.COLUMNS));
      int distance = random.nextInt(MAX_CODE * MAX_CODE);
      int bound = random.nextInt(2 * MAX_CODE * MAX_CODE);
      float[] estimates = new float[FastScan.COLUMNS];
      float[] plain = new float[FastScan.COLUMNS];
      int below = FastScan.scan(block.address, block.query, distance, bound, estimates);
      assertEquals(block.plain(distance, bound, plain), below, "dims " + dims);
      for (int column = 0; column < block.count; column++) {
        assertEquals(plain[column], estimates[column], "dims " + dims + ", column " + column);
        assertEquals(estimates[column] < bound, (below >>> column & 1) != 0);
      }
      assertEquals(0, block.count == FastScan.COLUMNS ? 0 : below >>> block.count, "no row there");
    }
  }

  /** Of a residual whose components are all as long, the signs are all there is to know. */
  @Test
  void estimatesAreExactWhereTheSignsSayAll() {
    for (int dims : BLOCK_DIMS) {
      Block block = new Block(dims, FastScan.COLUMNS);
      for (int row = 0; row < FastScan.COLUMNS; row++) {
        int length = 1 + random.nextInt(40);
        for (int j = 0; j < block.dimension; j++) {
          int sign = random.nextBoolean() ? length : -length;
          Memory.putByte(block.row(row) + j, (byte) (Memory.getByte(block.centre + j) + sign));
        }
      }
      block.write();
      float[] estimates = new float[FastScan.COLUMNS];
      int distance = Kernels.squaredL2(block.queryCodes, block.centre, dims);
      assertEquals(
          -1, FastScan.scan(block.address, block.query, distance, Integer.MAX_VALUE, estimates));
      for (int row = 0; row < FastScan.COLUMNS; row++) {
        int exact = Kernels.squaredL2(block.queryCodes, block.row(row), dims);
        // Entries have 6 bits, 3 of them beyond 4096 dimensions, addend and factor 8.
        assertEquals(exact, estimates[row], 0.1F * (distance + exact), "dims " + dims);
      }
    }
  }

  @Test
  void extremeCodesOverflowNoSumOfABlock() {
    for (int dims : BLOCK_DIMS) {
      Block block = new Block(dims, FastScan.COLUMNS);
      for (int row = 0; row < FastScan.COLUMNS; row++) {
        Memory.fill(block.row(row), dims, (byte) (row % 2 == 0 ? MAX_CODE : 0));
      }
      Memory.fill(block.centre, dims, (byte) 1);
      Arrays.fill(block.queryCodes, (byte) MAX_CODE);
      block.write();
      float[] estimates = new float[FastScan.COLUMNS];
      float[] plain = new float[FastScan.COLUMNS];
      int below = FastScan.scan(block.address, block.query, 7, Integer.MAX_VALUE, estimates);
      assertEquals(block.plain(7, Integer.MAX_VALUE, plain), below);
      assertArrayEquals(plain, estimates, "dims " + dims);
      assertTrue(estimates[0] < estimates[1], "the even rows are the query, the odd ones are not");
    }
  }

  @Test
  void signsOfResidualsAreThoseOfThePlainLoops() {
    for (int dims : BLOCK_DIMS) {
      Block block = new Block(dims, FastScan.COLUMNS);
      int words = (dims + Long.SIZE - 1) / Long.SIZE;
      long[] signs = new long[words + 1];
      long[] plainSigns = new long[words + 1];
      int[] sums = new int[2];
      int[] plainSums = new int[2];
      ScalarKernels.residual(block.centre, block.row(0), dims, plainSigns, 1, plainSums);
      if (VectorWidth.current() != VectorWidth.SCALAR) {
        SimdKernels.residual(block.centre, block.row(0), dims, signs, 1, sums);
        assertArrayEquals(plainSigns, signs);
        assertArrayEquals(plainSums, sums);
      }
      for (int j = 0; j < dims; j++) {
        boolean above = Memory.getByte(block.row(0) + j) > Memory.getByte(block.centre + j);
        assertEquals(above, (plainSigns[1 + j / Long.SIZE] >>> j & 1) != 0);
      }
    }
  }

  /** A block of random rows about a random centre, and a query. */
  private final class Block {
    final int dimension;
    final int dims;
    final int count;
    final long centre = space.address();
    final long address = space.address() + ROW;
    final byte[] queryCodes;
    final FastScan.Query query = new FastScan.Query();

    Block(int dims, int count) {
      this.dims = dims;
      this.count = count;
      this.dimension = dims - random.nextInt(Kernels.CODE_BLOCK);
      this.queryCodes = new byte[dims];
      space.commit(4 * ROW + (long) FastScan.COLUMNS * dims);
      Memory.fill(centre, dims, (byte) 0);
      for (int j = 0; j < dimension; j++) {
        queryCodes[j] = (byte) random.nextInt(MAX_CODE + 1);
        Memory.putByte(centre + j, (byte) (MAX_CODE / 2 - 10 + random.nextInt(20)));
      }
      for (int row = 0; row < FastScan.COLUMNS; row++) {
        Memory.fill(row(row), dims, (byte) 0);
        for (int j = 0; j < dimension; j++) {
          Memory.putByte(row(row) + j, (byte) random.nextInt(MAX_CODE + 1));
        }
      }
      write();
    }

    long row(int row) {
      return space.address() + 4 * ROW + (long) row * dims;
    }

    void write() {
      int[] ids = IntStream.range(-3, FastScan.COLUMNS).toArray();
      new FastScan.Writer(dimension, dims).write(centre, row(0), dims, ids, 3, count, address);
      query.set(queryCodes, dimension, dims);
    }

    int plain(int distance, float bound, float[] estimates) {
      return FastScan.plain(address, query, distance, bound, estimates);
    }
  }

  @Test
  void rotationsAreThoseOfThePlainLoops() {
    for (int width = 1; width <= MAX_DIMS; width *= 2) {
      int from = random.nextInt(20);
      float[] vector = floats(from + width + 20);
      float[] factors = floats(2 * width);
      int at = random.nextInt(width);
      float[] plain = vector.clone();
      ScalarKernels.hadamard(plain, from, width, factors, at);
      Kernels.hadamard(vector, from, width, factors, at);
      assertArrayEquals(plain, vector, "width " + width);
    }
    for (int dimension = 2; dimension < 300; dimension++) {
      float[] vector = floats(dimension);
      float[] plain = vector.clone();
      ScalarKernels.turn(plain, 0, dimension / 2, dimension - dimension / 2);
      Kernels.turn(vector, dimension / 2, dimension - dimension / 2);
      assertArrayEquals(plain, vector, "dimension " + dimension);
    }
  }

  private float[] floats(int length) {
    float[] floats = new float[length];
    for (int i = 0; i < length; i++) {
      floats[i] = (float) random.nextGaussian();
    }
    return floats;
  }

  @Test
  void oneComponentCountsWhereverItIs() {
    for (int dims : new int[] {32, 96, 160, 288, 1024}) {
      long a = space.address();
      long b = space.address() + ROW;
      float[] query = new float[dims];
      byte[] codes = new byte[dims];
      Memory.fill(a, 4L * dims, (byte) 0);
      Memory.fill(b, 4L * dims, (byte) 0);
      for (int i = 0; i < dims; i++) {
        Memory.putByte(a + i, (byte) 5);
        assertEquals(25, Kernels.squaredL2(a, b, dims));
        assertEquals(25, Kernels.squaredL2(b, a, dims));
        assertEquals(25, Kernels.squaredL2(codes, a, dims));
        Memory.putByte(a + i, (byte) 0);
        Memory.putFloat(a + 4L * i, 3);
        assertEquals(9, Kernels.squaredL2(query, a, dims));
        assertEquals(9, Kernels.squaredNorm(a, dims));
        query[i] = -2;
        assertEquals(-6, Kernels.dot(query, a, dims));
        query[i] = 0;
        Memory.putFloat(a + 4L * i, 0);
      }
    }
  }

  @Test
  void smallWholeNumbersAreExactAtEveryPaddedDimension() {
    // Every sum is below 2^24, so that no order of adding may change it.
    for (int dims = Kernels.FLOAT_BLOCK; dims <= MAX_DIMS; dims += Kernels.FLOAT_BLOCK) {
      long row = space.address() + random.nextInt(64);
      float[] query = new float[dims];
      for (int i = 0; i < dims; i++) {
        query[i] = random.nextInt(-8, 9);
        Memory.putFloat(row + 4L * i, random.nextInt(-8, 9));
      }
      assertEquals(ScalarKernels.squaredL2(query, row, dims), Kernels.squaredL2(query, row, dims));
      assertEquals(ScalarKernels.dot(query, row, dims), Kernels.dot(query, row, dims));
      assertEquals(ScalarKernels.squaredNorm(row, dims), Kernels.squaredNorm(row, dims));
    }
  }

  @Test
  void floatsDifferFromTheExactSumByRoundingOnly() {
    for (int dims = Kernels.FLOAT_BLOCK; dims <= MAX_DIMS; dims += 5 * Kernels.FLOAT_BLOCK) {
      long row = space.address() + random.nextInt(64);
      float[] query = new float[dims];
      double squares = 0;
      double product = 0;
      double products = 0;
      double norm = 0;
      for (int i = 0; i < dims; i++) {
        float x = (float) (random.nextGaussian() * Math.exp(random.nextDouble(-5, 5)));
        query[i] = (float) random.nextGaussian();
        Memory.putFloat(row + 4L * i, x);
        double d = (double) query[i] - x;
        squares += d * d;
        product += (double) query[i] * x;
        products += Math.abs((double) query[i] * x);
        norm += (double) x * x;
      }
      double share = (dims + 2) * ROUNDING;
      assertEquals(squares, Kernels.squaredL2(query, row, dims), share * squares);
      assertEquals(product, Kernels.dot(query, row, dims), share * products);
      assertEquals(norm, Kernels.squaredNorm(row, dims), share * norm);
      assertEquals(squares, ScalarKernels.squaredL2(query, row, dims), share * squares);
      assertEquals(product, ScalarKernels.dot(query, row, dims), share * products);
      assertEquals(norm, ScalarKernels.squaredNorm(row, dims), share * norm);
    }
  }

  @Test
  void aGatherScoresEachRowOfTheTable() {
    int rows = 50;
    int dims = 96;
    int stride = 128;
    long base = space.address() + 1;
    for (int i = 0; i < rows * stride; i++) {
      Memory.putByte(base + i, (byte) random.nextInt(128));
    }
    byte[] query = new byte[dims];
    Memory.read(base + 3L * stride, query, 0, dims);
    int[] ordinals = {49, 0, 3, 3, 17, 48};
    int[] distances = {-1, -1, -1, -1, -1, -1};
    int unused = Kernels.squaredL2(query, base, stride, dims, ordinals, 5, distances);
    for (int i = 0; i < 5; i++) {
      assertEquals(
          ScalarKernels.squaredL2(query, base + (long) ordinals[i] * stride, dims),
          distances[i],
          "row " + ordinals[i] + ", touched " + unused);
    }
    assertEquals(0, distances[2]);
    assertEquals(-1, distances[5]);
  }

  @Test
  void aNormIsNotFiniteWhenAComponentIsNotOrTheSumOverflows() {
    float[] bad = {
      Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, -2e19f
    };
    for (int dims : new int[] {16, 48, 128, 1040}) {
      long row = space.address();
      for (int i = 0; i < dims; i++) {
        Memory.putFloat(row + 4L * i, (float) random.nextGaussian());
      }
      assertTrue(Float.isFinite(Kernels.squaredNorm(row, dims)));
      for (int i = 0; i < dims; i++) {
        float good = Memory.getFloat(row + 4L * i);
        for (float x : bad) {
          Memory.putFloat(row + 4L * i, x);
          assertFalse(Float.isFinite(Kernels.squaredNorm(row, dims)), x + " at " + i);
        }
        Memory.putFloat(row + 4L * i, good);
      }
      for (int i = 0; i < dims; i++) {
        Memory.putFloat(row + 4L * i, 1e19f); // each square is finite, the sum is not
      }
      assertFalse(Float.isFinite(Kernels.squaredNorm(row, dims)));
    }
  }

  @Test
  void paddingIsTheNextBlock() {
    assertEquals(32, Kernels.paddedCodes(1));
    assertEquals(32, Kernels.paddedCodes(32));
    assertEquals(64, Kernels.paddedCodes(33));
    assertEquals(16, Kernels.paddedFloats(1));
    assertEquals(16, Kernels.paddedFloats(16));
    assertEquals(32, Kernels.paddedFloats(17));
    assertEquals(MAX_DIMS, Kernels.paddedFloats(MAX_DIMS));
  }

  @Test
  void theSelfTestPassesHere() {
    KernelSelfTest.verify();
    KernelSelfTest.verifyBlocks();
  }

  private static void assertCodes(long a, long b, int dims) {
    int expected = ScalarKernels.squaredL2(a, b, dims);
    byte[] query = new byte[dims];
    Memory.read(a, query, 0, dims);
    assertEquals(expected, ScalarKernels.squaredL2(query, b, dims), "dims " + dims);
    assertEquals(expected, Kernels.squaredL2(a, b, dims), "dims " + dims);
    assertEquals(expected, Kernels.squaredL2(query, b, dims), "dims " + dims);
  }
}
