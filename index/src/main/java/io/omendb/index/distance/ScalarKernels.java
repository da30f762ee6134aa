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
   * @param query codes 0..127, at least {@code dims} long
   * @param row address of {@code dims} bytes
   */
  public static int squaredL2(byte[] query, long row, int dims) {
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

  /** See {@link WideRows#dots}; each product is rounded with its sum, as by SIMD. */
  static void dots(float[] rows, int row, int dims, float[] panel, float[] out, int at) {
    for (int r = 0; r < WideRows.TILE; r++) {
      int o = at + r * Panel.LANES;
      Arrays.fill(out, o, o + Panel.LANES, 0);
      for (int k = 0; k < dims; k++) {
        float a = rows[row + r * dims + k];
        for (int lane = 0; lane < Panel.LANES; lane++) {
          out[o + lane] = Math.fma(a, panel[k * Panel.LANES + lane], out[o + lane]);
        }
      }
    }
  }

  /** See {@link WideRows#offer}. */
  static void offer(
      float[] dots, float[] rowNorms, int first, int count, float[] laneNorms, int[] keys) {
    for (int row = 0; row < count; row++) {
      for (int lane = 0; lane < Panel.LANES; lane++) {
        float dot = dots[row * Panel.LANES + lane];
        float distance = laneNorms[lane] + rowNorms[first + row] - (dot + dot);
        int bits = Math.max(0, Float.floatToRawIntBits(distance));
        int key = NearestRows.withRow(bits, first + row);
        for (int at = lane; at < keys.length && key != Integer.MAX_VALUE; at += Panel.LANES) {
          int larger = Math.max(keys[at], key);
          keys[at] = Math.min(keys[at], key);
          key = larger;
        }
      }
    }
  }

  /** See {@link FastScan#scan}. */
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
    Arrays.fill(sums, (short) 0);
    for (int group = 0; group < groups; group++) {
      int from = group * FastScan.PATTERNS;
      for (int i = 0; i < FastScan.PATTERNS; i++) {
        int signs = Memory.getByte(block + FastScan.SIGNS + from + i);
        int column = (i >>> 1) + (i & 1) * FastScan.QUARTER;
        sums[column] += entries[from + (signs & 15)];
        sums[column + FastScan.HALF] += entries[from + (signs >>> 4 & 15)];
      }
    }
    return estimates(block, step, offset, distance, bound, sums, estimates);
  }

  /** The second half of {@link #fastScan}. */
  static int estimates(
      long block,
      float step,
      float offset,
      float distance,
      float bound,
      short[] sums,
      float[] estimates) {
    int below = 0;
    for (int c = 0; c < FastScan.COLUMNS; c++) {
      float product = Short.toUnsignedInt(sums[c]) * step + offset;
      float addend = FastScan.ofBfloat16(Memory.getShort(block + FastScan.ADDENDS + 2L * c));
      float factor = FastScan.ofBfloat16(Memory.getShort(block + FastScan.FACTORS + 2L * c));
      float estimate = Math.max(0, addend + distance - factor * product);
      estimates[c] = estimate;
      if (estimate < bound) {
        below |= 1 << c;
      }
    }
    return below;
  }

  /**
   * Signs of the difference of two code rows: what {@link FastScan} keeps of one of them.
   *
   * @param signs bit j from {@code signs[word]} on: component j of the row is above the centre's;
   *     the words are overwritten
   * @param sums receives the sum of absolute differences, and that of the centre's codes where the
   *     sign is set
   */
  static void residual(long centre, long row, int dims, long[] signs, int word, int[] sums) {
    int lengths = 0;
    int selected = 0;
    long bits = 0;
    for (int j = 0; j < dims; j++) {
      int u = Memory.getByte(centre + j);
      int r = Memory.getByte(row + j) - u;
      lengths += Math.abs(r);
      if (r > 0) {
        selected += u;
        bits |= 1L << j;
      }
      if ((j + 1) % Long.SIZE == 0 || j + 1 == dims) {
        signs[word + j / Long.SIZE] = bits;
        bits = 0;
      }
    }
    sums[0] = lengths;
    sums[1] = selected;
  }

  /**
   * Entries of a query by sign patterns of four components each; see {@link FastScan.Query}.
   *
   * @param centred its components, about zero
   */
  static void entries(
      short[] centred, int groups, int factor, int half, int shift, byte[] entries) {
    for (int group = 0; group < groups; group++) {
      int from = group * FastScan.GROUP;
      int reach = FastScan.reach(centred, from);
      for (int pattern = 0; pattern < FastScan.PATTERNS; pattern++) {
        int product = reach;
        for (int j = 0; j < FastScan.GROUP; j++) {
          product += (pattern >>> j & 1) == 0 ? -centred[from + j] : centred[from + j];
        }
        entries[group * FastScan.PATTERNS + pattern] = (byte) ((product * factor + half) >>> shift);
      }
    }
  }

  /** See {@link Kernels#hadamard}. */
  static void hadamard(float[] vector, int from, int width, float[] factors, int at) {
    for (int j = 0; j < width; j++) {
      vector[from + j] *= factors[at + j];
    }
    for (int half = 1; half < width; half *= 2) {
      for (int start = from; start < from + width; start += 2 * half) {
        for (int j = start; j < start + half; j++) {
          float a = vector[j];
          float b = vector[j + half];
          vector[j] = a + b;
          vector[j + half] = a - b;
        }
      }
    }
  }

  /** See {@link Kernels#turn}; from the {@code first} on. */
  static void turn(float[] vector, int first, int count, int apart) {
    for (int j = first; j < count; j++) {
      float a = vector[j];
      float b = vector[j + apart];
      vector[j] = (a + b) * Kernels.SQRT_HALF;
      vector[j + apart] = (a - b) * Kernels.SQRT_HALF;
    }
  }
}
