package io.omendb.loadtest.bench;

import io.omendb.engine.Collection;
import io.omendb.engine.CollectionConfig;
import io.omendb.engine.CollectionStats;
import io.omendb.engine.Database;
import io.omendb.engine.DatabaseOptions;
import io.omendb.engine.UnlinkedBufferFullException;
import io.omendb.engine.Visibility;
import io.omendb.index.Similarity;
import io.omendb.loadtest.client.Await;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.report.BenchReport;
import io.omendb.loadtest.report.Latencies;
import io.omendb.loadtest.report.Machine;
import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.report.ProgressBar;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.FailureHandler;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code omendb bench index}: engine and index in this process, without gRPC. */
@Command(
    name = "index",
    header = "Measures engine and index in this process, without gRPC.",
    description =
        "Inserts a set into a collection in this process, waits until all of it is in the graph,"
            + " and searches with each ef and with the default ef. Prints a table; --json writes"
            + " the same for programs.")
final class IndexBench implements Callable<Integer> {

  private static final Duration BUILD_TIMEOUT = Duration.ofHours(6);
  private static final double TARGET_RECALL = 0.99;

  /** Rows of the build before the one that is measured. */
  private static final int WARM_ROWS = 20_000;

  private static final int WARM_BUILDS = 30;

  @Mixin private DatasetOptions setOptions = new DatasetOptions();
  @Mixin private GraphOptions graphOptions = new GraphOptions();

  @Option(
      names = "--threads",
      defaultValue = "2",
      paramLabel = "N",
      description = "Threads that build the graph. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--search-threads",
      defaultValue = "1",
      paramLabel = "N",
      description = "Threads that search. Default: ${DEFAULT-VALUE}.")
  private int searchThreads;

  @Option(
      names = "--durability",
      defaultValue = "os",
      paramLabel = "MODE",
      description = "always, interval or os. Default: ${DEFAULT-VALUE}.")
  private String durability = "os";

  @Option(
      names = "--frame",
      defaultValue = "256",
      paramLabel = "N",
      description = "Vectors a write. Default: ${DEFAULT-VALUE}.")
  private int frame;

  @Option(
      names = "--rows",
      paramLabel = "N",
      description =
          "So many rows, if the base has fewer: the further ones are those of the base again, with"
              + " noise.")
  private int rows;

  @Option(
      names = "--visibility",
      defaultValue = "AFTER_BUILD",
      paramLabel = "V",
      description =
          "AFTER_BUILD: rows are built at once when all are in. IMMEDIATE: they are found, and"
              + " linked, as they come. Default: ${DEFAULT-VALUE}.")
  private Visibility visibility = Visibility.AFTER_BUILD;

  @Option(
      names = "--warm",
      description =
          "Builds and drops a collection of the set's first 20,000 rows before, or thirty of all"
              + " of them where there are fewer: what is measured is a process that has built"
              + " before, whose code is compiled, and not one that starts.")
  private boolean warm;

  @Option(
      names = "--page-out",
      description =
          "At last takes every other page of the vectors out of memory and asks each query once.")
  private boolean pageOut;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Data directory; must be empty. Default: a temporary one.")
  private @Nullable Path data;

  @Option(
      names = "--seconds",
      defaultValue = "2",
      paramLabel = "N",
      description = "How long each ef is measured. Default: ${DEFAULT-VALUE}.")
  private int seconds;

  @Mixin private ReportOptions reportOptions = new ReportOptions();

  private final Progress progress = ProgressBar.onStandardError();
  private final BenchReport report = new BenchReport();

  @Override
  public Integer call() throws IOException {
    try (Dataset set = setOptions.open(rows, threads, progress)) {
      if (data == null) {
        try (TemporaryDirectory directory = TemporaryDirectory.create("omendb-bench")) {
          run(set, directory.path());
        }
      } else {
        run(set, data);
      }
    }
    reportOptions.finish(report);
    return 0;
  }

  private void run(Dataset set, Path directory) throws IOException {
    DatabaseOptions options =
        new DatabaseOptions(Durability.parse(durability), threads, FailureHandler.HALT);
    try (Database database = Database.open(directory, options)) {
      if (warm) {
        warm(database, set);
      }
      Collection collection = database.create(config("bench", set));
      long cpu = Machine.processorNanos();
      long start = System.nanoTime();
      build(collection, set, set.base().count());
      double seconds = (System.nanoTime() - start) / 1e9;
      double cpuSeconds = (Machine.processorNanos() - cpu) / 1e9;
      describe(set, collection.stats(true), seconds, cpuSeconds);
      report.put("disk_bytes", collection.diskBytes());
      search(collection, set);
    }
    report.put("rss_max_bytes", Machine.peakResidentBytes(ProcessHandle.current().pid()));
  }

  /**
   * Builds and drops collections as large as the one to come, where that is small: the second of
   * 10,000 rows takes 1.0 s, the third 0.7 and from the tenth on 0.45.
   */
  private void warm(Database database, Dataset set) throws IOException {
    int ofOne = Math.min(WARM_ROWS, set.base().count());
    int builds = ofOne < WARM_ROWS ? WARM_BUILDS : 1;
    for (int build = 0; build < builds; build++) {
      build(database.create(config("warm", set)), set, ofOne);
      database.drop("warm");
    }
  }

  private void build(Collection collection, Dataset set, int count) throws IOException {
    insert(collection, set, count);
    awaitLinked(collection, count);
  }

  private CollectionConfig config(String name, Dataset set) {
    return new CollectionConfig(
        name,
        set.base().dimension(),
        similarity(set.metric()),
        IdKind.NUMERIC,
        graphOptions.m(),
        graphOptions.efConstruction(),
        TARGET_RECALL,
        0,
        graphOptions.profile());
  }

  private static Similarity similarity(Metric metric) {
    return switch (metric) {
      case L2 -> Similarity.L2;
      case COSINE -> Similarity.COSINE;
      case IP -> Similarity.INNER_PRODUCT;
    };
  }

  /** As a bulk stream does it. */
  private void insert(Collection collection, Dataset set, int count) throws IOException {
    DatasetRows rows = new DatasetRows(set.base());
    AppendResult result = new AppendResult();
    progress.start("insert", count);
    collection.beginBuild();
    try {
      for (int first = 0; first < count; first += frame) {
        int n = Math.min(frame, count - first);
        rows.set(first, n);
        if (visibility == Visibility.IMMEDIATE) {
          Await.until(BUILD_TIMEOUT, () -> "room", () -> !collection.unlinkedBufferFull());
        }
        collection.append(rows, WriteMode.UPSERT, visibility, result);
        progress.add(n);
      }
    } catch (InvalidRowsException | UnlinkedBufferFullException e) {
      throw new IOException("rows from " + rows.numericId(0) + " on were refused", e);
    } finally {
      collection.endBuild();
    }
    progress.finish();
  }

  private void awaitLinked(Collection collection, int count) {
    AtomicLong shown = new AtomicLong();
    progress.start("link", count);
    Await.until(
        BUILD_TIMEOUT,
        () -> "all rows linked: " + collection.stats(false),
        () -> {
          CollectionStats stats = collection.stats(false);
          progress.add(stats.linkedCount() - shown.getAndSet(stats.linkedCount()));
          return stats.linkedCount() == count;
        });
    progress.finish();
  }

  private void describe(
      Dataset set, CollectionStats stats, double buildSeconds, double buildCpuSeconds) {
    int count = set.base().count();
    report.put("dataset", set.name());
    report.put("count", count);
    report.put("dimension", set.base().dimension());
    report.put("metric", set.metric().label());
    report.put("settings", graphOptions.settings());
    report.put("threads", threads);
    report.put("warm", warm);
    report.put("visibility", visibility.name());
    report.put("durability", durability);
    report.put("build_seconds", buildSeconds, 3);
    report.put("build_cpu_seconds", buildCpuSeconds, 3);
    report.put("vectors_per_second", count / buildSeconds, 1);
    report.put("bytes_per_vector", (double) stats.footprint().memoryBytes() / count, 1);
    report.put("heap_max_bytes", Runtime.getRuntime().maxMemory());
    report.put("rss_max_bytes", Machine.peakResidentBytes(ProcessHandle.current().pid()));
    report.put("default_ef", stats.defaultEf());
    report.put("default_reach", stats.calibration().reach(), 4);
    report.put("scoring", stats.calibration().scoring().name());
    report.put("graph_hash", Objects.requireNonNullElse(stats.graphHash(), ""));
  }

  private void search(Collection collection, Dataset set) throws IOException {
    try (EngineSearch search = new EngineSearch(collection, set)) {
      for (int ef : graphOptions.efs()) {
        progress.start("search, ef " + ef, 1);
        report.add(search.measure(ef, searchThreads, Duration.ofSeconds(seconds)));
        progress.add(1);
        progress.finish();
      }
      if (pageOut) {
        Latencies latencies = search.measureWithHalfPagedOut();
        report.put("paged_out_p50_us", latencies.micros(50), 1);
        report.put("paged_out_p99_us", latencies.micros(99), 1);
        report.put("paged_out_qps", 1e6 / latencies.meanMicros(), 1);
      }
    }
  }
}
