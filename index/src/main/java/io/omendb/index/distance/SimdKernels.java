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
 * <p>Codes are widened to 16-bit lanes. Four squared differences of 7-bit codes fit an unsigned
 * lane, so lanes are split to 32 bits once a block. The road not taken: 8-bit codes must split
 * after every square, which took 8.6 instead of 6.2 ns for 128 dimensions at 512 bits, and 10.2
 * instead of 6.7 ns at 256 bits (Zen 5, in cache).
 */
final class SimdKernels {
  private static final int BITS = Math.max(128, VectorWidth.current().bits());
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(BITS / 2));
  private static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, VectorShape.forBitSize(BITS));
  private static final VectorSpecies<Float> FLOATS =
      VectorSpecies.of(float.class, VectorShape.forBitSize(BITS));

  /** Sums of squares in unsigned 16-bit lanes are split into the two halves of 32-bit lanes. */
  private static final int LOW_HALF = 0xFFFF;

  private static final int HALF = 16;
  private static final int STEP = SHORTS.length();
  private static final int BLOCK = 4 * STEP;
  private static final int FLOAT_STEP = FLOATS.length();
  private static final int FLOAT_BLOCK = 4 * FLOAT_STEP;

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

  static int squaredL2(short[] query, long row, int dims) {
    IntVector sum = IntVector.zero(INTS);
    int i = 0;
    for (; i + BLOCK <= dims; i += BLOCK) {
      ShortVector d0 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, row + i, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(ShortVector.fromArray(SHORTS, query, i));
      ShortVector d1 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, row + i + STEP, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(ShortVector.fromArray(SHORTS, query, i + STEP));
      ShortVector d2 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(
                          BYTES, Memory.ALL, row + i + 2L * STEP, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(ShortVector.fromArray(SHORTS, query, i + 2 * STEP));
      ShortVector d3 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(
                          BYTES, Memory.ALL, row + i + 3L * STEP, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(ShortVector.fromArray(SHORTS, query, i + 3 * STEP));
      IntVector pairs =
          d0.mul(d0).add(d1.mul(d1)).add(d2.mul(d2).add(d3.mul(d3))).reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    for (; i < dims; i += STEP) {
      ShortVector d =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, row + i, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(ShortVector.fromArray(SHORTS, query, i));
      IntVector pairs = d.mul(d).reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  static int squaredL2(long a, long b, int dims) {
    IntVector sum = IntVector.zero(INTS);
    int i = 0;
    for (; i + BLOCK <= dims; i += BLOCK) {
      ShortVector d0 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(
                  (ShortVector)
                      ByteVector.fromMemorySegment(BYTES, Memory.ALL, b + i, LITTLE_ENDIAN)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
      ShortVector d1 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i + STEP, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(
                  (ShortVector)
                      ByteVector.fromMemorySegment(BYTES, Memory.ALL, b + i + STEP, LITTLE_ENDIAN)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
      ShortVector d2 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i + 2L * STEP, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(
                  (ShortVector)
                      ByteVector.fromMemorySegment(
                              BYTES, Memory.ALL, b + i + 2L * STEP, LITTLE_ENDIAN)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
      ShortVector d3 =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i + 3L * STEP, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(
                  (ShortVector)
                      ByteVector.fromMemorySegment(
                              BYTES, Memory.ALL, b + i + 3L * STEP, LITTLE_ENDIAN)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
      IntVector pairs =
          d0.mul(d0).add(d1.mul(d1)).add(d2.mul(d2).add(d3.mul(d3))).reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    for (; i < dims; i += STEP) {
      ShortVector d =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, a + i, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(
                  (ShortVector)
                      ByteVector.fromMemorySegment(BYTES, Memory.ALL, b + i, LITTLE_ENDIAN)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
      IntVector pairs = d.mul(d).reinterpretAsInts();
      sum = sum.add(pairs.and(LOW_HALF)).add(pairs.lanewise(VectorOperators.LSHR, HALF));
    }
    return sum.reduceLanes(VectorOperators.ADD);
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

  /** Bit c: whether {@code addends[from + c] − 2 · dots[at + c]} is below a bound; see Panel. */
  static int below(float[] addends, int from, float[] dots, int at, float bound) {
    int below = 0;
    for (int c = 0; c < Panel.GROUP; c += FLOAT_STEP) {
      FloatVector products = FloatVector.fromArray(FLOATS, dots, at + c);
      FloatVector distances =
          FloatVector.fromArray(FLOATS, addends, from + c).sub(products.add(products));
      below |= (int) distances.compare(VectorOperators.LT, bound).toLong() << c;
    }
    return below;
  }

  /**
   * Products of four columns of one panel with a group of another; see {@link Panel}. Each product
   * is summed component by component, so that no width changes it.
   */
  static void dots(
      float[] rows,
      int row,
      float[] columns,
      int column,
      int dims,
      float[] out,
      int at,
      int stride) {
    for (int c = 0; c < Panel.GROUP; c += 2 * FLOAT_STEP) {
      FloatVector s00 = FloatVector.zero(FLOATS);
      FloatVector s01 = FloatVector.zero(FLOATS);
      FloatVector s10 = FloatVector.zero(FLOATS);
      FloatVector s11 = FloatVector.zero(FLOATS);
      FloatVector s20 = FloatVector.zero(FLOATS);
      FloatVector s21 = FloatVector.zero(FLOATS);
      FloatVector s30 = FloatVector.zero(FLOATS);
      FloatVector s31 = FloatVector.zero(FLOATS);
      int b = column + c;
      for (int k = 0; k < dims; k++) {
        int r = row + k * Panel.GROUP;
        FloatVector b0 = FloatVector.fromArray(FLOATS, columns, b + k * Panel.GROUP);
        FloatVector b1 = FloatVector.fromArray(FLOATS, columns, b + k * Panel.GROUP + FLOAT_STEP);
        FloatVector a0 = FloatVector.broadcast(FLOATS, rows[r]);
        FloatVector a1 = FloatVector.broadcast(FLOATS, rows[r + 1]);
        FloatVector a2 = FloatVector.broadcast(FLOATS, rows[r + 2]);
        FloatVector a3 = FloatVector.broadcast(FLOATS, rows[r + 3]);
        s00 = a0.fma(b0, s00);
        s01 = a0.fma(b1, s01);
        s10 = a1.fma(b0, s10);
        s11 = a1.fma(b1, s11);
        s20 = a2.fma(b0, s20);
        s21 = a2.fma(b1, s21);
        s30 = a3.fma(b0, s30);
        s31 = a3.fma(b1, s31);
      }
      int o = at + c;
      s00.intoArray(out, o);
      s01.intoArray(out, o + FLOAT_STEP);
      s10.intoArray(out, o + stride);
      s11.intoArray(out, o + stride + FLOAT_STEP);
      s20.intoArray(out, o + 2 * stride);
      s21.intoArray(out, o + 2 * stride + FLOAT_STEP);
      s30.intoArray(out, o + 3 * stride);
      s31.intoArray(out, o + 3 * stride + FLOAT_STEP);
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
    for (int i = 0; i < dims; i += STEP) {
      ShortVector u =
          (ShortVector)
              ByteVector.fromMemorySegment(BYTES, Memory.ALL, centre + i, LITTLE_ENDIAN)
                  .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0);
      ShortVector r =
          ((ShortVector)
                  ByteVector.fromMemorySegment(BYTES, Memory.ALL, row + i, LITTLE_ENDIAN)
                      .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
              .sub(u);
      VectorMask<Short> set = r.compare(VectorOperators.GT, (short) 0);
      bits |= set.toLong() << i;
      IntVector length = r.abs().reinterpretAsInts();
      lengths = lengths.add(length.and(LOW_HALF)).add(length.lanewise(VectorOperators.LSHR, HALF));
      IntVector ofCentre = u.blend((short) 0, set.not()).reinterpretAsInts();
      selected =
          selected.add(ofCentre.and(LOW_HALF)).add(ofCentre.lanewise(VectorOperators.LSHR, HALF));
      if ((i + STEP) % Long.SIZE == 0 || i + STEP >= dims) {
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

  /** See {@link Kernels#hadamard}. */
  static void hadamard(float[] vector, int from, int width, int least) {
    for (int half = least; half < width; half *= 2) {
      for (int start = from; start < from + width; start += 2 * half) {
        for (int j = start; j < start + half; j += FLOAT_STEP) {
          FloatVector a = FloatVector.fromArray(FLOATS, vector, j);
          FloatVector b = FloatVector.fromArray(FLOATS, vector, j + half);
          a.add(b).intoArray(vector, j);
          a.sub(b).intoArray(vector, j + half);
        }
      }
    }
  }
}
