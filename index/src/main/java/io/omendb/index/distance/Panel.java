package io.omendb.index.distance;

import io.omendb.memory.Memory;

/**
 * Code rows laid out for products of many with many: rows are the columns of groups of {@link
 * #GROUP}, component by component.
 *
 * <pre>
 * float32[group][component][GROUP]
 * </pre>
 *
 * <p>Codes are whole numbers of 0 to 127, so a product is exact, and the same at any SIMD width,
 * while it stays below 2^24: up to 1,040 dimensions. Beyond, sums are rounded, one component after
 * the other, which is the same at any width too.
 *
 * <p>One thread writes; any may read then.
 */
public final class Panel {
  /** Rows in a group. */
  public static final int GROUP = 32;

  /** Rows that {@link #dots} takes at a time; they lie in one group. */
  public static final int ROWS = 4;

  private static final boolean SIMD = VectorWidth.current() != VectorWidth.SCALAR;

  private final int dims;
  private float[] values = new float[0];
  private float[] squaredNorms = new float[0];
  private int size;

  /**
   * @param dims components of a row
   */
  public Panel(int dims) {
    this.dims = dims;
  }

  /** Rows that it holds. */
  public int size() {
    return size;
  }

  /** Rows up to the end of the last group. */
  public static int padded(int rows) {
    return (rows + GROUP - 1) / GROUP * GROUP;
  }

  /** Makes it hold so many rows, each to be {@link #set}. What it held is lost. */
  public void resize(int rows) {
    int columns = padded(rows);
    if (squaredNorms.length < columns) {
      values = new float[columns * dims];
      squaredNorms = new float[columns];
    }
    size = rows;
  }

  /** Copies a code row to a place. */
  public void set(int place, long row) {
    int at = start(place);
    float squares = 0;
    for (int k = 0; k < dims; k++) {
      float value = Memory.getByte(row + k);
      values[at] = value;
      squares += value * value;
      at += GROUP;
    }
    squaredNorms[place] = squares;
  }

  /** Sum of squares of a row. */
  public float squaredNorm(int place) {
    return squaredNorms[place];
  }

  /**
   * Products of {@link #ROWS} rows of this panel with all of a group of another.
   *
   * @param place of the first row, a multiple of {@link #ROWS}
   * @param out receives {@link #GROUP} products of the first row from {@code at} on, those of the
   *     next {@code stride} behind it
   */
  public void dots(int place, Panel other, int group, float[] out, int at, int stride) {
    int groupStart = group * GROUP * dims;
    if (SIMD) {
      SimdKernels.dots(values, start(place), other.values, groupStart, dims, out, at, stride);
    } else {
      ScalarKernels.dots(values, start(place), other.values, groupStart, dims, out, at, stride);
    }
  }

  /**
   * Which columns of a group are nearer than a bound, by their products with a row: bit c tells of
   * column c. The row's own squared norm is left out on both sides.
   *
   * @param at where the group's products lie
   * @param bound of squared norm − 2 · product
   */
  public int nearer(int group, float[] dots, int at, float bound) {
    return below(squaredNorms, group * GROUP, dots, at, bound);
  }

  /** Bit c of {@link #GROUP}: whether {@code addends[from + c] − 2 · dots[at + c]} is below. */
  public static int below(float[] addends, int from, float[] dots, int at, float bound) {
    return SIMD
        ? SimdKernels.below(addends, from, dots, at, bound)
        : ScalarKernels.below(addends, from, dots, at, bound);
  }

  private int start(int place) {
    return place / GROUP * GROUP * dims + place % GROUP;
  }
}
