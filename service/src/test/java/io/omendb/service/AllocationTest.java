package io.omendb.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.sun.management.ThreadMXBean;
import io.netty.util.ResourceLeakDetector;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.service.config.Option;
import io.omendb.service.wire.BytePath;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Proof of the one copy: what a vector costs on the heap on its way from a socket into its
/// collection.
class AllocationTest {
  private static final int DIMENSION = 128;
  private static final int FRAME = 256;
  private static final int FRAMES = 200;
  private static final int ROUNDS_MAX = 40;
  private static final int BYTES_A_VECTOR_MAX = 64;

  /// The threads that a vector passes on its way to being acknowledged.
  private static final List<String> PATH =
      List.of("omendb-network", "omendb-acknowledge", "omendb-wal", "omendb-prepare");

  private ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();

  /// The leak detector of the other tests allocates a record for each use of a buffer.
  @BeforeEach
  void switchOffLeakDetection() {
    level = ResourceLeakDetector.getLevel();
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.DISABLED);
  }

  @AfterEach
  void restoreLeakDetection() {
    ResourceLeakDetector.setLevel(level);
  }

  @Test
  void anIngestedVectorCostsLittleHeap(@TempDir Path data) {
    try (ServerFixture fixture =
        ServerFixture.start(data, Map.of(Option.NETWORK_THREADS, "1", Option.DURABILITY, "os"))) {
      var unused =
          fixture
              .collections()
              .createCollection(
                  CreateCollectionRequest.newBuilder()
                      .setConfig(
                          CollectionConfig.newBuilder()
                              .setName("c")
                              .setDimension(DIMENSION)
                              .setSimilarity(Similarity.SIMILARITY_L2))
                      .build());
      double perVector = Double.MAX_VALUE;
      // As many rounds as it takes: before the compiler has found out which objects need not be
      // made, a round costs far more.
      int rounds = 0;
      while (perVector > BYTES_A_VECTOR_MAX && rounds < ROUNDS_MAX) {
        long allocated = ingest(fixture, rounds * FRAMES);
        perVector = Math.min(perVector, (double) allocated / (FRAMES * FRAME));
        rounds++;
      }
      System.getLogger(AllocationTest.class.getName())
          .log(
              System.Logger.Level.INFO,
              "heap bytes a vector: {0} after {1} rounds",
              perVector,
              rounds);
      assertTrue(perVector <= BYTES_A_VECTOR_MAX, "heap bytes a vector: " + perVector);
      long vectorBytes = (long) rounds * FRAMES * FRAME * DIMENSION * Float.BYTES;
      long direct = fixture.server.counters().bytes(BytePath.DIRECT);
      assertEquals(vectorBytes, direct + fixture.server.counters().bytes(BytePath.FALLBACK));
      assertTrue(direct >= vectorBytes * 0.98, "direct: " + direct + " of " + vectorBytes);
    }
  }

  /// Sends frames and returns what the server's threads allocated meanwhile.
  private static long ingest(ServerFixture fixture, int firstFrame) {
    byte[] block = new byte[FRAME * DIMENSION * Float.BYTES];
    for (int i = 0; i < block.length; i += 7) {
      // Small exponents: every bit pattern is a finite number.
      block[i] = (byte) (i & 0x3f);
    }
    long before = allocatedByServer();
    BulkClient client = BulkClient.open(fixture.channel());
    for (int i = 0; i < FRAMES; i++) {
      BulkInsertRequest.Builder frame =
          BulkInsertRequest.newBuilder()
              .setCollection("c")
              .setVectorsLe(ByteString.copyFrom(block))
              .setVisibility(io.omendb.proto.v1.Visibility.VISIBILITY_AFTER_BUILD);
      for (int row = 0; row < FRAME; row++) {
        frame.addNumericIds((long) (firstFrame + i) * FRAME + row);
      }
      client.send(frame);
      if (i % 16 == 15) {
        // Keeps what is on its way small; this is no test of the client's buffers.
        long sent = i + 1L;
        client.await("frame " + sent, next -> next.getReceivedFrameSequence() >= sent);
      }
    }
    assertEquals((long) FRAMES * FRAME, client.finish().getSummary().getInsertedCount());
    return allocatedByServer() - before;
  }

  private static long allocatedByServer() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long bytes = 0;
    for (long id : threads.getAllThreadIds()) {
      var info = threads.getThreadInfo(id);
      if (info != null && PATH.stream().anyMatch(info.getThreadName()::startsWith)) {
        bytes += threads.getThreadAllocatedBytes(id);
      }
    }
    return bytes;
  }
}
