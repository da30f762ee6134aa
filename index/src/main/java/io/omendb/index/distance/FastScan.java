package io.omendb.index.distance;

import io.omendb.memory.Memory;

/**
 * One-bit codes of 32 rows, relative to a centre row, scored together against a query: RaBitQ (<a
 * href="https://arxiv.org/abs/2405.12497">2405.12497</a>) in the layout of FastScan, as SymphonyQG
 * (<a href="https://arxiv.org/abs/2411.12229">2411.12229</a>) puts it beside each node of a graph.
 *
 * <p>A row v is kept as the signs s of its residual r = v − u from the centre u. Of r the product
 * with any x is estimated as {@code |r|² / s·r · s·x}, so that
 *
 * <pre>
 * |q − v|² ≈ |q − u|² + addend − factor · s·q
 * factor   = 2 |r|² / s·r
 * addend   = |r|² + factor · s·u
 * </pre>
 *
 * <p>All of it in 7-bit codes about their middle, {@link #MIDDLE}; padding counts as the middle. A
 * block, by columns c of 0 to 31:
 *
 * <pre>
 *   0  bfloat16[32]          addend; infinite in a column without a row
 *  64  bfloat16[32]          factor
 * 128  byte[dims / 4][16]    signs of four dimensions, set where r is above 0: column c in
 *                            the low half of byte 2c for c below 8, of byte 2(c − 8) + 1 from
 *                            there on, column c + 16 in the high half of the same
 * </pre>
 *
 * <p>So the sums of even and of odd bytes come out in the order of the columns. {@code s·q} is the
 * sum of one entry for each four dimensions, looked up by their signs in a {@link Query}.
 */
public final class FastScan {
  /** Rows of a block. */
  public static final int COLUMNS = 32;

  /** The code that counts as zero. */
  static final int MIDDLE = 64;

  /** Dimensions of a sign group. */
  static final int GROUP = 4;

  /** Sign patterns of a group, and bytes that a group takes in a block. */
  static final int PATTERNS = 16;

  static final int ADDENDS = 0;
  static final int FACTORS = COLUMNS * Short.BYTES;
  static final int SIGNS = 2 * FACTORS;

  /** Columns in the low halves of a group's bytes. */
  static final int HALF = COLUMNS / 2;

  /** Columns whose low halves are in even bytes. */
  static final int QUARTER = COLUMNS / 4;

  private static final boolean SIMD = VectorWidth.current() != VectorWidth.SCALAR;

  private static final boolean ENTRIES_BY_SIMD = VectorWidth.current().bits() >= 256;

  private static final int MOST_SUM = 0xFFFF;

  /** Of 16 bits this leaves 6, so that four entries are added in a byte. */
  private static final int LEAST_SHIFT = 10;

  /** So many groups, as a power of two, have entries of 6 bits whose sum fits 16. */
  private static final int MOST_GROUP_BITS = 10;

  private FastScan() {}

  /** Bytes of a block. */
  public static int blockBytes(int dims) {
    return SIGNS + dims / GROUP * PATTERNS;
  }

  /**
   * Estimates the distances of a query to the rows of a block.
   *
   * @param block its address
   * @param distance of the query to the centre
   * @param bound estimates from here on are of no interest
   * @param estimates receives those of the columns that the answer has, not negative
   * @return bit c: the estimate of column c is below the bound
   */
  public static int scan(long block, Query query, int distance, float bound, float[] estimates) {
    return SIMD
        ? SimdKernels.fastScan(
            block,
            query.entries,
            query.groups,
            query.step,
            query.offset,
            distance,
            bound,
            query.sums,
            estimates)
        : plain(block, query, distance, bound, estimates);
  }

  /** The specification of {@link #scan}. */
  static int plain(long block, Query query, int distance, float bound, float[] estimates) {
    return ScalarKernels.fastScan(
        block,
        query.entries,
        query.groups,
        query.step,
        query.offset,
        distance,
        bound,
        query.sums,
        estimates);
  }

  /** A query's entries; of one thread, reused from search to search. */
  public static final class Query {
    byte[] entries = new byte[0];
    private short[] centred = new short[0];
    int groups;
    private final short[] sums = new short[COLUMNS];

    /** {@code s·q = step · (sum of entries) + offset}. */
    float step;

    float offset;

    /** A query that is not set. */
    public Query() {}

    /**
     * Takes a query.
     *
     * @param codes 0 to 127
     * @param dimension codes that are not padding
     * @param dims with padding
     */
    public void set(byte[] codes, int dimension, int dims) {
      groups = dims / GROUP;
      if (centred.length < dims) {
        centred = new short[dims];
        entries = new byte[groups * PATTERNS];
      }
      for (int j = 0; j < dimension; j++) {
        centred[j] = (short) (codes[j] - MIDDLE);
      }
      for (int j = dimension; j < dims; j++) {
        centred[j] = 0;
      }
      int widest = 1;
      int least = 0;
      for (int at = 0; at < dims; at += GROUP) {
        int reach = reach(centred, at);
        widest = Math.max(widest, reach);
        least -= reach;
      }
      // An entry is a product, −reach to reach, from 0 up, times a factor over a power of two: what
      // is multiplied fits 16 bits, what comes out 6, or fewer where their sum would not fit 16.
      int shift =
          LEAST_SHIFT
              + Math.max(
                  0, Integer.SIZE - Integer.numberOfLeadingZeros(groups - 1) - MOST_GROUP_BITS);
      int half = 1 << (shift - 1);
      int factor = (MOST_SUM - half) / (2 * widest);
      step = (float) (1 << shift) / factor;
      offset = least;
      if (ENTRIES_BY_SIMD) {
        SimdKernels.entries(centred, groups, factor, half, shift, entries);
      } else {
        ScalarKernels.entries(centred, groups, factor, half, shift, entries);
      }
    }
  }

  /** Largest product of four components with signs. */
  static int reach(short[] centred, int at) {
    return Math.abs(centred[at])
        + Math.abs(centred[at + 1])
        + Math.abs(centred[at + 2])
        + Math.abs(centred[at + 3]);
  }

  /** Writes blocks; of one thread. */
  public static final class Writer {
    private final int dimension;
    private final int dims;
    private final int words;

    /** Signs of each column, bit by bit. */
    private final long[] signs;

    private final int[] residual = new int[2];

    /**
     * @param dimension codes that are not padding
     * @param dims with padding
     */
    public Writer(int dimension, int dims) {
      this.dimension = dimension;
      this.dims = dims;
      this.words = (dims + Long.SIZE - 1) / Long.SIZE;
      this.signs = new long[COLUMNS * words];
    }

    /**
     * Writes a block.
     *
     * @param centre address of its codes
     * @param rows address of the codes of row 0
     * @param stride bytes from row to row
     * @param ids rows of the columns {@code 0..count−1}: {@code ids[from..]}
     * @param block where to
     */
    public void write(
        long centre, long rows, int stride, int[] ids, int from, int count, long block) {
      int ofCentre = sum(centre);
      for (int column = 0; column < COLUMNS; column++) {
        float addend = Float.POSITIVE_INFINITY;
        float factor = 0;
        if (column < count) {
          long row = rows + (long) ids[from + column] * stride;
          int set = residual(centre, row, column * words);
          int squared = Kernels.squaredL2(centre, row, dims);
          int length = residual[0];
          // s·u = 2 (sum of u where s is set) − (sum of u), about the middle.
          int product = 2 * residual[1] - ofCentre - MIDDLE * (2 * set - dimension);
          factor = length == 0 ? 0 : 2F * squared / length;
          addend = squared + factor * product;
        }
        Memory.putShort(block + ADDENDS + 2L * column, bfloat16(addend));
        Memory.putShort(block + FACTORS + 2L * column, bfloat16(factor));
      }
      pack(count, block + SIGNS);
    }

    /**
     * Signs of a row's residual into {@link #signs}, {@code s·r} and the sum of the centre's codes
     * where the sign is set into {@link #residual}; returns how many are set.
     */
    private int residual(long centre, long row, int word) {
      if (SIMD) {
        SimdKernels.residual(centre, row, dims, signs, word, residual);
      } else {
        ScalarKernels.residual(centre, row, dims, signs, word, residual);
      }
      int set = 0;
      for (int i = 0; i < words; i++) {
        set += Long.bitCount(signs[word + i]);
      }
      return set;
    }

    private int sum(long row) {
      int sum = 0;
      for (int j = 0; j < dims; j++) {
        sum += Memory.getByte(row + j);
      }
      return sum;
    }

    /** Puts the signs by groups; those of columns without a row do not matter. */
    private void pack(int count, long target) {
      for (int group = 0; group < dims / GROUP; group++) {
        int word = group / (Long.SIZE / GROUP);
        int shift = group % (Long.SIZE / GROUP) * GROUP;
        for (int half = 0; half < 2; half++) {
          long bytes = 0;
          for (int i = 0; i < Long.BYTES; i++) {
            int column = half * (QUARTER / 2) + (i >>> 1) + (i & 1) * QUARTER;
            long low = column < count ? signs[column * words + word] >>> shift & 15 : 0;
            int above = column + HALF;
            long high = above < count ? signs[above * words + word] >>> shift & 15 : 0;
            bytes |= (low | high << GROUP) << (Long.BYTES * i);
          }
          Memory.putLong(target + (long) group * PATTERNS + (long) half * Long.BYTES, bytes);
        }
      }
    }
  }

  /** The nearest bfloat16: the upper half of a float32. */
  static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  static float ofBfloat16(short value) {
    return Float.intBitsToFloat(value << 16);
  }
}
