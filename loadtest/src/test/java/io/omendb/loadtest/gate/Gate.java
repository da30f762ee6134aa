package io.omendb.loadtest.gate;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.client.Await;
import io.omendb.loadtest.client.BulkFrames;
import io.omendb.loadtest.client.BulkLoad;
import io.omendb.loadtest.client.BulkOptions;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.SearchQuality;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.data.Vectors;
import io.omendb.loadtest.report.Progress;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.ServerStats;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletionException;

/**
 * Builds a collection as a user would, in bulk over gRPC with default settings, in a server with
 * the default heap of 256 MiB, and holds the graph to its promises. A gate tests the graph: every
 * row is linked, every answer came from it, and it compared a query with few rows.
 */
final class Gate implements AutoCloseable {

  static final String COLLECTION = "gate";

  /** Of a target of 0.99, calibrated on samples and measured with some hundred queries. */
  private static final double DEFAULT_FLOOR = 0.98;

  private static final int[] LADDER = {40, 80, 160, 224, 320, 448, 640};

  private static final Duration TIMEOUT = Duration.ofMinutes(20);
  private static final long HEAP_BYTES_MAX = 256L << 20;

  private final ServerProcess server;
  private final Connection connection;

  private Gate(ServerProcess server) {
    this.server = server;
    this.connection = new Connection(server.address());
  }

  /** Starts a server on an empty directory. */
  static Gate open(Path data) throws IOException {
    Gate gate =
        new Gate(
            ServerProcess.start(
                ServerProcess.Options.defaults(data).withArguments("--durability", "os")));
    gate.connection.awaitServing(TIMEOUT);
    return gate;
  }

  Connection connection() {
    return connection;
  }

  ServerProcess server() {
    return server;
  }

  /** Inserts all rows and waits until all of them are in the graph. */
  void build(Vectors rows, Metric metric, Visibility visibility) {
    CollectionConfig config =
        CollectionConfig.newBuilder()
            .setName(COLLECTION)
            .setDimension(rows.dimension())
            .setSimilarity(metric.similarity())
            .build();
    connection.create(config);
    BulkOptions options = new BulkOptions(2, 256, visibility);
    try (BulkFrames frames = new BulkFrames(rows, COLLECTION, options)) {
      BulkLoad.run(connection.channels(2), frames, Progress.NONE);
    } catch (CompletionException e) {
      throw new AssertionError("the load failed; " + server.describe(), e);
    }
    Await.until(
        TIMEOUT,
        () -> "all rows linked: " + stats() + "; the server said: " + server.log(),
        () -> stats().getLinkedCount() == rows.count());
  }

  /**
   * Searches all queries as the server chooses, which must reach the target, and with the widest
   * beam that keeps to the ceiling, and fails if a promise is not kept.
   *
   * @param distancesCeiling share of the rows
   */
  void check(Dataset set, double recallFloor, double distancesCeiling) {
    SearchQuality byDefault = SearchQuality.measure(connection, COLLECTION, set, 0);
    SearchQuality quality = ofGraph(set, distancesCeiling);
    double ceiling = distancesCeiling * set.base().count();
    System.out.printf(
        "gate: %s, %,d × %d, %s: recall@10 %.4f (floor %.2f), ef %d, %,.0f distances (at most"
            + " %,.0f); by default %.4f, ef %d, %,.0f distances%n",
        set.name(),
        set.base().count(),
        set.base().dimension(),
        set.metric().label(),
        quality.recall(),
        recallFloor,
        quality.ef(),
        quality.distanceComputations(),
        ceiling,
        byDefault.recall(),
        byDefault.ef(),
        byDefault.distanceComputations());
    CollectionStats stats = stats();
    ServerStats process = connection.serverStats();
    assertAll(
        () -> assertTrue(byDefault.recall() >= DEFAULT_FLOOR, byDefault::toString),
        () -> assertTrue(quality.recall() >= recallFloor, quality::toString),
        () -> assertTrue(quality.isFromGraphAlone(), quality::toString),
        () -> assertTrue(quality.distanceComputations() <= ceiling, quality::toString),
        () -> assertEquals(set.base().count(), stats.getLiveCount()),
        () -> assertEquals(0, stats.getBruteForceFallbackCount(), "searches without the graph"),
        () -> assertTrue(process.getHeapMaxBytes() <= HEAP_BYTES_MAX, "heap"));
  }

  private SearchQuality ofGraph(Dataset set, double distancesCeiling) {
    SearchQuality widest = SearchQuality.measure(connection, COLLECTION, set, LADDER[0]);
    for (int i = 1; i < LADDER.length; i++) {
      SearchQuality wider = SearchQuality.measure(connection, COLLECTION, set, LADDER[i]);
      if (wider.distanceComputations() > distancesCeiling * set.base().count()) {
        return widest;
      }
      widest = wider;
    }
    return widest;
  }

  CollectionStats stats() {
    return connection.stats(COLLECTION, false);
  }

  @Override
  public void close() {
    connection.close();
    server.close();
  }
}
