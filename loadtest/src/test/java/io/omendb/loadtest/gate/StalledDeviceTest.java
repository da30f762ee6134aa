package io.omendb.loadtest.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.CreateCollectionResponse;
import io.omendb.proto.v1.DeleteRequest;
import io.omendb.proto.v1.DeleteResponse;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.InsertResponse;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A device that no longer answers: who writes waits, who searches or asks for health does not.
 *
 * <p>The data lies on a file system in a file of another one, which is frozen: what is written to
 * the inner one's device waits, as on a network volume whose server is gone. Needs the right to
 * mount; skipped without.
 */
class StalledDeviceTest {
  private static final String COLLECTION = "stalled";
  private static final int DIMENSION = 128;
  private static final int ROWS = 1_000;
  private static final int WRITES = 100;
  private static final int WRITTEN = 100;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path work;

  private Path outer() {
    return work.resolve("outer");
  }

  private Path inner() {
    return work.resolve("inner");
  }

  @BeforeEach
  void mount() throws Exception {
    assumeTrue(
        LoopVolume.mount(work.resolve("outer.img"), "400M", outer())
            && LoopVolume.mount(outer().resolve("inner.img"), "300M", inner()),
        "a file system cannot be mounted here");
  }

  @AfterEach
  void unmount() throws Exception {
    LoopVolume.unmount(inner());
    LoopVolume.unmount(outer());
  }

  @Test
  void searchesAndHealthAnswerWhileWritesWait() throws Exception {
    try (ServerProcess server =
            ServerProcess.start(ServerProcess.Options.defaults(inner().resolve("data")));
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(Duration.ofMinutes(3));
      var unused = connection.collections().createCollection(collection(COLLECTION));
      var inserted = connection.vectors().insert(rows(0, ROWS));
      assertEquals(ROWS, inserted.getInsertedCount());
      var later = VectorServiceGrpc.newFutureStub(connection.channels(1).get(0));
      List<ListenableFuture<InsertResponse>> inserts = new ArrayList<>();
      List<ListenableFuture<DeleteResponse>> deletes = new ArrayList<>();
      ListenableFuture<CreateCollectionResponse> created;
      assertTrue(LoopVolume.run("fsfreeze", "-f", outer().toString()));
      try {
        created =
            CollectionServiceGrpc.newFutureStub(connection.channels(1).get(0))
                .createCollection(collection("another"));
        for (int write = 0; write < WRITES; write++) {
          inserts.add(later.insert(rows(ROWS + WRITTEN * write, WRITTEN)));
          deletes.add(later.delete(delete(write)));
          assertAnswers(connection);
        }
        assertFalse(inserts.getFirst().isDone(), "a write was acknowledged and is not durable");
        assertFalse(deletes.getFirst().isDone(), "a delete was acknowledged and is not durable");
      } finally {
        assertTrue(LoopVolume.run("fsfreeze", "-u", outer().toString()));
      }
      for (ListenableFuture<InsertResponse> insert : inserts) {
        assertEquals(WRITTEN, insert.get(3, TimeUnit.MINUTES).getInsertedCount());
      }
      for (ListenableFuture<DeleteResponse> delete : deletes) {
        assertEquals(1, delete.get(3, TimeUnit.MINUTES).getDeletedCount());
      }
      assertEquals(
          "another", created.get(3, TimeUnit.MINUTES).getCollection().getConfig().getName());
      assertEquals(0, server.terminate(Duration.ofMinutes(3)));
    }
  }

  private static void assertAnswers(Connection connection) {
    var found =
        connection
            .vectors()
            .withDeadlineAfter(5, TimeUnit.SECONDS)
            .search(
                SearchRequest.newBuilder()
                    .setCollection(COLLECTION)
                    .setK(1)
                    .addAllVector(vector(ROWS - 1))
                    .build());
    assertEquals(ROWS - 1, found.getHits(0).getNumericId());
    var health =
        HealthGrpc.newBlockingStub(connection.channels(1).get(0))
            .withDeadlineAfter(5, TimeUnit.SECONDS)
            .check(HealthCheckRequest.getDefaultInstance());
    assertEquals(ServingStatus.SERVING, health.getStatus());
  }

  private static CreateCollectionRequest collection(String name) {
    return CreateCollectionRequest.newBuilder()
        .setConfig(
            CollectionConfig.newBuilder()
                .setName(name)
                .setDimension(DIMENSION)
                .setSimilarity(Similarity.SIMILARITY_L2))
        .build();
  }

  private static InsertRequest rows(int from, int count) {
    return InsertRequest.newBuilder()
        .setCollection(COLLECTION)
        .addAllNumericIds(LongStream.range(from, from + count).boxed().toList())
        .addAllVectors(() ->
            LongStream.range(from, from + count)
                .boxed()
                .flatMap(StalledDeviceTest::components)
                .iterator())
        .build();
  }

  private static DeleteRequest delete(int row) {
    return DeleteRequest.newBuilder().setCollection(COLLECTION).addNumericIds(row).build();
  }

  private static List<Float> vector(long row) {
    return components(row).toList();
  }

  private static Stream<Float> components(long row) {
    return LongStream.range(0, DIMENSION).mapToObj(i -> (float) ((row * 31 + i * i) % 999_983));
  }
}
