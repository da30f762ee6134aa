package io.omendb.index;

/**
 * The k nearest of what was offered, kept sorted; reused from search to search.
 *
 * <p>An entry is one long: the distance's bits made to sort as integers, then the ordinal. Equal
 * distances are kept in order of ordinal.
 */
public final class TopK {
  private long[] entries = new long[16];
  private int size;
  private int k;

  /** Forgets everything and keeps the next {@code k}. */
  public void reset(int newK) {
    if (entries.length < newK + 1) {
      entries = new long[newK + 1];
    }
    k = newK;
    size = 0;
  }

  /** Entries kept. */
  public int size() {
    return size;
  }

  /** A distance must be below this to be kept; +∞ until k are kept. */
  public float bound() {
    return size < k ? Float.POSITIVE_INFINITY : distance(size - 1);
  }

  /**
   * Offers one candidate; offered twice, it is kept once, at the first distance: the last bit of a
   * second one may differ, since it depends on how the kernel was compiled by then.
   */
  public void offer(float distance, int ordinal) {
    long entry = (long) sortable(distance) << 32 | ordinal;
    if (k == 0 || (size == k && entry >= entries[size - 1])) {
      return;
    }
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (entries[middle] < entry) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    for (int i = 0; i < size; i++) {
      if ((int) entries[i] == ordinal) {
        return;
      }
    }
    size = Math.min(size, k - 1);
    System.arraycopy(entries, low, entries, low + 1, size - low);
    entries[low] = entry;
    size++;
  }

  /** Ordinal of the i-th nearest. */
  public int ordinal(int i) {
    return (int) entries[i];
  }

  /** Distance of the i-th nearest. */
  public float distance(int i) {
    return Float.intBitsToFloat(sortableBits((int) (entries[i] >> 32)));
  }

  /** Maps float order to int order; its own inverse on the bits. */
  private static int sortable(float distance) {
    // -0 and +0 are one distance
    return sortableBits(Float.floatToRawIntBits(distance + 0.0f));
  }

  private static int sortableBits(int bits) {
    return bits ^ ((bits >> 31) & Integer.MAX_VALUE);
  }
}
