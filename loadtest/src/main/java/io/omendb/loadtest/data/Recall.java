package io.omendb.loadtest.data;

/**
 * Recall@k against exact answers. A hit counts when it is no farther than the true k-th neighbour:
 * rows at one distance are equally right answers, whichever of them the exact list names.
 *
 * <p>Distances are computed anew, from the vectors and in double precision: what a server says of
 * its own answers is not taken for granted.
 */
public final class Recall {

  /** Sums in another order differ in their last bits; far below what tells two rows apart. */
  private static final double TOLERANCE = 1e-6;

  private final Vectors base;
  private final Vectors queries;
  private final Metric metric;
  private final int k;
  private final double[] radius;

  /** Computes each query's radius, the distance of its true k-th neighbour. */
  public Recall(Vectors base, Vectors queries, Metric metric, Neighbours truth, int k) {
    this.base = base;
    this.queries = queries;
    this.metric = metric;
    this.k = k;
    this.radius = new double[queries.count()];
    for (int query = 0; query < radius.length; query++) {
      float[] vector = queries.row(query);
      double farthest = Double.NEGATIVE_INFINITY;
      for (int rank = 0; rank < k; rank++) {
        double distance = metric.distance(vector, base.row(truth.row(query, rank)));
        farthest = Math.max(farthest, distance);
      }
      radius[query] = farthest + TOLERANCE * Math.max(Math.abs(farthest), TOLERANCE);
    }
  }

  /** How many of the k true neighbours of a query are among the hits; a row counts once. */
  public int found(int query, long[] hits, int hitCount) {
    float[] vector = queries.row(query);
    int found = 0;
    for (int i = 0; i < Math.min(hitCount, k); i++) {
      long row = hits[i];
      if (row < 0 || row >= base.count() || contains(hits, i, row)) {
        continue;
      }
      if (metric.distance(vector, base.row((int) row)) <= radius[query]) {
        found++;
      }
    }
    return found;
  }

  /** Mean recall over all queries, from the sum of what {@link #found} gave. */
  public double mean(long foundInAll) {
    return (double) foundInAll / ((long) k * radius.length);
  }

  private static boolean contains(long[] hits, int length, long row) {
    for (int i = 0; i < length; i++) {
      if (hits[i] == row) {
        return true;
      }
    }
    return false;
  }
}
