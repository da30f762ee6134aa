package io.omendb.loadtest.data;

import java.util.Arrays;

/** The nearest rows seen so far, as a binary heap with the farthest of them on top. */
final class NearestList {

  private final float[] distances;
  private final int[] rows;

  NearestList(int capacity) {
    distances = new float[capacity];
    rows = new int[capacity];
    Arrays.fill(distances, Float.POSITIVE_INFINITY);
    Arrays.fill(rows, -1);
  }

  /** Offers rows {@code first} to {@code first + n}. */
  void offerAll(float[] offered, int n, int first) {
    float farthest = distances[0];
    for (int i = 0; i < n; i++) {
      if (offered[i] < farthest || rows[0] < 0) {
        replaceFarthest(offered[i], first + i);
        farthest = distances[0];
      }
    }
  }

  private void replaceFarthest(float distance, int row) {
    int parent = 0;
    for (int child = 1; child < rows.length; child = 2 * parent + 1) {
      if (child + 1 < rows.length && isFarther(child + 1, child)) {
        child++;
      }
      if (rows[child] >= 0 && distances[child] <= distance) {
        break;
      }
      distances[parent] = distances[child];
      rows[parent] = rows[child];
      parent = child;
    }
    distances[parent] = distance;
    rows[parent] = row;
  }

  /** An empty place counts as farther than any row. */
  private boolean isFarther(int x, int y) {
    return rows[y] >= 0 && (rows[x] < 0 || distances[x] > distances[y]);
  }

  /** The rows, in no order. */
  int[] rows() {
    return rows.clone();
  }
}
