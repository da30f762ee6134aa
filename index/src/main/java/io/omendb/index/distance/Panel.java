package io.omendb.index.distance;

import io.omendb.memory.Memory;

/**
 * {@link #LANES} code rows side by side, as float32, component by component: one operand of
 * products of many with many, of which {@link WideRows} is the other.
 *
 * <pre>
 * float32[component][LANES]
 * </pre>
 *
 * <p>One thread's own.
 */
public final class Panel {
  /** Rows that it holds. */
  public static final int LANES = 32;

  private final int dims;
  final float[] values;
  final float[] squaredNorms = new float[LANES];

  /**
   * @param dims components of a row
   */
  public Panel(int dims) {
    this.dims = dims;
    this.values = new float[dims * LANES];
  }

  /** Copies a code row to a lane. */
  public void set(int lane, long row) {
    int at = lane;
    int squares = 0;
    for (int k = 0; k < dims; k++) {
      int code = Memory.getByte(row + k);
      values[at] = code;
      squares += code * code;
      at += LANES;
    }
    squaredNorms[lane] = squares;
  }

  /** Copies {@link #LANES} codes to one component of all lanes. */
  public void setComponent(int component, long codes) {
    int at = component * LANES;
    for (int lane = 0; lane < LANES; lane++) {
      values[at + lane] = Memory.getByte(codes + lane);
    }
  }

  /** Copies rows of float32 to the first lanes: some components of all, then the next. */
  public void setFloats(long[] rows, int count) {
    for (int from = 0; from < dims; from += Kernels.FLOAT_BLOCK) {
      int to = Math.min(dims, from + Kernels.FLOAT_BLOCK);
      for (int lane = 0; lane < count; lane++) {
        long row = rows[lane];
        for (int k = from; k < to; k++) {
          values[k * LANES + lane] = Memory.getFloat(row + 4L * k);
        }
      }
    }
  }
}
