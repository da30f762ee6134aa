package io.omendb.engine;

import io.omendb.index.Similarity;

/**
 * The norms that vectors may have, rows and queries alike: so large at most that every distance
 * between two of them is finite, and under cosine large enough that float32 has all its digits.
 */
public final class QueryNorm {
  /** ‖a − b‖² ≤ 4 · max(‖a‖², ‖b‖²). */
  public static final float MOST = Float.MAX_VALUE / 4;

  private QueryNorm() {}

  /** The squared norm of a vector, summed so that nothing overflows or is lost on the way. */
  public static float squared(float[] vector, int from, int dimension) {
    double sum = 0;
    for (int j = 0; j < dimension; j++) {
      sum += (double) vector[from + j] * vector[from + j];
    }
    return (float) sum;
  }

  /** Whether a vector of this squared norm may be stored or searched for. */
  public static boolean isValid(float squaredNorm, Similarity similarity) {
    return squaredNorm <= MOST
        && (squaredNorm >= Float.MIN_NORMAL || similarity != Similarity.COSINE);
  }

  /** What {@link #isValid} expects, in words. */
  public static String expected(Similarity similarity) {
    return similarity == Similarity.COSINE
        ? "a squared norm from " + Float.MIN_NORMAL + " to " + MOST
        : "a squared norm up to " + MOST;
  }
}
