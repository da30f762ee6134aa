package io.omendb.loadtest.data;

import io.omendb.proto.v1.Similarity;
import java.util.Locale;

/**
 * A similarity as the benches name it, with its distance in double precision: the plain definition
 * which answers are judged by.
 */
public enum Metric {
  /** Squared Euclidean distance. */
  L2(Similarity.SIMILARITY_L2),
  /** 1 − cosine. */
  COSINE(Similarity.SIMILARITY_COSINE),
  /** Negated inner product. */
  IP(Similarity.SIMILARITY_INNER_PRODUCT);

  private final Similarity similarity;

  Metric(Similarity similarity) {
    this.similarity = similarity;
  }

  /** The same on the wire. */
  public Similarity similarity() {
    return similarity;
  }

  /** The name as options and reports have it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The distance; smaller is nearer. */
  public double distance(float[] x, float[] y) {
    return switch (this) {
      case L2 -> squaredL2(x, y);
      case COSINE -> 1 - dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
      case IP -> -dot(x, y);
    };
  }

  private static double squaredL2(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      double difference = (double) x[i] - y[i];
      sum += difference * difference;
    }
    return sum;
  }

  private static double dot(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (double) x[i] * y[i];
    }
    return sum;
  }
}
