package io.omendb.loadtest.data;

import java.lang.foreign.MemorySegment;

/** Rows of float32 components, all of one dimension. Safe for use by many threads. */
public interface Vectors {

  /** Number of rows. */
  int count();

  /** Components of a row. */
  int dimension();

  /**
   * Copies {@code n} rows as float32 of the machine's byte order, the first to {@code offset} of
   * the target and each next one {@code stride} bytes further.
   */
  void copy(int from, int n, MemorySegment target, long offset, long stride);

  /** Copies rows one behind the other into an array. */
  default void copy(int from, int n, float[] target, int offset) {
    long rowBytes = (long) dimension() * Float.BYTES;
    copy(from, n, MemorySegment.ofArray(target), (long) offset * Float.BYTES, rowBytes);
  }

  /** A copy of one row. */
  default float[] row(int row) {
    float[] copy = new float[dimension()];
    copy(row, 1, copy, 0);
    return copy;
  }
}
