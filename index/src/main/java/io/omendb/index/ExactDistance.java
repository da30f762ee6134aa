package io.omendb.index;

import io.omendb.index.distance.Kernels;

/** The distances that users see, on full vectors: what {@link Similarity} promises. */
public final class ExactDistance {
  private ExactDistance() {}

  /**
   * Distance between a query and a stored row.
   *
   * @param query padded to {@link Kernels#FLOAT_BLOCK} with zeros
   * @param querySquaredNorm used by COSINE
   * @param row address of the padded row
   * @param rowSquaredNorm used by COSINE
   * @param paddedDimension of both
   */
  public static float distance(
      Similarity similarity,
      float[] query,
      float querySquaredNorm,
      long row,
      float rowSquaredNorm,
      int paddedDimension) {
    return switch (similarity) {
      case L2 -> Kernels.squaredL2(query, row, paddedDimension);
      case COSINE -> {
        double norms = Math.sqrt((double) querySquaredNorm * rowSquaredNorm);
        double distance = 1 - Kernels.dot(query, row, paddedDimension) / norms;
        yield (float) Math.clamp(distance, 0.0, 2.0); // of parallel vectors, rounding
      }
      case INNER_PRODUCT -> -Kernels.dot(query, row, paddedDimension);
    };
  }
}
