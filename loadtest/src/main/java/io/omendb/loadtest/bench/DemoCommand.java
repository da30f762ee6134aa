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
import io.omendb.loadtest.data.Words;
import io.omendb.loadtest.report.Machine;
import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.report.ProgressBar;
import io.omendb.loadtest.report.Style;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CountResponse;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;

/**
 * {@code omendb demo}: a real server, real words, a real {@code kill -9}. Fails if what it sees is
 * not what OmenDB promises.
 */
@Command(
    name = "demo",
    header = "Shows a server at work: inserts, searches, kill -9, searches again.",
    description =
        "Starts a server on a temporary data directory, inserts 99,500 English words as vectors"
            + " over gRPC, shows the nearest of some, kills the server with -9, starts it again and"
            + " searches again. Ends with 1 if a count, the recall or the way of the searches is"
            + " not as promised.")
public final class DemoCommand implements Callable<Integer> {

  private static final String COLLECTION = "words";
  private static final List<String> SHOWN =
      List.of("king", "guitar", "paris", "monday", "volcano", "bread");
  private static final int SHOWN_NEIGHBOURS = 6;
  private static final double RECALL_FLOOR = 0.97;
  private static final double DISTANCES_CEILING = 0.20;
  private static final Duration TIMEOUT = Duration.ofMinutes(3);
  private static final Duration WARM_UP = Duration.ofSeconds(2);
  private static final Duration SEARCH_TIME = Duration.ofSeconds(2);
  private static final long POLL_MILLIS = 100;

  private final PrintStream out = System.out;
  private final Progress progress = ProgressBar.onStandardError();
  private final List<String> failures = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    Words words = Words.load();
    Words base = words.base();
    Words queries = words.queries();
    out.printf(
        Locale.ROOT,
        "%s: %,d English words as vectors of %d dimensions (GloVe), cosine similarity.%n",
        Style.BOLD.of("The data"),
        base.names().size(),
        base.vectors().dimension());
    try (TemporaryDirectory directory = TemporaryDirectory.create("omendb-demo");
        Dataset set =
            Dataset.of(
                COLLECTION,
                base.vectors(),
                queries.vectors(),
                Metric.COSINE,
                threads(),
                progress)) {
      run(set, base.names(), ServerProcess.Options.defaults(directory.path().resolve("data")));
    }
    if (failures.isEmpty()) {
      out.println(next());
    }
    return failures.isEmpty() ? 0 : 1;
  }

  private static int threads() {
    return Runtime.getRuntime().availableProcessors();
  }

  private void run(Dataset set, List<String> names, ServerProcess.Options options)
      throws IOException {
    BulkLoad.Times times;
    Observation before;
    Map<String, List<String>> shown;
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(TIMEOUT);
      out.printf(
          "%s: process %d, listens on port %d.%n%n",
          Style.BOLD.of("The server"), server.pid(), server.address().getPort());
      create(connection, set);
      times = insert(connection, set);
      shown = show(connection, set, names);
      before = observe("before kill -9", server, connection, set);
      server.kill();
    }
    long start = System.nanoTime();
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(TIMEOUT);
      double seconds = (System.nanoTime() - start) / 1e9;
      out.printf(
          Locale.ROOT,
          "%n%s, and started again as process %d: serves after %.2f s.%n",
          Style.BOLD.of("Killed with -9"),
          server.pid(),
          seconds);
      Observation after = observe("after restart", server, connection, set);
      check(neighbours(connection, set, names).equals(shown), "other neighbours after the restart");
      int status = server.terminate(TIMEOUT);
      check(status == 0, "exit status " + status + " after SIGTERM");
      out.println(DemoReport.of(set.base().count(), times, before, after));
      out.println(verdict(after));
    }
  }

  private String verdict(Observation after) {
    if (!failures.isEmpty()) {
      return Style.RED.of("FAILED: " + String.join("; ", failures));
    }
    return Style.GREEN.of("PASSED")
        + String.format(
            Locale.ROOT,
            ": all %,d acknowledged words are there after kill -9, and the same neighbours are"
                + " found; recall@10 is %.3f.",
            after.count().getCount(),
            after.quality().recall());
  }

  private static String next() {
    return """

    Next:
      ./omendb serve --data ./data      a server for your own vectors, on 127.0.0.1:50051
      README.md                         how to call it from Python, Go, Node and Java
      ./omendb bench index --help       figures on your own data\
    """
        .stripTrailing();
  }

  private static void create(Connection connection, Dataset set) {
    CollectionConfig config =
        CollectionConfig.newBuilder()
            .setName(COLLECTION)
            .setDimension(set.base().dimension())
            .setSimilarity(set.metric().similarity())
            .build();
    connection.create(config);
  }

  /** Inserts, and shows how far the rows are linked once they are acknowledged. */
  private BulkLoad.Times insert(Connection connection, Dataset set) {
    int rows = set.base().count();
    BulkOptions options = new BulkOptions(1, 256, Visibility.VISIBILITY_AFTER_BUILD);
    try (BulkFrames frames = new BulkFrames(set.base(), COLLECTION, options)) {
      progress.start("insert", rows);
      CompletableFuture<BulkLoad.Times> load =
          CompletableFuture.supplyAsync(
              () -> BulkLoad.run(connection.channels(2).subList(1, 2), frames, progress));
      boolean linking = false;
      long linked = 0;
      while (!load.isDone()) {
        CollectionStats stats = stats(connection);
        if (!linking && stats.getLiveCount() == rows) {
          linking = true;
          progress.start("link", rows);
        }
        if (linking) {
          progress.add(stats.getLinkedCount() - linked);
          linked = stats.getLinkedCount();
        }
        LockSupport.parkNanos(Duration.ofMillis(POLL_MILLIS).toNanos());
      }
      progress.add(linking ? rows - linked : 0);
      progress.finish();
      return load.join();
    }
  }

  private Map<String, List<String>> show(Connection connection, Dataset set, List<String> names) {
    Map<String, List<String>> found = neighbours(connection, set, names);
    out.printf("%n%s, as the server finds them:%n", Style.BOLD.of("Nearest words"));
    found.forEach((word, nearest) ->
        out.printf(
            "  %s  %s%n", Style.BOLD.of("%-8s".formatted(word)), String.join(", ", nearest)));
    return found;
  }

  private static Map<String, List<String>> neighbours(
      Connection connection, Dataset set, List<String> names) {
    Map<String, List<String>> found = new LinkedHashMap<>();
    for (String word : SHOWN) {
      float[] vector = set.base().row(names.indexOf(word));
      SearchRequest request =
          Searches.request(COLLECTION, vector, 0).setK(SHOWN_NEIGHBOURS + 1).build();
      found.put(
          word,
          connection.vectors().search(request).getHitsList().stream()
              .map(hit -> names.get(Math.toIntExact(hit.getNumericId())))
              .filter(name -> !name.equals(word))
              .limit(SHOWN_NEIGHBOURS)
              .toList());
    }
    return found;
  }

  private Observation observe(
      String when, ServerProcess server, Connection connection, Dataset set) {
    Await.until(
        TIMEOUT,
        () -> "all rows linked; " + singleLine(stats(connection)),
        () -> stats(connection).getLinkedCount() == set.base().count());
    CountResponse count =
        connection.vectors().count(CountRequest.newBuilder().setCollection(COLLECTION).build());
    List<RawMessage> queries = Searches.encoded(COLLECTION, set.queries(), 0);
    var unused = SearchLoad.run(connection.channels(1), queries, WARM_UP);
    SearchQuality quality = SearchQuality.measure(connection, COLLECTION, set, 0);
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
