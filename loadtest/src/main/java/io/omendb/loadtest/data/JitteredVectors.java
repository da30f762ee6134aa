package io.omendb.loadtest.data;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * More rows than a set has: its own, and then these again with noise, another for each row. The
 * noise of a component is even, and as wide as {@link #WIDTH} of its standard deviation to either
 * side.
 *
 * <p>The rows depend on the set and their numbers alone.
 */
public final class JitteredVectors implements Vectors, AutoCloseable {
  /**
   * Copies of a row are as far from each other as near rows are: for a million photo-SIFT 214, and
   * the nearest of other rows 234. Half of the deviation makes clusters of copies, nearer to each
   * other than to any query; the whole makes rows unlike those of the set.
   */
  private static final float WIDTH = 0.7f;

  /** Rows that the deviations are taken of. */
  private static final int SAMPLE = 10_000;

  private final VectorFile rows;
  private final int count;
  private final float[] widths;

  /** Takes the file over. */
  public JitteredVectors(VectorFile rows, int count) {
    this.rows = rows;
    this.count = count;
    this.widths = widths(rows);
  }

  private static float[] widths(Vectors rows) {
    int dimension = rows.dimension();
    double[] sums = new double[dimension];
    double[] squares = new double[dimension];
    int sample = Math.min(SAMPLE, rows.count());
    for (int i = 0; i < sample; i++) {
      float[] row = rows.row((int) ((long) i * rows.count() / sample));
      for (int d = 0; d < dimension; d++) {
        sums[d] += row[d];
        squares[d] += (double) row[d] * row[d];
      }
    }
    float[] widths = new float[dimension];
    for (int d = 0; d < dimension; d++) {
      double mean = sums[d] / sample;
      widths[d] = WIDTH * (float) Math.sqrt(Math.max(0, squares[d] / sample - mean * mean));
    }
    return widths;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public int dimension() {
    return rows.dimension();
  }

  @Override
  public void copy(int from, int n, MemorySegment target, long offset, long stride) {
    Objects.checkFromIndexSize(from, n, count);
    int done = 0;
    while (done < n) {
      int row = (from + done) % rows.count();
      int some = Math.min(n - done, rows.count() - row);
      long at = offset + done * stride;
      rows.copy(row, some, target, at, stride);
      for (int i = 0; i < some; i++) {
        int number = from + done + i;
        if (number >= rows.count()) {
          jitter(number, target, at + i * stride);
        }
      }
      done += some;
    }
  }

  private void jitter(int number, MemorySegment target, long at) {
    long state = number * 0x9E37_79B9_7F4A_7C15L;
    for (int d = 0; d < widths.length; d++) {
      state = mix(state + d);
      float even = (state >>> 40) * 0x1p-23f - 1;
      long component = at + (long) d * Float.BYTES;
      float value = target.get(ValueLayout.JAVA_FLOAT_UNALIGNED, component);
      target.set(ValueLayout.JAVA_FLOAT_UNALIGNED, component, value + even * widths[d]);
    }
  }

  /** Of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
  private static long mix(long value) {
    long mixed = (value ^ value >>> 30) * 0xBF58_476D_1CE4_E5B9L;
    mixed = (mixed ^ mixed >>> 27) * 0x94D0_49BB_1331_11EBL;
    return mixed ^ mixed >>> 31;
  }

  @Override
  public void close() throws IOException {
    rows.close();
  }
}
