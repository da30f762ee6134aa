package io.omendb.index.distance;

import io.omendb.memory.Memory;
import java.util.Arrays;

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

  /** Bit c: whether {@code addends[from + c] − 2 · dots[at + c]} is below a bound; see Panel. */
  static int below(float[] addends, int from, float[] dots, int at, float bound) {
    int below = 0;
    for (int c = 0; c < Panel.GROUP; c++) {
      if (addends[from + c] - 2 * dots[at + c] < bound) {
        below |= 1 << c;
      }
    }
    return below;
  }

  /** Products of four columns of one panel with a group of another; see {@link Panel}. */
  static void dots(
      float[] rows,
      int row,
      float[] columns,
      int column,
      int dims,
      float[] out,
      int at,
      int stride) {
    for (int r = 0; r < Panel.ROWS; r++) {
      int o = at + r * stride;
      Arrays.fill(out, o, o + Panel.GROUP, 0);
      for (int k = 0; k < dims; k++) {
        float a = rows[row + k * Panel.GROUP + r];
        int b = column + k * Panel.GROUP;
        for (int c = 0; c < Panel.GROUP; c++) {
          out[o + c] += a * columns[b + c];
        }
      }
    }
  }
}
