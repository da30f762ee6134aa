package io.omendb.index.distance;

import java.util.Arrays;

/**
 * For each lane of a {@link Panel} the {@link #RANKS} nearest of some {@link WideRows}, of equals
 * those that come first. Found without a branch that depends on the data: eight sorted vectors of
 * keys, a key for each lane, and each row pushed through them.
 *
 * <pre>
 * key      int32: float32 bits of the squared distance, the last ten replaced by the row's number
 * keys     key[rank][Panel.LANES]
 * </pre>
 *
 * <p>Bits of floats that are not negative ascend as they do. What is cut off leaves distances of
 * whole numbers below 2^14 exact, and larger ones to one in 8,192.
 *
 * <p>One thread's own.
 */
public final class NearestRows {
  /** How many are found, at most. */
  public static final int RANKS = 8;

  /** Most rows to be sought in. */
  public static final int MOST_ROWS = 1 << 10;

  static final int ROW_MASK = MOST_ROWS - 1;

  /** Keys from here on are of no row, or of the lane's own. */
  private static final int INFINITE = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

  /** Rows whose products are in memory at a time, which is in the first-level cache. */
  private static final int BLOCK = 8 * WideRows.TILE;

  private final float[] dots = new float[BLOCK * Panel.LANES];
  private final int[] keys = new int[RANKS * Panel.LANES];

  /**
   * Finds them.
   *
   * @param count the first of the rows so many are sought in, at most {@link #MOST_ROWS}
   * @param own the row that is the vector of lane 0, the next that of lane 1 …: no lane finds its
   *     own; {@code count} for none
   */
  public void find(WideRows rows, int count, Panel panel, int own) {
    Arrays.fill(keys, Integer.MAX_VALUE);
    for (int first = 0; first < count; first += BLOCK) {
      int block = Math.min(BLOCK, count - first);
      for (int row = 0; row < block; row += WideRows.TILE) {
        rows.dots(first + row, panel, dots, row * Panel.LANES);
      }
      int lastOwn = Math.min(first + block, own + Panel.LANES);
      for (int row = Math.max(first, own); row < lastOwn; row++) {
        dots[(row - first) * Panel.LANES + row - own] = Float.NEGATIVE_INFINITY;
      }
      rows.offer(first, block, panel, dots, keys);
    }
  }

  /** The row of a rank, 0 for the nearest; −1 for none. */
  public int row(int rank, int lane) {
    int key = key(rank, lane);
    return key < INFINITE ? key & ROW_MASK : -1;
  }

  /** Orders what a lane has found: by distance, of equals by row. Large for none. */
  int key(int rank, int lane) {
    return keys[rank * Panel.LANES + lane];
  }

  /** The key of another row at the same distance. */
  static int withRow(int key, int row) {
    return (key & ~ROW_MASK) | row;
  }
}
