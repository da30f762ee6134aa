package io.omendb.service;

import static io.omendb.service.ServerFixture.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.SearchBatchRequest;
import io.omendb.proto.v1.SearchBatchResponse;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.wire.BytePath;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The ways that a message may come in: in network buffers, compressed, and in-process.
class TransportTest {
  private static final int ROW_BYTES = ServerFixture.DIMENSION * Float.BYTES;

  private ServerFixture fixture;

  @BeforeEach
  void start(@TempDir Path data) {
    fixture = ServerFixture.start(data, Map.of());
    fixture.create("c", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
  }

  @AfterEach
  void stop() {
    fixture.close();
  }

  @Test
  void networkBuffersAreCopiedOnce() {
    insertAndSearch(fixture.channel(), rows("c", 0, 1_000));
    assertEquals(1_002L * ROW_BYTES, bytes(BytePath.DIRECT));
    assertEquals(0, bytes(BytePath.HEAP) + bytes(BytePath.FALLBACK));
    var byPath =
        fixture.admin().stats(StatsRequest.getDefaultInstance()).getServer().getVectorBytesByPath();
    assertEquals(bytes(BytePath.DIRECT), byPath.getDirectBytes());
  }

  @Test
  void compressedMessagesTakeTheFallback() {
    var stub = VectorServiceGrpc.newBlockingStub(fixture.channel()).withCompression("gzip");
    assertEquals(1_000, stub.insert(rows("c", 0, 1_000)).getInsertedCount());
    assertEquals(1_000L * ROW_BYTES, bytes(BytePath.FALLBACK));
    assertEquals(1_000, fixture.count("c"));
  }

  @Test
  void messagesOfSeveralChunksTakeTheFallback() {
    var stub = VectorServiceGrpc.newBlockingStub(fixture.channel()).withCompression("gzip");
    assertEquals(50_000, stub.insert(rows("c", 0, 50_000)).getInsertedCount());
    assertEquals(50_000L * ROW_BYTES, bytes(BytePath.FALLBACK));
  }

  @Test
  void inProcessCallsTakeTheFallback() throws IOException {
    Server server =
        fixture
            .server
            .bind(InProcessServerBuilder.forName("transport-test").directExecutor())
            .build()
            .start();
    ManagedChannel channel = InProcessChannelBuilder.forName("transport-test").build();
    try {
      insertAndSearch(channel, rows("c", 0, 1_000));
      BulkClient client = BulkClient.open(channel);
      for (int i = 0; i < 20; i++) {
        client.send(BulkClient.frame(rows("c", 2_000 + i * 10L, 10)));
      }
      BulkInsertResponse last = client.finish();
      assertEquals(20, last.getReceivedFrameSequence());
      assertEquals(200, last.getSummary().getInsertedCount());
    } finally {
      channel.shutdownNow();
      server.shutdownNow();
    }
    assertEquals(0, bytes(BytePath.DIRECT));
    assertEquals(1_202L * ROW_BYTES, bytes(BytePath.FALLBACK));
  }

  @Test
  void smallMessagesInAStreamComeThrough() {
    BulkClient client = BulkClient.open(fixture.channel());
    for (int i = 0; i < 3_000; i++) {
      client.send(BulkClient.frame(rows("c", i, 1 + i % 7)));
    }
    assertEquals(3_000, client.finish().getReceivedFrameSequence());
    // Small pieces of messages that gRPC merged on its heap come as a stream; most do not.
    assertTrue(bytes(BytePath.DIRECT) > bytes(BytePath.FALLBACK));
    assertEquals(3_003, fixture.count("c"));
  }

  private void insertAndSearch(Channel channel, InsertRequest rows) {
    var stub = VectorServiceGrpc.newBlockingStub(channel);
    assertEquals(rows.getNumericIdsCount(), stub.insert(rows).getInsertedCount());
    SearchRequest request =
        SearchRequest.newBuilder()
            .setCollection("c")
            .setK(3)
            .addAllVector(ServerFixture.vectorOf(499))
            .build();
    var found = stub.search(request);
    assertEquals(499, found.getHits(0).getNumericId());
    assertEquals(0f, found.getHits(0).getDistance());
    assertTrue(found.getHits(1).getDistance() > 0);
    SearchBatchResponse batch =
        stub.searchBatch(
            SearchBatchRequest.newBuilder()
                .setCollection("c")
                .setK(3)
                .addAllVectors(ServerFixture.vectorOf(499))
                .build());
    assertEquals(found.getHitsList(), batch.getResults(0).getHitsList());
  }

  private long bytes(BytePath path) {
    return fixture.server.counters().bytes(path);
  }
}
