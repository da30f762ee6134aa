package io.omendb.loadtest.data;

import io.omendb.loadtest.report.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a bench runs on: rows, queries, and the exact neighbours of each query. */
public final class Dataset implements AutoCloseable {

  /** The k of recall@k. */
  public static final int K = 10;

  /** Queries whose given answers are computed anew, to see that they belong to this set. */
  private static final int PROBES = 8;

  private final String name;
  private final Vectors base;
  private final Vectors queries;
  private final Metric metric;
  private final Neighbours truth;
  private final Recall recall;

  private Dataset(String name, Vectors base, Vectors queries, Metric metric, Neighbours truth) {
    this.name = name;
    this.base = base;
    this.queries = queries;
    this.metric = metric;
    this.truth = truth;
    this.recall = new Recall(base, queries, metric, truth, K);
  }

  /**
   * Opens a set. Answers from a file serve if they fit: enough queries and neighbours, no row
   * beyond the base, and on a few queries as near as the true ones. Otherwise they are computed.
   *
   * @param limit how many of the first rows of the base to take
   * @param rows how many there are to be: where the base has fewer, {@link JitteredVectors}
   * @param queryLimit how many of the first queries to take
   */
  public static Dataset open(
      Path base,
      Path queries,
      @Nullable Path truth,
      int limit,
      int rows,
      int queryLimit,
      Metric metric,
      int threads,
      Progress progress)
      throws IOException {
    VectorFile baseFile = VectorFile.open(base, limit);
    VectorFile queryFile = VectorFile.open(queries, queryLimit);
    if (baseFile.dimension() != queryFile.dimension()) {
      throw new IOException(
          queries
              + " has dimension="
              + queryFile.dimension()
              + ", expected "
              + baseFile.dimension());
    }
    if (baseFile.count() < K) {
      throw new IOException(
          base + " has " + baseFile.count() + " rows, expected " + K + " or more");
    }
    Vectors all = rows > baseFile.count() ? new JitteredVectors(baseFile, rows) : baseFile;
    Neighbours given = truth == null ? null : Neighbours.read(truth);
    Neighbours neighbours =
        given != null && isTruth(given, all, queryFile, metric, threads)
            ? given
            : ExactNeighbours.find(all, queryFile, metric, K, threads, progress);
    return new Dataset(name(base), all, queryFile, metric, neighbours);
  }

  /** The file's name without its ending, and without "_base". */
  private static String name(Path base) {
    return base.getFileName().toString().replaceFirst("(_base)?\\.[fb]vecs$", "");
  }

  /** A set of vectors from elsewhere; computes the answers. */
  public static Dataset of(
      String name, Vectors base, Vectors queries, Metric metric, int threads, Progress progress) {
    Neighbours truth = ExactNeighbours.find(base, queries, metric, K, threads, progress);
    return new Dataset(name, base, queries, metric, truth);
  }

  private static boolean isTruth(
      Neighbours given, Vectors base, Vectors queries, Metric metric, int threads) {
    if (!given.fits(queries.count(), base.count(), K)) {
      return false;
    }
    int probes = Math.min(PROBES, queries.count());
    Vectors probe = ArrayVectors.of(probes, queries.dimension(), queries::row);
    Neighbours exact = ExactNeighbours.find(base, probe, metric, K, threads, Progress.NONE);
    Recall recall = new Recall(base, probe, metric, exact, K);
    for (int query = 0; query < probes; query++) {
      long[] rows = new long[K];
      for (int rank = 0; rank < K; rank++) {
        rows[rank] = given.row(query, rank);
      }
      if (recall.found(query, rows, K) < K) {
        return false;
      }
    }
    return true;
  }

  /** What to call it. */
  public String name() {
    return name;
  }

  /** The rows; a row's number is its id. */
  public Vectors base() {
    return base;
  }

  /** The queries. */
  public Vectors queries() {
    return queries;
  }

  /** What near means. */
  public Metric metric() {
    return metric;
  }

  /** The exact answers. */
  public Neighbours truth() {
    return truth;
  }

  /** Judges answers. */
  public Recall recall() {
    return recall;
  }

  @Override
  public void close() throws IOException {
    for (Vectors vectors : List.of(base, queries)) {
      switch (vectors) {
        case VectorFile file -> file.close();
        case JitteredVectors jittered -> jittered.close();
        default -> {}
      }
    }
  }
}
