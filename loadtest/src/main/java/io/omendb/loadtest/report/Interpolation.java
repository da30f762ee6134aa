package io.omendb.loadtest.report;

/** What a curve has between its points. */
public final class Interpolation {
  private Interpolation() {}

  /**
   * A figure where a curve reaches a recall, between its points on a logarithmic scale; NaN where
   * it does not reach it. A curve that begins above it has the figure of its first point.
   *
   * @param recalls ascending
   * @param figures positive
   */
  public static double atRecall(double[] recalls, double[] figures, double recall) {
    for (int i = 0; i < recalls.length; i++) {
      if (recalls[i] >= recall) {
        int below = Math.max(0, i - 1);
        return between(recalls[below], figures[below], recalls[i], figures[i], recall);
      }
    }
    return Double.NaN;
  }

  private static double between(double low, double at, double high, double then, double recall) {
    if (high <= low) {
      return then;
    }
    double share = Math.max(0, (recall - low) / (high - low));
    return Math.exp(Math.log(at) + share * (Math.log(then) - Math.log(at)));
  }
}
