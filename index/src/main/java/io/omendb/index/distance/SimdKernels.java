package io.omendb.index.distance;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.omendb.memory.Memory;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The kernels of {@link ScalarKernels} by SIMD; the only importer of {@code jdk.incubator.vector}.
 *
 * <p>Shape of the code (JDK 25): short loops over a memory segment may compile several times too
 * slow (JDK-8342692), so a block of four steps is straight-line code under an outer loop, species
 * are static constants, and all native loads go through the one segment of {@link Memory}. Rows are
 * padded with zeros to {@link Kernels#CODE_BLOCK} codes or {@link Kernels#FLOAT_BLOCK} floats,
 * which every width divides, so there are no masked tails.
 *
 * <p>No helper takes or gives a vector: where the JIT does not inline it (it was compiled alone
 * before, and is big), each vector passes through the heap. Then a 128-d norm cost 780 bytes of
 * heap and some 40 times its time, in some runs and not in others.
 *
 * <p>Differences of codes are bytes; their amounts are split into even and odd ones, squared in
 * 16-bit lanes. Four squares of 7-bit codes fit an unsigned lane, so lanes are split to 32 bits
 * once a block. Roads not taken: rows widened before they are subtracted took 11 instead of 8 ns
 * for 128 dimensions and 60 instead of 33 for 800 (256 bits, Zen 3, in cache); 8-bit codes must be
 * widened, and split after every square, 10.2 instead of 6.7 ns for 128 (256 bits, Zen 5).
 */
final class SimdKernels {
  private static final int BITS = Math.max(128, VectorWidth.current().bits());
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(BITS));

  /** For what remains of a row at 512 bits, and to be widened. */
  private static final VectorSpecies<Byte> HALF_BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(BITS / 2));

  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));

  /** Sums of squares in unsigned 16-bit lanes are split into the two halves of 32-bit lanes. */
  private static final int LOW_HALF = 0xFFFF;

  private static final int HALF = 16;
  private static final short LOW_BYTE = 0xFF;
  private static final int STEP = BYTES.length();
  private static final int BLOCK = 2 * STEP;
  private static final int WIDE_STEP = SHORTS.length();
  private static final int FLOAT_STEP = FLOATS.length();
  private static final int FLOAT_BLOCK = 4 * FLOAT_STEP;

  /** Floats of the widest vector. */
  private static final int LARGEST_STEP = 16;

  /** The fewest components of {@link #hadamard}: a vector of the widest. */
  static final int LEAST_HADAMARD = LARGEST_STEP;

  private static final VectorShuffle<Float> SWAP_1 = swap(1);
  private static final VectorShuffle<Float> SWAP_2 = swap(2);
  private static final VectorShuffle<Float> SWAP_4 = swap(4);
  private static final VectorShuffle<Float> SWAP_8 = swap(8);
  private static final float[] UPPER_NEGATED = upperNegated();

  /** What one-bit codes are looked up in. */
  private static final VectorSpecies<Byte> LOOKUP = ByteVector.SPECIES_128;

  private static final VectorSpecies<Short> PAIRS = ShortVector.SPECIES_128;
  private static final byte LOW_NIBBLE = 15;
  private static final VectorSpecies<Short> PATTERNS = ShortVector.SPECIES_256;

  /** For each component of four, −1 or 1 by sign pattern. */
  private static final short[] SIGNS_OF_PATTERNS = signsOfPatterns();

  /** Estimates are computed eight at a time where a vector holds as many. */
  private static final int WIDE = 256;

  private static final VectorSpecies<Integer> EIGHT_INTS = IntVector.SPECIES_256;
  private static final VectorSpecies<Float> EIGHT_FLOATS = FloatVector.SPECIES_256;

  private SimdKernels() {}

  /** Asks the processor; apart from the kernels, whose constants depend on the answer. */
  static final class Processor {
    private Processor() {}

    /** The widest SIMD that the JIT uses here, in bits. */
    static int preferredBits() {
      return IntVector.SPECIES_PREFERRED.vectorBitSize();
    }
  }

  static int squaredL2(byte[] query, long row, int dims) {
    IntVector sum = IntVector.zero(INTS);
    int i = 0;
    for (; i + BLOCK <= dims; i += BLOCK) {
      ShortVector d0 =
          ByteVector.fromArray(BYTES, query, i)
              .sub(ByteVector.fromMemorySegment(BYTES, Memory.ALL, row + i, LITTLE_ENDIAN))
              .abs()
              .reinterpretAsShorts();
      ShortVector even0 = d0.and(LOW_BYTE);
      ShortVector odd0 = d0.lanewise(VectorOperators.LSHR, Byte.SIZE);
      ShortVector d1 =
          ByteVector.fromArray(BYTES, query, i + STEP)
              .sub(ByteVector.fromMemorySegment(BYTES, Memory.ALL, row + i + STEP, LITTLE_ENDIAN))
              .abs()
              .reinterpretAsShorts();
      ShortVector even1 = d1.and(LOW_BYTE);
      ShortVector odd1 = d1.lanewise(VectorOperators.LSHR, Byte.SIZE);
      IntVector pairs =
          even0
              .mul(even0)
              .add(odd0.mul(odd0))
              .add(even1.mul(even1).add(odd1.mul(odd1)))
              .reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    for (; i + STEP <= dims; i += STEP) {
      ShortVector d =
          ByteVector.fromArray(BYTES, query, i)
              .sub(ByteVector.fromMemorySegment(BYTES, Memory.ALL, row + i, LITTLE_ENDIAN))
              .abs()
              .reinterpretAsShorts();
      ShortVector even = d.and(LOW_BYTE);
      ShortVector odd = d.lanewise(VectorOperators.LSHR, Byte.SIZE);
      IntVector pairs = even.mul(even).add(odd.mul(odd)).reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    if (i == dims) {
      return sum.reduceLanes(VectorOperators.ADD);
    }
    ShortVector d =
        ByteVector.fromArray(HALF_BYTES, query, i)
            .sub(ByteVector.fromMemorySegment(HALF_BYTES, Memory.ALL, row + i, LITTLE_ENDIAN))
            .abs()
            .reinterpretAsShorts();
    ShortVector even = d.and(LOW_BYTE);
    ShortVector odd = d.lanewise(VectorOperators.LSHR, Byte.SIZE);
    IntVector pairs = even.mul(even).add(odd.mul(odd)).reinterpretAsInts();
    return sum.reduceLanes(VectorOperators.ADD)
        + pairs
            .and(LOW_HALF)
            .add(pairs.lanewise(VectorOperators.LSHR, HALF))
            .reduceLanes(VectorOperators.ADD);
  }

  static int squaredL2(long a, long b, int dims) {
    IntVector sum = IntVector.zero(INTS);
    int i = 0;
    for (; i + BLOCK <= dims; i += BLOCK) {
      ShortVector d0 =
          ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i, LITTLE_ENDIAN)
              .sub(ByteVector.fromMemorySegment(BYTES, Memory.ALL, b + i, LITTLE_ENDIAN))
              .abs()
              .reinterpretAsShorts();
      ShortVector even0 = d0.and(LOW_BYTE);
      ShortVector odd0 = d0.lanewise(VectorOperators.LSHR, Byte.SIZE);
      ShortVector d1 =
          ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i + STEP, LITTLE_ENDIAN)
              .sub(ByteVector.fromMemorySegment(BYTES, Memory.ALL, b + i + STEP, LITTLE_ENDIAN))
              .abs()
              .reinterpretAsShorts();
      ShortVector even1 = d1.and(LOW_BYTE);
      ShortVector odd1 = d1.lanewise(VectorOperators.LSHR, Byte.SIZE);
      IntVector pairs =
          even0
              .mul(even0)
              .add(odd0.mul(odd0))
              .add(even1.mul(even1).add(odd1.mul(odd1)))
              .reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    for (; i + STEP <= dims; i += STEP) {
      ShortVector d =
          ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i, LITTLE_ENDIAN)
              .sub(ByteVector.fromMemorySegment(BYTES, Memory.ALL, b + i, LITTLE_ENDIAN))
              .abs()
              .reinterpretAsShorts();
      ShortVector even = d.and(LOW_BYTE);
      ShortVector odd = d.lanewise(VectorOperators.LSHR, Byte.SIZE);
      IntVector pairs = even.mul(even).add(odd.mul(odd)).reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    if (i == dims) {
      return sum.reduceLanes(VectorOperators.ADD);
    }
    ShortVector d =
        ByteVector.fromMemorySegment(HALF_BYTES, Memory.ALL, a + i, LITTLE_ENDIAN)
            .sub(ByteVector.fromMemorySegment(HALF_BYTES, Memory.ALL, b + i, LITTLE_ENDIAN))
            .abs()
            .reinterpretAsShorts();
    ShortVector even = d.and(LOW_BYTE);
    ShortVector odd = d.lanewise(VectorOperators.LSHR, Byte.SIZE);
    IntVector pairs = even.mul(even).add(odd.mul(odd)).reinterpretAsInts();
    return sum.reduceLanes(VectorOperators.ADD)
        + pairs
            .and(LOW_HALF)
            .add(pairs.lanewise(VectorOperators.LSHR, HALF))
            .reduceLanes(VectorOperators.ADD);
  }

  static float squaredL2(float[] query, long row, int dims) {
    FloatVector even = FloatVector.zero(FLOATS);
    FloatVector odd = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i + FLOAT_BLOCK <= dims; i += FLOAT_BLOCK) {
      FloatVector x0 =
          FloatVector.fromArray(FLOATS, query, i)
              .sub(FloatVector.fromMemorySegment(FLOATS, Memory.ALL, row + 4L * i, LITTLE_ENDIAN));
      FloatVector x1 =
          FloatVector.fromArray(FLOATS, query, i + FLOAT_STEP)
              .sub(
                  FloatVector.fromMemorySegment(
                      FLOATS, Memory.ALL, row + 4L * (i + FLOAT_STEP), LITTLE_ENDIAN));
      FloatVector x2 =
          FloatVector.fromArray(FLOATS, query, i + 2 * FLOAT_STEP)
              .sub(
                  FloatVector.fromMemorySegment(
                      FLOATS, Memory.ALL, row + 4L * (i + 2 * FLOAT_STEP), LITTLE_ENDIAN));
      FloatVector x3 =
          FloatVector.fromArray(FLOATS, query, i + 3 * FLOAT_STEP)
              .sub(
                  FloatVector.fromMemorySegment(
                      FLOATS, Memory.ALL, row + 4L * (i + 3 * FLOAT_STEP), LITTLE_ENDIAN));
      even = x2.fma(x2, x0.fma(x0, even));
      odd = x3.fma(x3, x1.fma(x1, odd));
    }
    for (; i < dims; i += FLOAT_STEP) {
      FloatVector x =
          FloatVector.fromArray(FLOATS, query, i)
              .sub(FloatVector.fromMemorySegment(FLOATS, Memory.ALL, row + 4L * i, LITTLE_ENDIAN));
      even = x.fma(x, even);
    }
    return even.add(odd).reduceLanes(VectorOperators.ADD);
  }

  static float dot(float[] query, long row, int dims) {
    FloatVector even = FloatVector.zero(FLOATS);
    FloatVector odd = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i + FLOAT_BLOCK <= dims; i += FLOAT_BLOCK) {
      FloatVector x0 =
          FloatVector.fromMemorySegment(FLOATS, Memory.ALL, row + 4L * i, LITTLE_ENDIAN);
      FloatVector x1 =
          FloatVector.fromMemorySegment(
              FLOATS, Memory.ALL, row + 4L * (i + FLOAT_STEP), LITTLE_ENDIAN);
      FloatVector x2 =
          FloatVector.fromMemorySegment(
              FLOATS, Memory.ALL, row + 4L * (i + 2 * FLOAT_STEP), LITTLE_ENDIAN);
      FloatVector x3 =
          FloatVector.fromMemorySegment(
              FLOATS, Memory.ALL, row + 4L * (i + 3 * FLOAT_STEP), LITTLE_ENDIAN);
      even = x0.fma(FloatVector.fromArray(FLOATS, query, i), even);
      odd = x1.fma(FloatVector.fromArray(FLOATS, query, i + FLOAT_STEP), odd);
      even = x2.fma(FloatVector.fromArray(FLOATS, query, i + 2 * FLOAT_STEP), even);
      odd = x3.fma(FloatVector.fromArray(FLOATS, query, i + 3 * FLOAT_STEP), odd);
    }
    for (; i < dims; i += FLOAT_STEP) {
      FloatVector x =
          FloatVector.fromMemorySegment(FLOATS, Memory.ALL, row + 4L * i, LITTLE_ENDIAN);
      even = x.fma(FloatVector.fromArray(FLOATS, query, i), even);
    }
    return even.add(odd).reduceLanes(VectorOperators.ADD);
  }

  static float squaredNorm(long row, int dims) {
    FloatVector even = FloatVector.zero(FLOATS);
    FloatVector odd = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i + FLOAT_BLOCK <= dims; i += FLOAT_BLOCK) {
      FloatVector x0 =
          FloatVector.fromMemorySegment(FLOATS, Memory.ALL, row + 4L * i, LITTLE_ENDIAN);
      FloatVector x1 =
          FloatVector.fromMemorySegment(
              FLOATS, Memory.ALL, row + 4L * (i + FLOAT_STEP), LITTLE_ENDIAN);
      FloatVector x2 =
          FloatVector.fromMemorySegment(
              FLOATS, Memory.ALL, row + 4L * (i + 2 * FLOAT_STEP), LITTLE_ENDIAN);
      FloatVector x3 =
          FloatVector.fromMemorySegment(
              FLOATS, Memory.ALL, row + 4L * (i + 3 * FLOAT_STEP), LITTLE_ENDIAN);
      even = x2.fma(x2, x0.fma(x0, even));
      odd = x3.fma(x3, x1.fma(x1, odd));
    }
    for (; i < dims; i += FLOAT_STEP) {
      FloatVector x =
          FloatVector.fromMemorySegment(FLOATS, Memory.ALL, row + 4L * i, LITTLE_ENDIAN);
      even = x.fma(x, even);
    }
    return even.add(odd).reduceLanes(VectorOperators.ADD);
  }

  /**
   * See {@link WideRows#dots}. Each product is summed component by component, so that no width
   * changes it. Six rows by two vectors are twelve sums, enough to hide the latency of all of them:
   * with four by two a product took 1.7 times as long (Zen 3, 128 and 784 dimensions).
   */
  static void dots(float[] rows, int row, int dims, float[] panel, float[] out, int at) {
    int row1 = row + dims;
    int row2 = row1 + dims;
    int row3 = row2 + dims;
    int row4 = row3 + dims;
    int row5 = row4 + dims;
    for (int lane = 0; lane < Panel.LANES; lane += 2 * FLOAT_STEP) {
      FloatVector s00 = FloatVector.zero(FLOATS);
      FloatVector s01 = FloatVector.zero(FLOATS);
      FloatVector s10 = FloatVector.zero(FLOATS);
      FloatVector s11 = FloatVector.zero(FLOATS);
      FloatVector s20 = FloatVector.zero(FLOATS);
      FloatVector s21 = FloatVector.zero(FLOATS);
      FloatVector s30 = FloatVector.zero(FLOATS);
      FloatVector s31 = FloatVector.zero(FLOATS);
      FloatVector s40 = FloatVector.zero(FLOATS);
      FloatVector s41 = FloatVector.zero(FLOATS);
      FloatVector s50 = FloatVector.zero(FLOATS);
      FloatVector s51 = FloatVector.zero(FLOATS);
      for (int k = 0; k < dims; k++) {
        int b = lane + k * Panel.LANES;
        FloatVector b0 = FloatVector.fromArray(FLOATS, panel, b);
        FloatVector b1 = FloatVector.fromArray(FLOATS, panel, b + FLOAT_STEP);
        FloatVector a0 = FloatVector.broadcast(FLOATS, rows[row + k]);
        s00 = a0.fma(b0, s00);
        s01 = a0.fma(b1, s01);
        FloatVector a1 = FloatVector.broadcast(FLOATS, rows[row1 + k]);
        s10 = a1.fma(b0, s10);
        s11 = a1.fma(b1, s11);
        FloatVector a2 = FloatVector.broadcast(FLOATS, rows[row2 + k]);
        s20 = a2.fma(b0, s20);
        s21 = a2.fma(b1, s21);
        FloatVector a3 = FloatVector.broadcast(FLOATS, rows[row3 + k]);
        s30 = a3.fma(b0, s30);
        s31 = a3.fma(b1, s31);
        FloatVector a4 = FloatVector.broadcast(FLOATS, rows[row4 + k]);
        s40 = a4.fma(b0, s40);
        s41 = a4.fma(b1, s41);
        FloatVector a5 = FloatVector.broadcast(FLOATS, rows[row5 + k]);
        s50 = a5.fma(b0, s50);
        s51 = a5.fma(b1, s51);
      }
      int o = at + lane;
      s00.intoArray(out, o);
      s01.intoArray(out, o + FLOAT_STEP);
      s10.intoArray(out, o + Panel.LANES);
      s11.intoArray(out, o + Panel.LANES + FLOAT_STEP);
      s20.intoArray(out, o + 2 * Panel.LANES);
      s21.intoArray(out, o + 2 * Panel.LANES + FLOAT_STEP);
      s30.intoArray(out, o + 3 * Panel.LANES);
      s31.intoArray(out, o + 3 * Panel.LANES + FLOAT_STEP);
      s40.intoArray(out, o + 4 * Panel.LANES);
      s41.intoArray(out, o + 4 * Panel.LANES + FLOAT_STEP);
      s50.intoArray(out, o + 5 * Panel.LANES);
      s51.intoArray(out, o + 5 * Panel.LANES + FLOAT_STEP);
    }
  }

  /** See {@link WideRows#offer}. Keys stay in registers while the rows pass. */
  static void offer(
      float[] dots, float[] rowNorms, int first, int count, float[] laneNorms, int[] keys) {
    for (int lane = 0; lane < Panel.LANES; lane += FLOAT_STEP) {
      FloatVector laneNorm = FloatVector.fromArray(FLOATS, laneNorms, lane);
      IntVector k0 = IntVector.fromArray(INTS, keys, lane);
      IntVector k1 = IntVector.fromArray(INTS, keys, lane + Panel.LANES);
      IntVector k2 = IntVector.fromArray(INTS, keys, lane + 2 * Panel.LANES);
      IntVector k3 = IntVector.fromArray(INTS, keys, lane + 3 * Panel.LANES);
      IntVector k4 = IntVector.fromArray(INTS, keys, lane + 4 * Panel.LANES);
      IntVector k5 = IntVector.fromArray(INTS, keys, lane + 5 * Panel.LANES);
      IntVector k6 = IntVector.fromArray(INTS, keys, lane + 6 * Panel.LANES);
      IntVector k7 = IntVector.fromArray(INTS, keys, lane + 7 * Panel.LANES);
      for (int row = 0; row < count; row++) {
        FloatVector dot = FloatVector.fromArray(FLOATS, dots, row * Panel.LANES + lane);
        IntVector key =
            laneNorm
                .add(rowNorms[first + row])
                .sub(dot.add(dot))
                .reinterpretAsInts()
                .max(0)
                .and(~NearestRows.ROW_MASK)
                .or(first + row);
        IntVector m0 = k0.max(key);
        k0 = k0.min(key);
        IntVector m1 = k1.max(m0);
        k1 = k1.min(m0);
        IntVector m2 = k2.max(m1);
        k2 = k2.min(m1);
        IntVector m3 = k3.max(m2);
        k3 = k3.min(m2);
        IntVector m4 = k4.max(m3);
        k4 = k4.min(m3);
        IntVector m5 = k5.max(m4);
        k5 = k5.min(m4);
        IntVector m6 = k6.max(m5);
        k6 = k6.min(m5);
        k7 = k7.min(m6);
      }
      k0.intoArray(keys, lane);
      k1.intoArray(keys, lane + Panel.LANES);
      k2.intoArray(keys, lane + 2 * Panel.LANES);
      k3.intoArray(keys, lane + 3 * Panel.LANES);
      k4.intoArray(keys, lane + 4 * Panel.LANES);
      k5.intoArray(keys, lane + 5 * Panel.LANES);
      k6.intoArray(keys, lane + 6 * Panel.LANES);
      k7.intoArray(keys, lane + 7 * Panel.LANES);
    }
  }

  /**
   * See {@link FastScan#scan}. Lanes are looked up 128 bits at a time, which every processor does
   * in one instruction: 54 ns for 128 dimensions with AVX2, 59 by 256 bits, whose lookup takes
   * several there (Zen 3, in cache). Entries have six bits, so that four are added in a byte.
   *
   * @param sums room for one a column
   */
  static int fastScan(
      long block,
      byte[] entries,
      int groups,
      float step,
      float offset,
      float distance,
      float bound,
      short[] sums,
      float[] estimates) {
    ShortVector low = ShortVector.zero(PAIRS);
    ShortVector lowOdd = ShortVector.zero(PAIRS);
    ShortVector high = ShortVector.zero(PAIRS);
    ShortVector highOdd = ShortVector.zero(PAIRS);
    long signs = block + FastScan.SIGNS;
    for (int at = 0; at < groups * FastScan.PATTERNS; at += 4 * FastScan.PATTERNS) {
      ByteVector s0 = ByteVector.fromMemorySegment(LOOKUP, Memory.ALL, signs + at, LITTLE_ENDIAN);
      ByteVector s1 =
          ByteVector.fromMemorySegment(LOOKUP, Memory.ALL, signs + at + 16, LITTLE_ENDIAN);
      ByteVector s2 =
          ByteVector.fromMemorySegment(LOOKUP, Memory.ALL, signs + at + 32, LITTLE_ENDIAN);
      ByteVector s3 =
          ByteVector.fromMemorySegment(LOOKUP, Memory.ALL, signs + at + 48, LITTLE_ENDIAN);
      ByteVector e0 = ByteVector.fromArray(LOOKUP, entries, at);
      ByteVector e1 = ByteVector.fromArray(LOOKUP, entries, at + 16);
      ByteVector e2 = ByteVector.fromArray(LOOKUP, entries, at + 32);
      ByteVector e3 = ByteVector.fromArray(LOOKUP, entries, at + 48);
      ShortVector x =
          s0.and(LOW_NIBBLE)
              .selectFrom(e0)
              .add(s1.and(LOW_NIBBLE).selectFrom(e1))
              .add(s2.and(LOW_NIBBLE).selectFrom(e2).add(s3.and(LOW_NIBBLE).selectFrom(e3)))
              .reinterpretAsShorts();
      // There is no shift of bytes; what comes down from the byte above is masked off.
      ByteVector t0 =
          s0.reinterpretAsShorts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
      ByteVector t1 =
          s1.reinterpretAsShorts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
      ByteVector t2 =
          s2.reinterpretAsShorts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
      ByteVector t3 =
          s3.reinterpretAsShorts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
      ShortVector y =
          t0.and(LOW_NIBBLE)
              .selectFrom(e0)
              .add(t1.and(LOW_NIBBLE).selectFrom(e1))
              .add(t2.and(LOW_NIBBLE).selectFrom(e2).add(t3.and(LOW_NIBBLE).selectFrom(e3)))
              .reinterpretAsShorts();
      // Even bytes are summed with the odd ones above them, which are taken off at the end.
      low = low.add(x);
      lowOdd = lowOdd.add(x.lanewise(VectorOperators.LSHR, 8));
      high = high.add(y);
      highOdd = highOdd.add(y.lanewise(VectorOperators.LSHR, 8));
    }
    low.sub(lowOdd.lanewise(VectorOperators.LSHL, 8)).intoArray(sums, 0);
    lowOdd.intoArray(sums, FastScan.QUARTER);
    high.sub(highOdd.lanewise(VectorOperators.LSHL, 8)).intoArray(sums, FastScan.HALF);
    highOdd.intoArray(sums, FastScan.HALF + FastScan.QUARTER);
    if (BITS < WIDE) {
      return ScalarKernels.estimates(block, step, offset, distance, bound, sums, estimates);
    }
    int below = 0;
    for (int c = 0; c < FastScan.COLUMNS; c += FastScan.QUARTER) {
      FloatVector product =
          ((FloatVector)
                  ShortVector.fromArray(PAIRS, sums, c)
                      .convertShape(VectorOperators.ZERO_EXTEND_S2I, EIGHT_INTS, 0)
                      .convertShape(VectorOperators.I2F, EIGHT_FLOATS, 0))
              .mul(step)
              .add(offset);
      FloatVector addend =
          ((IntVector)
                  ShortVector.fromMemorySegment(
                          PAIRS, Memory.ALL, block + FastScan.ADDENDS + 2L * c, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_S2I, EIGHT_INTS, 0))
              .lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats();
      FloatVector factor =
          ((IntVector)
                  ShortVector.fromMemorySegment(
                          PAIRS, Memory.ALL, block + FastScan.FACTORS + 2L * c, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_S2I, EIGHT_INTS, 0))
              .lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats();
      FloatVector estimate = addend.add(distance).sub(factor.mul(product)).max(0F);
      below |= (int) estimate.compare(VectorOperators.LT, bound).toLong() << c;
      estimate.intoArray(estimates, c);
    }
    return below;
  }

  /** See {@link ScalarKernels#residual}. */
  static void residual(long centre, long row, int dims, long[] signs, int word, int[] sums) {
    IntVector lengths = IntVector.zero(INTS);
    IntVector selected = IntVector.zero(INTS);
    long bits = 0;
    for (int i = 0; i < dims; i += WIDE_STEP) {
      ShortVector u =
          (ShortVector)
              ByteVector.fromMemorySegment(HALF_BYTES, Memory.ALL, centre + i, LITTLE_ENDIAN)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0);
      ShortVector r =
          ((ShortVector)
                  ByteVector.fromMemorySegment(HALF_BYTES, Memory.ALL, row + i, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(u);
      VectorMask<Short> set = r.compare(VectorOperators.GT, (short) 0);
      bits |= set.toLong() << i;
      IntVector length = r.abs().reinterpretAsInts();
      lengths = lengths.add(length.and(LOW_HALF)).add(length.lanewise(VectorOperators.LSHR, HALF));
      IntVector ofCentre = u.blend((short) 0, set.not()).reinterpretAsInts();
      selected =
          selected.add(ofCentre.and(LOW_HALF)).add(ofCentre.lanewise(VectorOperators.LSHR, HALF));
      if ((i + WIDE_STEP) % Long.SIZE == 0 || i + WIDE_STEP >= dims) {
        signs[word + i / Long.SIZE] = bits;
        bits = 0;
      }
    }
    sums[0] = lengths.reduceLanes(VectorOperators.ADD);
    sums[1] = selected.reduceLanes(VectorOperators.ADD);
  }

  /** See {@link ScalarKernels#entries}; for 256 bits and more. */
  static void entries(
      short[] centred, int groups, int factor, int half, int shift, byte[] entries) {
    for (int group = 0; group < groups; group++) {
      int from = group * FastScan.GROUP;
      ShortVector product =
          ShortVector.fromArray(PATTERNS, SIGNS_OF_PATTERNS, 0)
              .mul(centred[from])
              .add(ShortVector.fromArray(PATTERNS, SIGNS_OF_PATTERNS, 16).mul(centred[from + 1]))
              .add(ShortVector.fromArray(PATTERNS, SIGNS_OF_PATTERNS, 32).mul(centred[from + 2]))
              .add(ShortVector.fromArray(PATTERNS, SIGNS_OF_PATTERNS, 48).mul(centred[from + 3]))
              .add((short) FastScan.reach(centred, from));
      ((ByteVector)
              product
                  .mul((short) factor)
                  .add((short) half)
                  .lanewise(VectorOperators.LSHR, shift)
                  .convertShape(VectorOperators.S2B, LOOKUP, 0))
          .intoArray(entries, group * FastScan.PATTERNS);
    }
  }

  private static short[] signsOfPatterns() {
    short[] signs = new short[FastScan.GROUP * FastScan.PATTERNS];
    for (int i = 0; i < signs.length; i++) {
      int pattern = i % FastScan.PATTERNS;
      signs[i] = (short) ((pattern >>> (i / FastScan.PATTERNS) & 1) == 0 ? -1 : 1);
    }
    return signs;
  }

  /** See {@link Kernels#hadamard}; of {@link #LEAST_HADAMARD} components and more. */
  static void hadamard(float[] vector, int from, int width, float[] factors, int at) {
    for (int j = 0; j < width; j += FLOAT_STEP) {
      FloatVector v =
          FloatVector.fromArray(FLOATS, vector, from + j)
              .mul(FloatVector.fromArray(FLOATS, factors, at + j));
      v = v.rearrange(SWAP_1).add(v.mul(FloatVector.fromArray(FLOATS, UPPER_NEGATED, 0)));
      v =
          v.rearrange(SWAP_2)
              .add(v.mul(FloatVector.fromArray(FLOATS, UPPER_NEGATED, LARGEST_STEP)));
      if (FLOAT_STEP > 4) {
        v =
            v.rearrange(SWAP_4)
                .add(v.mul(FloatVector.fromArray(FLOATS, UPPER_NEGATED, 2 * LARGEST_STEP)));
      }
      if (FLOAT_STEP > 8) {
        v =
            v.rearrange(SWAP_8)
                .add(v.mul(FloatVector.fromArray(FLOATS, UPPER_NEGATED, 3 * LARGEST_STEP)));
      }
      v.intoArray(vector, from + j);
    }
    int half = FLOAT_STEP;
    for (; 4 * half <= width; half *= 4) {
      for (int start = from; start < from + width; start += 4 * half) {
        twoStages(vector, start, half);
      }
    }
    if (half < width) {
      for (int j = from; j < from + half; j += FLOAT_STEP) {
        FloatVector a = FloatVector.fromArray(FLOATS, vector, j);
        FloatVector b = FloatVector.fromArray(FLOATS, vector, j + half);
        a.add(b).intoArray(vector, j);
        a.sub(b).intoArray(vector, j + half);
      }
    }
  }

  /**
   * Components {@code half} apart, then twice that: one at a time takes as many loads and stores.
   */
  private static void twoStages(float[] vector, int start, int half) {
    for (int j = start; j < start + half; j += FLOAT_STEP) {
      FloatVector a = FloatVector.fromArray(FLOATS, vector, j);
      FloatVector b = FloatVector.fromArray(FLOATS, vector, j + half);
      FloatVector c = FloatVector.fromArray(FLOATS, vector, j + 2 * half);
      FloatVector d = FloatVector.fromArray(FLOATS, vector, j + 3 * half);
      FloatVector sum = a.add(b);
      FloatVector difference = a.sub(b);
      FloatVector otherSum = c.add(d);
      FloatVector otherDifference = c.sub(d);
      sum.add(otherSum).intoArray(vector, j);
      difference.add(otherDifference).intoArray(vector, j + half);
      sum.sub(otherSum).intoArray(vector, j + 2 * half);
      difference.sub(otherDifference).intoArray(vector, j + 3 * half);
    }
  }

  /** Which lanes change places in a stage of {@link #hadamard} within a vector. */
  private static VectorShuffle<Float> swap(int apart) {
    return VectorShuffle.fromOp(FLOATS, lane -> (lane ^ apart) % FLOAT_STEP);
  }

  /** For each such stage, −1 in the lanes that are subtracted. */
  private static float[] upperNegated() {
    float[] factors = new float[4 * LARGEST_STEP];
    for (int i = 0; i < factors.length; i++) {
      int apart = 1 << (i / LARGEST_STEP);
      factors[i] = (i & apart) == 0 ? 1 : -1;
    }
    return factors;
  }

  /** See {@link Kernels#turn}. */
  static void turn(float[] vector, int count, int apart) {
    int j = 0;
    for (; j + FLOAT_STEP <= count; j += FLOAT_STEP) {
      FloatVector a = FloatVector.fromArray(FLOATS, vector, j);
      FloatVector b = FloatVector.fromArray(FLOATS, vector, j + apart);
      a.add(b).mul(Kernels.SQRT_HALF).intoArray(vector, j);
      a.sub(b).mul(Kernels.SQRT_HALF).intoArray(vector, j + apart);
    }
    ScalarKernels.turn(vector, j, count, apart);
  }
}
