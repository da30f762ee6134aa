package io.omendb.loadtest.bench;

import io.omendb.loadtest.client.Await;
import io.omendb.loadtest.client.BulkFrames;
import io.omendb.loadtest.client.BulkLoad;
import io.omendb.loadtest.client.BulkOptions;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.RawMessage;
import io.omendb.loadtest.client.SearchLoad;
import io.omendb.loadtest.client.SearchQuality;
import io.omendb.loadtest.client.Searches;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.report.BenchReport;
import io.omendb.loadtest.report.CurveRow;
import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.report.ProgressBar;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.ServerStats;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code omendb bench grpc}: what a client sees, end to end over real sockets. */
@Command(
    name = "grpc",
    header = "Measures a server end to end, over real sockets.",
    description =
        "Sends a set to a server over BulkInsert, waits until all of it is in the graph, and"
            + " searches with 1 to 16 clients. Prints a table; --json writes the same for"
            + " programs.")
final class GrpcBench implements Callable<Integer> {

  private static final Duration BUILD_TIMEOUT = Duration.ofHours(6);
  private static final Duration START_TIMEOUT = Duration.ofMinutes(1);
  private static final Duration WARM_UP = Duration.ofSeconds(2);

  /** When rows become searchable, as the option has it. */
  enum BulkVisibility {
    AFTER_BUILD(Visibility.VISIBILITY_AFTER_BUILD),
    IMMEDIATE(Visibility.VISIBILITY_IMMEDIATE);

    private final Visibility visibility;

    BulkVisibility(Visibility visibility) {
      this.visibility = visibility;
    }
  }

  @Mixin private DatasetOptions setOptions = new DatasetOptions();
  @Mixin private GraphOptions graphOptions = new GraphOptions();

  @Option(
      names = "--target",
      defaultValue = "embedded",
      paramLabel = "HOST:PORT|embedded",
      description =
          "A running server, or embedded: start one as a child process, with a heap of 256m."
              + " Default: ${DEFAULT-VALUE}.")
  private String target = "embedded";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Data directory of the embedded server. Default: a temporary one.")
  private @Nullable Path data;

  @Option(
      names = "--durability",
      defaultValue = "os",
      paramLabel = "MODE",
      description = "Of the embedded server: always, interval or os. Default: ${DEFAULT-VALUE}.")
  private String durability = "os";

  @Option(
      names = "--heap",
      defaultValue = "256m",
      paramLabel = "SIZE",
      description = "Heap of the embedded server. Default: ${DEFAULT-VALUE}.")
  private String heap = "256m";

  @Option(
      names = "--clients",
      defaultValue = "2",
      paramLabel = "N",
      description = "Bulk streams side by side. Default: ${DEFAULT-VALUE}.")
  private int clients;

  @Option(
      names = "--frame",
      defaultValue = "256",
      paramLabel = "N",
      description = "Vectors a frame. Default: ${DEFAULT-VALUE}.")
  private int frame;

  @Option(
      names = "--visibility",
      defaultValue = "after_build",
      paramLabel = "V",
      description = "after_build or immediate. Default: ${DEFAULT-VALUE}.")
  private BulkVisibility visibility = BulkVisibility.AFTER_BUILD;

  @Option(
      names = "--search-clients",
      split = ",",
      defaultValue = "1,2,4,8,16",
      paramLabel = "N",
      description = "Clients that search at once. Default: ${DEFAULT-VALUE}.")
  private List<Integer> searchClients = List.of();

  @Option(
      names = "--seconds",
      defaultValue = "5",
      paramLabel = "N",
      description = "How long each point of the curve is measured. Default: ${DEFAULT-VALUE}.")
  private int seconds;

  @Mixin private ReportOptions reportOptions = new ReportOptions();

  private final Progress progress = ProgressBar.onStandardError();
  private final BenchReport report = new BenchReport();

  @Override
  public Integer call() throws IOException {
    int threads = Runtime.getRuntime().availableProcessors();
    try (Dataset set = setOptions.open(threads, progress);
        BenchTarget server = BenchTarget.open(target, data, durability, heap);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(START_TIMEOUT);
      run(set, server, connection);
    }
    reportOptions.finish(report);
    return 0;
  }

  private void run(Dataset set, BenchTarget server, Connection connection) {
    String collection = "bench-" + ProcessHandle.current().pid() + "-" + System.nanoTime();
    create(connection, collection, set);
    try {
      BulkLoad.Times times;
      double buildSeconds;
      BulkOptions options = new BulkOptions(clients, frame, visibility.visibility);
      try (BulkFrames frames = new BulkFrames(set.base(), collection, options)) {
        frames.encodeAhead();
        progress.start("insert", set.base().count());
        long start = System.nanoTime();
        times = BulkLoad.run(connection.channels(clients), frames, progress);
        progress.finish();
        awaitLinked(connection, collection, set.base().count());
        buildSeconds = (System.nanoTime() - start) / 1e9;
      }
      CollectionStats stats = connection.stats(collection, true);
      describe(set, connection.serverStats(), stats, times, buildSeconds);
      for (int ef : graphOptions.efs()) {
        search(connection, collection, set, ef);
      }
      report.put("rss_max_bytes", server.peakResidentBytes(connection));
    } finally {
      drop(connection, collection);
    }
  }

  private void create(Connection connection, String collection, Dataset set) {
    CollectionConfig config =
        CollectionConfig.newBuilder()
            .setName(collection)
            .setDimension(set.base().dimension())
            .setSimilarity(set.metric().similarity())
            .setM(graphOptions.m())
            .setEfConstruction(graphOptions.efConstruction())
            .build();
    connection.create(config);
  }

  private static void drop(Connection connection, String collection) {
    connection
        .collections()
        .dropCollection(
            DropCollectionRequest.newBuilder()
                .setCollection(collection)
                .setAllowMissing(true)
                .build());
  }

  private static void awaitLinked(Connection connection, String collection, int count) {
    Await.until(
        BUILD_TIMEOUT,
        () -> "all rows linked; stats: " + connection.stats(collection, false),
        () -> connection.stats(collection, false).getLinkedCount() == count);
  }

  private void describe(
      Dataset set,
      ServerStats server,
      CollectionStats stats,
      BulkLoad.Times times,
      double buildSeconds) {
    int count = set.base().count();
    report.put("dataset", set.name());
    report.put("count", count);
    report.put("dimension", set.base().dimension());
    report.put("metric", set.metric().label());
    report.put("settings", settings());
    report.put("threads", Runtime.getRuntime().availableProcessors());
    report.put("durability", durabilityOf(server));
    report.put("build_seconds", buildSeconds, 3);
    report.put("vectors_per_second", count / buildSeconds, 1);
    report.put("acknowledged_per_second", count / times.acknowledged(), 1);
    report.put("durable_per_second", count / times.durable(), 1);
    report.put("searchable_per_second", count / times.searchable(), 1);
    report.put("bytes_per_vector", (double) stats.getFootprint().getMemoryBytes() / count, 1);
    report.put("heap_max_bytes", server.getHeapMaxBytes());
    report.put("rss_max_bytes", server.getResidentBytes());
    report.put("default_ef", stats.getDefaultEf());
    report.put("graph_hash", stats.getGraphHash());
    report.put("kernels", server.getKernels());
    report.put("direct_bytes", server.getVectorBytesByPath().getDirectBytes());
    report.put("heap_bytes", server.getVectorBytesByPath().getHeapBytes());
    report.put("fallback_bytes", server.getVectorBytesByPath().getFallbackBytes());
  }

  private Map<String, Object> settings() {
    Map<String, Object> settings = graphOptions.settings();
    settings.put("clients", clients);
    settings.put("frame", frame);
    settings.put("visibility", visibility.name().toLowerCase(Locale.ROOT));
    return settings;
  }

  /** What the server says, which is what counts when it was started by others. */
  private static String durabilityOf(ServerStats server) {
    String mode = server.getDurabilityMode().name().replace("DURABILITY_MODE_", "");
    return mode.toLowerCase(Locale.ROOT);
  }

  private void search(Connection connection, String collection, Dataset set, int ef) {
    SearchQuality quality = SearchQuality.measure(connection, collection, set, ef);
    List<RawMessage> queries = Searches.encoded(collection, set.queries(), ef);
    progress.start("search, ef " + ef, searchClients.size());
    SearchLoad.run(connection.channels(1), queries, WARM_UP);
    for (int searching : searchClients) {
      SearchLoad.Result result =
          SearchLoad.run(connection.channels(searching), queries, Duration.ofSeconds(seconds));
      report.add(
          CurveRow.of(
              ef,
              searching,
              quality.recall(),
              result.seconds(),
              result.latencies(),
              0,
              quality.distanceComputations()));
      progress.add(1);
    }
    progress.finish();
  }
}
