package io.omendb.index.distance;

import io.omendb.memory.Memory;

/**
 * The specification of the kernels in plain loops; also what serves where there is no SIMD.
 *
 * <p>Addresses are absolute and must be readable for the stated length. Dimensions are those of the
 * padded row; padding is zero on both sides and adds nothing.
 */
public final class ScalarKernels {
  private ScalarKernels() {}

  /**
   * Squared Euclidean distance between a widened query code and one code row.
   *
   * @param query codes 0..127 as shorts, at least {@code dims} long
   * @param row address of {@code dims} bytes
   */
  public static int squaredL2(short[] query, long row, int dims) {
    int sum = 0;
    for (int i = 0; i < dims; i++) {
      int d = query[i] - Memory.getByte(row + i);
      sum += d * d;
    }
    return sum;
  }

  /** Squared Euclidean distance between two code rows of {@code dims} bytes. */
  public static int squaredL2(long a, long b, int dims) {
    int sum = 0;
    for (int i = 0; i < dims; i++) {
      int d = Memory.getByte(a + i) - Memory.getByte(b + i);
      sum += d * d;
    }
    return sum;
  }

  /** Squared Euclidean distance between a query and a row of {@code dims} float32. */
  public static float squaredL2(float[] query, long row, int dims) {
    float sum = 0;
    for (int i = 0; i < dims; i++) {
      float d = query[i] - Memory.getFloat(row + 4L * i);
      sum += d * d;
    }
    return sum;
  }

  /** Dot product of a query and a row of {@code dims} float32. */
  public static float dot(float[] query, long row, int dims) {
    float sum = 0;
    for (int i = 0; i < dims; i++) {
      sum += query[i] * Memory.getFloat(row + 4L * i);
    }
    return sum;
  }

  /**
   * Sum of squares of a row of {@code dims} float32; not finite if and only if a component is not
   * finite or the sum overflows.
   */
  public static float squaredNorm(long row, int dims) {
    float sum = 0;
    for (int i = 0; i < dims; i++) {
      float x = Memory.getFloat(row + 4L * i);
      sum += x * x;
    }
    return sum;
  }
}
