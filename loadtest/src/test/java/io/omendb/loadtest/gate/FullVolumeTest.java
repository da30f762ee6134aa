package io.omendb.loadtest.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import io.omendb.loadtest.client.Await;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real server on an ext4 without a free block: it serves what it has, loses nothing by SIGTERM
 * or kill -9, and goes on once there is room. Needs the right to mount; skipped without.
 */
class FullVolumeTest {
  private static final int DIMENSION = 128;
  private static final int BATCH = 2_000;

  /** Batches of the collection that is dropped. */
  private static final int SPARE = 5;

  private static final Duration TIMEOUT = Duration.ofMinutes(3);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path work;

  private int kept;

  private Path volume() {
    return work.resolve("volume");
  }

  @BeforeEach
  void mount() throws Exception {
    assumeTrue(
        LoopVolume.mount(work.resolve("image"), "96M", volume()),
        "a file system cannot be mounted here");
  }

  @AfterEach
  void unmount() throws Exception {
    LoopVolume.unmount(volume());
  }

  @Test
  void nothingIsLostAndADropMakesRoom() throws Exception {
    try (ServerProcess server = start();
        Connection connection = connect(server)) {
      create(connection, "kept");
      create(connection, "spare");
      for (int i = 0; i < SPARE; i++) {
        insert(connection, "spare", i * BATCH);
      }
      while (inserts(connection)) {
        kept += BATCH;
      }
      fill();
      assertFull(connection);
      assertEquals(0, server.terminate(TIMEOUT));
    }
    try (ServerProcess server = start();
        Connection connection = connect(server)) {
      fill(); // what the stop gave back
      assertFull(connection);
      server.kill();
    }
    try (ServerProcess server = start();
        Connection connection = connect(server)) {
      fill();
      assertFull(connection);
      var unused =
          connection
              .collections()
              .dropCollection(DropCollectionRequest.newBuilder().setCollection("spare").build());
      insert(connection, "kept", kept);
      assertEquals(kept + BATCH, count(connection));
      assertEquals(0, server.terminate(TIMEOUT));
    }
    try (ServerProcess server = start();
        Connection connection = connect(server)) {
      assertEquals(kept + BATCH, count(connection));
    }
  }

  /** A frame that finds no room is not used up: the stream ends, and goes on with it later. */
  @Test
  void aBulkStreamIsResumedWhereTheRoomEnded() throws Exception {
    int frames = 4;
    try (ServerProcess server = start();
        Connection connection = connect(server)) {
      create(connection, "kept");
      create(connection, "spare");
      for (int i = 0; i < 2 * SPARE; i++) {
        insert(connection, "spare", i * BATCH);
      }
      while (inserts(connection)) {
        kept += BATCH;
      }
      fill();
      Bulk ended = bulk(connection, 1, frames);
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, ended.error().getStatus().getCode());
      assertEquals("DISK_FULL", reason(ended.error()));
      assertEquals(0, ended.refused());
      assertTrue(ended.received() < frames, ended::toString);
      var unused =
          connection
              .collections()
              .dropCollection(DropCollectionRequest.newBuilder().setCollection("spare").build());
      Bulk whole = bulk(connection, ended.received() + 1, frames);
      assertNull(whole.error());
      assertEquals(frames, whole.received());
      assertEquals(0, whole.refused());
      assertEquals(kept + frames * BATCH, count(connection));
    }
  }

  /**
   * How a stream ended.
   *
   * @param received the last frame received
   * @param error null if it ended well
   */
  private record Bulk(long received, int refused, @Nullable StatusRuntimeException error) {}

  /** Sends the frames from..to of the stream "load" and closes it. */
  private Bulk bulk(Connection connection, long from, int to) throws Exception {
    CompletableFuture<@Nullable StatusRuntimeException> end = new CompletableFuture<>();
    AtomicLong received = new AtomicLong();
    AtomicInteger refused = new AtomicInteger();
    StreamObserver<BulkInsertRequest> frames =
        VectorServiceGrpc.newStub(connection.vectors().getChannel())
            .bulkInsert(
                new StreamObserver<>() {
                  @Override
                  public void onNext(BulkInsertResponse response) {
                    received.set(response.getReceivedFrameSequence());
                    refused.addAndGet(response.getRefusedFramesCount());
                  }

                  @Override
                  public void onError(Throwable error) {
                    end.complete((StatusRuntimeException) error);
                  }

                  @Override
                  public void onCompleted() {
                    end.complete(null);
                  }
                });
    for (long frame = from; frame <= to; frame++) {
      BulkInsertRequest.Builder request =
          BulkInsertRequest.newBuilder()
              .setCollection("kept")
              .setStreamId("load")
              .setResume(true)
              .setFrameSequence(frame);
      for (int row = 0; row < BATCH; row++) {
        long id = kept + (frame - 1) * BATCH + row;
        request.addNumericIds(id).addAllVectors(Collections.nCopies(DIMENSION, (float) id));
      }
      frames.onNext(request.build());
    }
    frames.onCompleted();
    StatusRuntimeException error = end.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    return new Bulk(received.get(), refused.get(), error);
  }

  private ServerProcess start() throws Exception {
    return ServerProcess.start(ServerProcess.Options.defaults(volume().resolve("data")));
  }

  private static Connection connect(ServerProcess server) {
    Connection connection = new Connection(server.address());
    connection.awaitServing(TIMEOUT);
    return connection;
  }

  private void assertFull(Connection connection) {
    assertEquals(kept, count(connection));
    // There was no room for an image: after a start the graph is built anew, and inserts wait.
    Await.until(
        TIMEOUT,
        () -> "a graph of all",
        () -> connection.stats("kept", false).getUnlinkedCount() == 0);
    var found =
        connection
            .vectors()
            .search(
                SearchRequest.newBuilder()
                    .setCollection("kept")
                    .setK(1)
                    .setExact(true)
                    .addAllVector(Collections.nCopies(DIMENSION, (float) (kept - 1)))
                    .build());
    assertEquals(kept - 1, found.getHits(0).getNumericId());
    assertFalse(inserts(connection), "there was room");
  }

  private static void create(Connection connection, String name) {
    connection.create(
        CollectionConfig.newBuilder()
            .setName(name)
            .setDimension(DIMENSION)
            .setSimilarity(Similarity.SIMILARITY_L2)
            .build());
  }

  /** Whether a batch found room; what does not is refused, and says so. */
  private boolean inserts(Connection connection) {
    try {
      insert(connection, "kept", kept);
      return true;
    } catch (StatusRuntimeException e) {
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, e.getStatus().getCode(), e::toString);
      assertEquals("DISK_FULL", reason(e));
      return false;
    }
  }

  private static void insert(Connection connection, String collection, int from) {
    InsertRequest.Builder request = InsertRequest.newBuilder().setCollection(collection);
    for (int row = from; row < from + BATCH; row++) {
      request.addAllVectors(Collections.nCopies(DIMENSION, (float) row));
    }
    var inserted =
        connection
            .vectors()
            .insert(
                request
                    .addAllNumericIds(LongStream.range(from, from + BATCH).boxed().toList())
                    .build());
    assertEquals(BATCH, inserted.getInsertedCount());
  }

  private static long count(Connection connection) {
    return connection
        .vectors()
        .count(CountRequest.newBuilder().setCollection("kept").build())
        .getCount();
  }

  private static String reason(StatusRuntimeException e) {
    try {
      return StatusProto.fromThrowable(e).getDetailsList().stream()
          .filter(detail -> detail.is(ErrorInfo.class))
          .findFirst()
          .orElseThrow()
          .unpack(ErrorInfo.class)
          .getReason();
    } catch (InvalidProtocolBufferException malformed) {
      throw new AssertionError(malformed);
    }
  }

  /** Takes every block that is left. */
  private void fill() throws Exception {
    Path filler = Files.createTempFile(volume(), "filler", "");
    assertFalse(
        LoopVolume.run("dd", "if=/dev/zero", "of=" + filler, "bs=4k", "conv=fsync"),
        "there is no end of room");
  }
}
