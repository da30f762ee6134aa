package io.omendb.loadtest.bench;

import com.google.protobuf.TextFormat;
import io.omendb.loadtest.client.Await;
import io.omendb.loadtest.client.BulkFrames;
import io.omendb.loadtest.client.BulkLoad;
import io.omendb.loadtest.client.BulkOptions;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.RawMessage;
import io.omendb.loadtest.client.SearchLoad;
import io.omendb.loadtest.client.SearchQuality;
import io.omendb.loadtest.client.Searches;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.data.SiftSmall;
import io.omendb.loadtest.report.Machine;
import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.report.ProgressBar;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CountResponse;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * {@code omendb demo}: a real server, a real set, a real {@code kill -9}. Fails if what it sees is
 * not what OmenDB promises.
 */
@Command(
    name = "demo",
    header = "Shows a server at work: inserts, searches, kill -9, searches again.",
    description = {
      "Starts a server on a temporary data directory, inserts 10,000 real vectors over gRPC,",
      "searches them, kills the server with -9, starts it again and searches again.",
      "Ends with 1 if a count, the recall or the way of the searches is not as promised."
    })
public final class DemoCommand implements Callable<Integer> {

  private static final String COLLECTION = "demo";
  private static final double RECALL_FLOOR = 0.98;
  private static final double DISTANCES_CEILING = 0.20;
  private static final Duration TIMEOUT = Duration.ofMinutes(1);
  private static final Duration SEARCH_TIME = Duration.ofSeconds(3);

  private final PrintStream out = System.out;
  private final Progress progress = ProgressBar.onStandardError();
  private final List<String> failures = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    try (TemporaryDirectory directory = TemporaryDirectory.create("omendb-demo")) {
      SiftSmall.unpack(directory.path());
      try (Dataset set =
          Dataset.open(
              SiftSmall.base(directory.path()),
              SiftSmall.queries(directory.path()),
              SiftSmall.truth(directory.path()),
              Integer.MAX_VALUE,
              Metric.L2,
              1,
              progress)) {
        run(set, ServerProcess.Options.defaults(directory.path().resolve("data")));
      }
    }
    failures.forEach(failure -> out.println("FAILED: " + failure));
    return failures.isEmpty() ? 0 : 1;
  }

  private void run(Dataset set, ServerProcess.Options options) throws IOException {
    out.printf(
        Locale.ROOT,
        "siftsmall (TEXMEX corpus): %,d vectors, %d dimensions, %d queries, L2%n%n",
        set.base().count(),
        set.base().dimension(),
        set.queries().count());
    BulkLoad.Times times;
    Observation before;
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(TIMEOUT);
      out.printf(
          "A server listens on port %d, process %d.%n", server.address().getPort(), server.pid());
      create(connection, set);
      times = insert(connection, set);
      before = observe("before kill -9", server, connection, set);
      server.kill();
      out.println("Killed it with -9.");
    }
    long start = System.nanoTime();
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(TIMEOUT);
      double seconds = (System.nanoTime() - start) / 1e9;
      out.printf(
          Locale.ROOT,
          "Started it again, process %d: serves after %.2f s.%n%n",
          server.pid(),
          seconds);
      Observation after = observe("after restart", server, connection, set);
      int status = server.terminate(TIMEOUT);
      check(status == 0, "exit status " + status + " after SIGTERM");
      out.println(DemoReport.of(set.base().count(), times, before, after));
    }
  }

  private static void create(Connection connection, Dataset set) {
    CollectionConfig config =
        CollectionConfig.newBuilder()
            .setName(COLLECTION)
            .setDimension(set.base().dimension())
            .setSimilarity(set.metric().similarity())
            .build();
    connection
        .collections()
        .createCollection(CreateCollectionRequest.newBuilder().setConfig(config).build());
  }

  private BulkLoad.Times insert(Connection connection, Dataset set) {
    BulkOptions options = new BulkOptions(1, 256, Visibility.VISIBILITY_AFTER_BUILD);
    try (BulkFrames frames = new BulkFrames(set.base(), COLLECTION, options)) {
      progress.start("insert", set.base().count());
      BulkLoad.Times times = BulkLoad.run(connection.channels(1), frames, progress);
      progress.finish();
      return times;
    }
  }

  private Observation observe(
      String when, ServerProcess server, Connection connection, Dataset set) {
    Await.until(
        TIMEOUT,
        () -> "all rows linked; " + singleLine(stats(connection)),
        () -> stats(connection).getLinkedCount() == set.base().count());
    CountResponse count =
        connection.vectors().count(CountRequest.newBuilder().setCollection(COLLECTION).build());
    SearchQuality quality = SearchQuality.measure(connection, COLLECTION, set, 0);
    List<RawMessage> queries = Searches.encoded(COLLECTION, set.queries(), 0);
    SearchLoad.Result searches = SearchLoad.run(connection.channels(1), queries, SEARCH_TIME);
    checkAll(when, set.base().count(), count, quality);
    return new Observation(
        count,
        quality,
        searches,
        stats(connection),
        connection.serverStats(),
        Machine.residentBytes(server.pid()));
  }

  private static CollectionStats stats(Connection connection) {
    return connection.stats(COLLECTION, false);
  }

  private static String singleLine(CollectionStats stats) {
    return TextFormat.printer().emittingSingleLine(true).printToString(stats);
  }

  private void checkAll(String when, int rows, CountResponse count, SearchQuality quality) {
    check(
        count.getCount() == rows && count.getSearchableCount() == rows,
        when + ": count " + count.getCount() + ", searchable " + count.getSearchableCount());
    check(quality.recall() >= RECALL_FLOOR, when + ": recall@10 is " + quality.recall());
    check(
        quality.isFromGraphAlone(),
        when
            + ": searched by "
            + quality.strategies()
            + ", unlinked rows "
            + quality.unlinkedRows());
    check(
        quality.distanceComputations() <= DISTANCES_CEILING * rows,
        when + ": " + quality.distanceComputations() + " distances a query");
  }

  private void check(boolean holds, String otherwise) {
    if (!holds) {
      failures.add(otherwise);
    }
  }
}
