package io.omendb.index.distance;

import io.omendb.memory.Memory;

/**
 * Code rows widened to float32, one after the other: what a {@link Panel} is multiplied with.
 *
 * <p>Codes are whole numbers of 0 to 127, so a product is exact, and the same at any SIMD width,
 * while it stays below 2^24: up to 1,040 dimensions. Beyond, sums are rounded, one component after
 * the other, which is the same at any width too.
 *
 * <p>One thread writes; any may read then.
 */
public final class WideRows {
  /** Rows that are multiplied at a time: with two vectors of a panel they fill the registers. */
  public static final int TILE = 6;

  private final int dims;
  float[] values = new float[0];
  float[] squaredNorms = new float[0];

  /**
   * @param dims components of a row
   */
  public WideRows(int dims) {
    this.dims = dims;
  }

  /** Makes room for so many rows, each to be {@link #set}. What it held is lost. */
  public void resize(int rows) {
    int padded = Math.ceilDiv(rows, TILE) * TILE;
    if (squaredNorms.length < padded) {
      values = new float[padded * dims];
      squaredNorms = new float[padded];
    }
  }

  /** Copies a code row to a place. */
  public void set(int place, long row) {
    int at = place * dims;
    int squares = 0;
    for (int k = 0; k < dims; k++) {
      int code = Memory.getByte(row + k);
      values[at + k] = code;
      squares += code * code;
    }
    squaredNorms[place] = squares;
  }

  /** Copies full components to a place: their products are rounded. */
  public void setFloats(int place, float[] from, int at) {
    System.arraycopy(from, at, values, place * dims, dims);
  }

  /**
   * Products of {@link #TILE} rows with all lanes of a panel.
   *
   * @param first of the rows
   * @param out receives {@link Panel#LANES} products of each row, row after row, from {@code at} on
   */
  public void dots(int first, Panel panel, float[] out, int at) {
    if (Kernels.SIMD) {
      SimdKernels.dots(values, first * dims, dims, panel.values, out, at);
    } else {
      ScalarKernels.dots(values, first * dims, dims, panel.values, out, at);
    }
  }

  /**
   * Takes rows among the nearest of each lane; see {@link NearestRows}.
   *
   * @param dots as {@link #dots} gives them
   */
  void offer(int first, int count, Panel panel, float[] dots, int[] keys) {
    if (Kernels.SIMD) {
      SimdKernels.offer(dots, squaredNorms, first, count, panel.squaredNorms, keys);
    } else {
      ScalarKernels.offer(dots, squaredNorms, first, count, panel.squaredNorms, keys);
    }
  }

  /** Copies rows to the lanes of a panel. */
  public void copyTo(Panel panel, int first, int count) {
    for (int lane = 0; lane < count; lane++) {
      int at = (first + lane) * dims;
      for (int k = 0; k < dims; k++) {
        panel.values[k * Panel.LANES + lane] = values[at + k];
      }
      panel.squaredNorms[lane] = squaredNorms[first + lane];
    }
  }
}
