package io.omendb.loadtest.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CountResponse;
import io.omendb.proto.v1.GetRequest;
import io.omendb.proto.v1.GetResponse;
import io.omendb.proto.v1.SearchBatchRequest;
import io.omendb.proto.v1.SearchResult;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.proto.v1.VectorRecord;
import io.omendb.proto.v1.Visibility;
import io.omendb.storage.StorageVerifier;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Kills a real server with -9 while clients write, starts it again on the same directory, and holds
 * what it then has against what the clients know. Repeat a run with {@code -Dseed=}.
 */
class KillNineTest {

  private static final String COLLECTION = "crash";
  private static final int BATCH = 500;
  private static final Duration SERVING = Duration.ofMinutes(3);

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final Path data;

  /** Searches by the graph that did not find the vector itself, of all such searches. */
  private int missed;

  private int searched;

  KillNineTest(@TempDir Path data) {
    this.data = data;
    System.out.println("KillNineTest: seed " + seed);
  }

  @Test
  void keepsWhatItAcknowledged() throws Exception {
    run("os", 2);
  }

  @Tag("ci")
  @ParameterizedTest
  @ValueSource(strings = {"always", "interval", "os"})
  void keepsWhatItAcknowledgedOverManyCrashes(String durability) throws Exception {
    run(durability, 5);
  }

  private void run(String durability, int crashes) throws Exception {
    List<LoadClient> clients =
        List.of(
            new UnaryClient(1, random.split()),
            new UnaryClient(2, random.split()),
            new BulkClient(3, random.split(), Visibility.VISIBILITY_IMMEDIATE),
            new BulkClient(4, random.split(), Visibility.VISIBILITY_AFTER_BUILD));
    ServerProcess.Options options =
        ServerProcess.Options.defaults(data).withArguments("--durability", durability);
    for (int crash = 0; crash <= crashes; crash++) {
      try (ServerProcess server = ServerProcess.start(options);
          Connection connection = new Connection(server.address())) {
        connection.awaitServing(SERVING);
        if (crash == 0) {
          create(connection);
        }
        verify(connection, clients);
        if (crash < crashes) {
          killUnderLoad(server, clients);
        } else {
          clients.forEach(client -> client.finish(connection, COLLECTION));
          verify(connection, clients);
          assertEquals(0, server.terminate(Duration.ofMinutes(3)), server::log);
        }
      }
    }
    assertTrue(
        missed <= searched / 500,
        missed + " of " + searched + " vectors not found by the graph, seed " + seed);
    assertEquals(List.of(), StorageVerifier.verify(data).problems(), "seed " + seed);
  }

  private static void create(Connection connection) {
    CollectionConfig config =
        CollectionConfig.newBuilder()
            .setName(COLLECTION)
            .setDimension(Records.DIMENSION)
            .setSimilarity(Similarity.SIMILARITY_L2)
            .build();
    connection.create(config);
  }

  private void killUnderLoad(ServerProcess server, List<LoadClient> clients)
      throws InterruptedException, ExecutionException {
    try (ExecutorService executor = Executors.newCachedThreadPool()) {
      List<Future<Status>> ends = new ArrayList<>();
      List<Connection> connections = new ArrayList<>();
      for (LoadClient client : clients) {
        Connection own = new Connection(server.address());
        connections.add(own);
        ends.add(executor.submit(() -> client.run(own, COLLECTION)));
      }
      // Not a wait for a state: the moment of the crash is what is random here.
      TimeUnit.MILLISECONDS.sleep(random.nextInt(200, 1500));
      assertTrue(server.isAlive(), () -> "the server ended by itself: " + server.log());
      server.kill();
      for (Future<Status> end : ends) {
        Status status = end.get();
        assertEquals(Status.Code.UNAVAILABLE, status.getCode(), () -> status + ", seed " + seed);
      }
      connections.forEach(Connection::close);
    }
  }

  private void verify(Connection connection, List<LoadClient> clients) throws IOException {
    long live = 0;
    long searchable = 0;
    for (LoadClient client : clients) {
      Map<Long, Integer> found = new HashMap<>();
      List<Long> ids = client.oracle.ids();
      for (int from = 0; from < ids.size(); from += BATCH) {
        List<Long> batch = ids.subList(from, Math.min(from + BATCH, ids.size()));
        for (VectorRecord record : get(connection, batch).getRecordsList()) {
          found.put(record.getNumericId(), Records.version(record));
        }
      }
      client.recovered(found);
      live += found.size();
      if (client.isSearchable()) {
        searchable += found.size();
        searchAll(connection, found);
      }
    }
    CountResponse count =
        connection.vectors().count(CountRequest.newBuilder().setCollection(COLLECTION).build());
    assertEquals(live, count.getCount(), "count, seed " + seed);
    assertTrue(count.getSearchableCount() >= searchable, "searchable, seed " + seed);
  }

  private static GetResponse get(Connection connection, List<Long> ids) {
    return connection
        .vectors()
        .get(
            GetRequest.newBuilder()
                .setCollection(COLLECTION)
                .addAllNumericIds(ids)
                .setIncludeVectors(true)
                .setIncludePayloads(true)
                .setVectorFormat(VectorFormat.VECTOR_FORMAT_BYTES_LE)
                .build());
  }

  /**
   * Every record must be its own nearest: always by exact search, and hardly ever not by the graph.
   */
  private void searchAll(Connection connection, Map<Long, Integer> found) {
    List<Long> ids = List.copyOf(found.keySet());
    for (int from = 0; from < ids.size(); from += BATCH) {
      List<Long> batch = ids.subList(from, Math.min(from + BATCH, ids.size()));
      missed += notNearest(connection, batch, found, false).size();
      List<Long> notFound = notNearest(connection, batch, found, true);
      assertEquals(
          List.of(),
          notFound,
          () ->
              "not found by exact search, seed %d, which found %s; %s"
                  .formatted(
                      seed,
                      nearest(connection, notFound, found, true),
                      connection.stats(COLLECTION, false)));
    }
    searched += ids.size();
  }

  private static List<Long> notNearest(
      Connection connection, List<Long> ids, Map<Long, Integer> versions, boolean exact) {
    List<SearchResult> results = nearest(connection, ids, versions, exact);
    List<Long> notNearest = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      SearchResult result = results.get(i);
      if (result.getHitsCount() == 0 || result.getHits(0).getNumericId() != ids.get(i)) {
        notNearest.add(ids.get(i));
      }
    }
    return notNearest;
  }

  private static List<SearchResult> nearest(
      Connection connection, List<Long> ids, Map<Long, Integer> versions, boolean exact) {
    SearchBatchRequest.Builder request =
        SearchBatchRequest.newBuilder().setCollection(COLLECTION).setK(1).setExact(exact);
    request.setVectorsLe(
        ByteString.copyFrom(
            ids.stream().map(id -> Records.vector(id, version(versions, id))).toList()));
    return connection.vectors().searchBatch(request.build()).getResultsList();
  }

  private static int version(Map<Long, Integer> versions, long id) {
    return Objects.requireNonNull(versions.get(id));
  }
}
