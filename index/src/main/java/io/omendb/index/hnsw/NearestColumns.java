package io.omendb.index.hnsw;

import io.omendb.index.distance.Panel;
import java.util.Arrays;

/**
 * The columns of a panel that are nearest to a row, ascending, of equals the first. One thread's
 * own.
 *
 * <p>Which columns count is said by bits, {@link Panel#GROUP} of them in an int.
 */
final class NearestColumns {
  private final float[] distances;
  private final int[] columns;
  private int size;

  /** For so many at most. */
  NearestColumns(int most) {
    distances = new float[most];
    columns = new int[most];
  }

  /** How many were found. */
  int size() {
    return size;
  }

  /** The column of a rank; 0 is the nearest. */
  int column(int rank) {
    return columns[rank];
  }

  /** The ints that say which of so many columns count. */
  static int groups(int columns) {
    return Math.ceilDiv(columns, Panel.GROUP);
  }

  /** Lets the first columns count. */
  static void setFirst(int columns, int[] counts) {
    int whole = columns / Panel.GROUP;
    Arrays.fill(counts, 0, whole, -1);
    if (columns % Panel.GROUP > 0) {
      counts[whole] = (1 << columns % Panel.GROUP) - 1;
    }
  }

  /**
   * Finds them.
   *
   * @param dots products of the row with all columns, from {@code at} on
   * @param wanted how many, at most
   * @param counts which columns count, from {@code from} on
   * @param except a column that does not; −1 for none
   */
  void find(Panel panel, float[] dots, int at, int wanted, int[] counts, int from, int except) {
    size = 0;
    float bound = Float.POSITIVE_INFINITY;
    for (int group = 0; group < groups(panel.size()); group++) {
      int those = counts[from + group];
      if (those != 0) {
        those &= panel.nearer(group, dots, at + group * Panel.GROUP, bound);
      }
      for (; those != 0; those &= those - 1) {
        int column = group * Panel.GROUP + Integer.numberOfTrailingZeros(those);
        float distance = panel.squaredNorm(column) - 2 * dots[at + column];
        if (distance < bound && column != except) {
          add(distance, column, wanted);
          if (size == wanted) {
            bound = distances[wanted - 1];
          }
        }
      }
    }
  }

  private void add(float distance, int column, int wanted) {
    int i = size < wanted ? size++ : wanted - 1;
    for (; i > 0 && distances[i - 1] > distance; i--) {
      distances[i] = distances[i - 1];
      columns[i] = columns[i - 1];
    }
    distances[i] = distance;
    columns[i] = column;
  }
}
