package io.omendb.loadtest.bench;

import io.omendb.loadtest.client.BulkFrames;
import io.omendb.loadtest.client.BulkLoad;
import io.omendb.loadtest.client.BulkOptions;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.SearchLoad;
import io.omendb.loadtest.client.Searches;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.data.SiftSmall;
import io.omendb.loadtest.report.Latencies;
import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.report.Table;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code omendb bench start}: what a fresh server gives, before its JIT has seen anything. */
@Command(
    name = "start",
    header = "Measures a fresh server: until it serves, its first inserts, its first searches.",
    description =
        "Each round starts a server on an empty directory and inserts 10,000 vectors of 128"
            + " dimensions, kills it, and starts it again for its first 1,000 searches by one"
            + " client, each the next when the last is answered. The client is warm: it did the"
            + " same to a server before.")
final class StartBench implements Callable<Integer> {
  private static final String COLLECTION = "start";
  private static final int FIRST_SEARCHES = 1_000;
  private static final Duration TIMEOUT = Duration.ofMinutes(1);
  private static final Duration WARM_UP = Duration.ofSeconds(3);

  @Option(names = "--rounds", paramLabel = "N", description = "Default: 5.")
  private int rounds = 5;

  /** Seconds and microseconds of one round. */
  private record Round(
      double servingEmpty,
      double searchable,
      double servingAgain,
      double p50Micros,
      double p99Micros) {}

  @Override
  public Integer call() throws IOException {
    try (TemporaryDirectory directory = TemporaryDirectory.create("omendb-start")) {
      SiftSmall.unpack(directory.path());
      try (Dataset set =
          Dataset.open(
              SiftSmall.base(directory.path()),
              SiftSmall.queries(directory.path()),
              SiftSmall.truth(directory.path()),
              Integer.MAX_VALUE,
              0,
              Integer.MAX_VALUE,
              Metric.L2,
              1,
              Progress.NONE)) {
        warmUp(set, directory.path().resolve("warm"));
        List<Round> all = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
          all.add(round(set, directory.path().resolve("round-" + round)));
        }
        System.out.print(table(all));
      }
    }
    return 0;
  }

  private static Table table(List<Round> rounds) {
    Table table = new Table("", "median", "best", "worst");
    row(table, "exec to serving, empty, s", rounds, Round::servingEmpty);
    row(table, "10,000 inserts searchable, s", rounds, Round::searchable);
    row(table, "exec to serving, 10,000 rows, s", rounds, Round::servingAgain);
    row(table, "first 1,000 searches, p50 µs", rounds, Round::p50Micros);
    row(table, "first 1,000 searches, p99 µs", rounds, Round::p99Micros);
    return table;
  }

  private static void row(
      Table table, String what, List<Round> rounds, ToDoubleFunction<Round> figure) {
    double[] sorted = rounds.stream().mapToDouble(figure).sorted().toArray();
    table.row(
        what, text(sorted[sorted.length / 2]), text(sorted[0]), text(sorted[sorted.length - 1]));
  }

  private static String text(double figure) {
    return String.format(Locale.ROOT, figure < 100 ? "%.2f" : "%,.0f", figure);
  }

  private static void warmUp(Dataset set, Path data) throws IOException {
    try (ServerProcess server = ServerProcess.start(ServerProcess.Options.defaults(data));
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(TIMEOUT);
      double unused = insert(connection, set);
      Latencies unusedToo = search(connection, set);
      var load =
          SearchLoad.run(
              connection.channels(1), Searches.encoded(COLLECTION, set.queries(), 0), WARM_UP);
      assert load.seconds() > 0;
    }
  }

  private static Round round(Dataset set, Path data) throws IOException {
    ServerProcess.Options options = ServerProcess.Options.defaults(data);
    double servingEmpty;
    double searchable;
    long start = System.nanoTime();
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(TIMEOUT);
      servingEmpty = secondsSince(start);
      searchable = insert(connection, set);
      server.kill();
    }
    start = System.nanoTime();
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(TIMEOUT);
      double servingAgain = secondsSince(start);
      Latencies first = search(connection, set);
      return new Round(servingEmpty, searchable, servingAgain, first.micros(50), first.micros(99));
    }
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** Returns the seconds until all are searchable. */
  private static double insert(Connection connection, Dataset set) {
    connection.create(
        CollectionConfig.newBuilder()
            .setName(COLLECTION)
            .setDimension(set.base().dimension())
            .setSimilarity(set.metric().similarity())
            .build());
    BulkOptions options = new BulkOptions(1, 256, Visibility.VISIBILITY_AFTER_BUILD);
    try (BulkFrames frames = new BulkFrames(set.base(), COLLECTION, options)) {
      return BulkLoad.run(connection.channels(1), frames, Progress.NONE).searchable();
    }
  }

  private static Latencies search(Connection connection, Dataset set) {
    Latencies latencies = new Latencies();
    for (int search = 0; search < FIRST_SEARCHES; search++) {
      SearchRequest request =
          Searches.request(COLLECTION, set.queries().row(search % set.queries().count()), 0)
              .build();
      long start = System.nanoTime();
      SearchResponse response = connection.vectors().search(request);
      latencies.record(System.nanoTime() - start);
      if (response.getHitsCount() != Dataset.K) {
        throw new IllegalStateException("hits=" + response.getHitsCount());
      }
    }
    return latencies;
  }
}
