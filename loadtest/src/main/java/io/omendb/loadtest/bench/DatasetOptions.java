package io.omendb.loadtest.bench;

import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.report.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that say which vectors a bench runs on. */
final class DatasetOptions {

  @Option(
      names = "--base",
      required = true,
      paramLabel = "FILE",
      description = "Vectors to insert: .fvecs or .bvecs.")
  private Path base = Path.of("");

  @Option(
      names = "--query",
      required = true,
      paramLabel = "FILE",
      description = "Queries: .fvecs or .bvecs.")
  private Path query = Path.of("");

  @Option(
      names = "--truth",
      paramLabel = "FILE",
      description =
          "Exact neighbours of the queries: .ivecs. Computed if not given, or if they do not fit"
              + " base, limit and metric.")
  private @Nullable Path truth;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Take only the first N vectors of the base.")
  private int limit = Integer.MAX_VALUE;

  @Option(names = "--queries", paramLabel = "N", description = "Take only the first N queries.")
  private int queries = Integer.MAX_VALUE;

  @Option(
      names = "--metric",
      defaultValue = "l2",
      paramLabel = "METRIC",
      description = "l2, cosine or ip. Default: ${DEFAULT-VALUE}.")
  private Metric metric = Metric.L2;

  Dataset open(int threads, Progress progress) throws IOException {
    return open(0, threads, progress);
  }

  /**
   * @param rows how many there are to be, if the base has fewer
   */
  Dataset open(int rows, int threads, Progress progress) throws IOException {
    return Dataset.open(base, query, truth, limit, rows, queries, metric, threads, progress);
  }

  /** As options, with which another process opens as many rows of it. */
  List<String> arguments(int rows) {
    return List.of(
        "--base", base.toString(),
        "--query", query.toString(),
        "--limit", Integer.toString(Math.min(limit, rows)),
        "--rows", Integer.toString(rows),
        "--queries", Integer.toString(queries),
        "--metric", metric.label());
  }

  Path base() {
    return base;
  }

  Path query() {
    return query;
  }
}
