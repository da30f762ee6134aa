package io.omendb.index.distance;

import io.omendb.memory.Memory;

/**
 * The distance kernels of this process: SIMD of the width of {@link VectorWidth#current}, or
 * scalar.
 *
 * <p>All methods are pure, allocate nothing and may be called from any thread. Addresses are
 * absolute; callers guarantee that the rows stay mapped.
 */
public final class Kernels {
  /** Code rows are padded with zeros to a multiple of this many bytes. */
  public static final int CODE_BLOCK = 32;

  /** Float rows are padded with zeros to a multiple of this many float32. */
  public static final int FLOAT_BLOCK = 16;

  static final float SQRT_HALF = (float) Math.sqrt(0.5);

  static final boolean SIMD = VectorWidth.current() != VectorWidth.SCALAR;

  private Kernels() {}

  /** Rounds a dimension up to {@link #CODE_BLOCK}. */
  public static int paddedCodes(int dimension) {
    return (dimension + CODE_BLOCK - 1) / CODE_BLOCK * CODE_BLOCK;
  }

  /** Rounds a dimension up to {@link #FLOAT_BLOCK}. */
  public static int paddedFloats(int dimension) {
    return (dimension + FLOAT_BLOCK - 1) / FLOAT_BLOCK * FLOAT_BLOCK;
  }

  /** Squared Euclidean distance between a query's codes and one row of 7-bit codes. */
  public static int squaredL2(byte[] query, long row, int dims) {
    return SIMD
        ? SimdKernels.squaredL2(query, row, dims)
        : ScalarKernels.squaredL2(query, row, dims);
  }

  /** Squared Euclidean distance between two rows of 7-bit codes. */
  public static int squaredL2(long a, long b, int dims) {
    return SIMD ? SimdKernels.squaredL2(a, b, dims) : ScalarKernels.squaredL2(a, b, dims);
  }

  /**
   * Scores {@code count} rows of a code table against one query. The rows' cache lines are touched
   * first, in one pass without dependences, so that their loads overlap: this is the prefetch that
   * Java lacks (88 to 27 ns a distance for 128-byte codes at one million rows, Zen 4).
   *
   * @param base address of row 0
   * @param stride bytes from row to row
   * @param distances receives one distance for each of {@code ordinals}
   * @return a value without meaning that keeps the touches alive
   */
  public static int squaredL2(
      byte[] query, long base, long stride, int dims, int[] ordinals, int count, int[] distances) {
    int touched = 0;
    for (int i = 0; i < count; i++) {
      touched += Memory.touch(base + ordinals[i] * stride, dims);
    }
    for (int i = 0; i < count; i++) {
      distances[i] = squaredL2(query, base + ordinals[i] * stride, dims);
    }
    return touched;
  }

  /**
   * Multiplies components and transforms them, in place: the fast Walsh–Hadamard transform, which
   * adds and subtracts components 1, 2, 4, … and half the width apart.
   *
   * @param width a power of two
   * @param factors those of {@code vector[from..]} from {@code at} on
   */
  public static void hadamard(float[] vector, int from, int width, float[] factors, int at) {
    if (SIMD && width >= SimdKernels.LEAST_HADAMARD) {
      SimdKernels.hadamard(vector, from, width, factors, at);
    } else {
      ScalarKernels.hadamard(vector, from, width, factors, at);
    }
  }

  /**
   * Turns by an eighth the planes of the components {@code j} and {@code j + apart}, for each j
   * below {@code count}, in place: their sum and difference, each times {@link #SQRT_HALF}.
   */
  public static void turn(float[] vector, int count, int apart) {
    if (SIMD) {
      SimdKernels.turn(vector, count, apart);
    } else {
      ScalarKernels.turn(vector, 0, count, apart);
    }
  }

  /** Squared Euclidean distance between a padded query and a padded row of float32. */
  public static float squaredL2(float[] query, long row, int dims) {
    return SIMD
        ? SimdKernels.squaredL2(query, row, dims)
        : ScalarKernels.squaredL2(query, row, dims);
  }

  /** Dot product of a padded query and a padded row of float32. */
  public static float dot(float[] query, long row, int dims) {
    return SIMD ? SimdKernels.dot(query, row, dims) : ScalarKernels.dot(query, row, dims);
  }

  /** Sum of squares of a padded row of float32; not finite if a component is not. */
  public static float squaredNorm(long row, int dims) {
    return SIMD ? SimdKernels.squaredNorm(row, dims) : ScalarKernels.squaredNorm(row, dims);
  }
}
