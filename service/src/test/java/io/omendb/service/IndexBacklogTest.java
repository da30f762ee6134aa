package io.omendb.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.Futures;
import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.Hit;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.InsertResponse;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.proto.v1.Visibility;
import io.omendb.service.config.Option;
import io.omendb.service.wire.ByteCounters;
import io.omendb.service.wire.BytePath;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Streams that bring rows faster than the graph links them.
class IndexBacklogTest {
  private static final int DIMENSION = 4_096;
  private static final int FRAME = 64;
  private static final int FRAMES = 12;

  @Test
  void aFullTailHoldsStreamsBackAndRefusesNothing(@TempDir Path data) {
    try (ServerFixture fixture =
        ServerFixture.start(data, Map.of(Option.LINKER_THREADS, "1", Option.DURABILITY, "os"))) {
      create(fixture);
      List<BulkClient> clients =
          IntStream.range(0, 3).mapToObj(i -> BulkClient.open(fixture.channel())).toList();
      for (int frame = 0; frame < FRAMES; frame++) {
        for (int client = 0; client < clients.size(); client++) {
          clients.get(client).send(frame(client * FRAMES + frame));
        }
      }
      for (BulkClient client : clients) {
        BulkInsertResponse last = client.finish();
        assertEquals(FRAMES, last.getReceivedFrameSequence());
        assertEquals(0, last.getSummary().getRefusedFrameCount());
        assertEquals((long) FRAMES * FRAME, last.getSummary().getInsertedCount());
      }
      assertEquals((long) clients.size() * FRAMES * FRAME, fixture.count("wide"));
      assertCopiedOnce(fixture);
    }
  }

  /// What waits for room keeps the network's buffers.
  private static void assertCopiedOnce(ServerFixture fixture) {
    ByteCounters counters = fixture.server.counters();
    long direct = counters.bytes(BytePath.DIRECT);
    long other = counters.bytes(BytePath.FALLBACK) + counters.bytes(BytePath.HEAP);
    assertTrue(direct >= 99 * other, direct + " bytes direct, " + other + " otherwise");
  }

  /// A first program inserts in a loop, faster than rows are linked: it waits, and is not refused.
  @Test
  void aLoopOfInsertsIsHeldToThePaceOfLinking(@TempDir Path data) {
    try (ServerFixture fixture =
        ServerFixture.start(data, Map.of(Option.LINKER_THREADS, "1", Option.DURABILITY, "os"))) {
      create(fixture);
      for (int number = 0; number < 3 * FRAMES; number++) {
        assertEquals(FRAME, insert(fixture, number, Duration.ofSeconds(30)).getInsertedCount());
      }
      assertCopiedOnce(fixture);
    }
  }

  /// Who came first is written first, however many come while it waits.
  @Test
  void insertsThatWaitAreNotOvertaken(@TempDir Path data) {
    try (ServerFixture fixture =
        ServerFixture.start(data, Map.of(Option.LINKER_THREADS, "1", Option.DURABILITY, "os"))) {
      create(fixture);
      List<ListenableFuture<InsertResponse>> many = new ArrayList<>();
      for (int number = 0; number < 2 * FRAMES; number++) {
        many.add(insertLater(fixture, number, Duration.ofMinutes(5)));
      }
      List<ListenableFuture<InsertResponse>> single = new ArrayList<>();
      ServerFixture.await(
          "the end of the many",
          Duration.ofMinutes(3),
          () -> {
            single.add(insertOneLater(fixture, 1_000_000 + single.size()));
            // Answered after the insert came, on the same connection.
            assertTrue(fixture.count("wide") >= 0);
            return many.stream().allMatch(ListenableFuture::isDone);
          });
      long before = 0;
      for (ListenableFuture<InsertResponse> call : single) {
        long sequence = Objects.requireNonNull(Futures.getUnchecked(call)).getCommitSequence();
        assertTrue(sequence > before, sequence + " after " + before);
        before = sequence;
      }
    }
  }

  private static ListenableFuture<InsertResponse> insertOneLater(ServerFixture fixture, long id) {
    return VectorServiceGrpc.newFutureStub(fixture.shared())
        .withDeadlineAfter(5, TimeUnit.MINUTES)
        .insert(
            InsertRequest.newBuilder()
                .setCollection("wide")
                .addNumericIds(id)
                .addAllVectors(Collections.nCopies(DIMENSION, (float) id))
                .build());
  }

  /// So that the next writer's rows find room.
  @Test
  void aStreamEndsWhenItsRowsLeaveRoom(@TempDir Path data) {
    try (ServerFixture fixture =
        ServerFixture.start(data, Map.of(Option.LINKER_THREADS, "1", Option.DURABILITY, "os"))) {
      create(fixture);
      int limit = 5_000_000 / DIMENSION;
      BulkClient client = BulkClient.open(fixture.channel());
      for (int frame = 0; frame <= limit / FRAME + 1; frame++) {
        client.send(frame(frame));
      }
      assertEquals(0, client.finish().getSummary().getRefusedFrameCount());
      var stats = fixture.admin().stats(StatsRequest.newBuilder().setCollection("wide").build());
      long unlinked = stats.getCollections(0).getUnlinkedCount();
      assertTrue(unlinked <= limit, unlinked + " unlinked, limit " + limit);
    }
  }

  /// A row that a build replaces is found until its successor is: under either of the two vectors,
  /// at every moment.
  @Test
  void aBuildHidesNoRowThatItReplaces(@TempDir Path data) {
    try (ServerFixture fixture = ServerFixture.start(data, Map.of(Option.DURABILITY, "os"))) {
      create(fixture);
      for (int number = 0; number < 3; number++) {
        assertEquals(FRAME, insert(fixture, number, Duration.ofSeconds(30)).getInsertedCount());
      }
      BulkClient build = BulkClient.open(fixture.channel());
      List<BulkInsertRequest> successors = new ArrayList<>();
      for (int number = 0; number < 3; number++) {
        BulkInsertRequest ids = frame(number).build();
        BulkInsertRequest successor =
            frame(100 + number)
                .clearNumericIds()
                .addAllNumericIds(ids.getNumericIdsList())
                .setVisibility(Visibility.VISIBILITY_AFTER_BUILD)
                .setWaitSearchable(true)
                .build();
        successors.add(successor);
        build.send(successor.toBuilder());
        build.await("frame " + number, response -> response.getReceivedFrameSequence() > 0);
        assertEachIsFound(fixture, successors);
      }
      build.closeSide();
      while (!build.hasCompleted()) {
        assertEachIsFound(fixture, successors);
      }
      for (BulkInsertRequest successor : successors) {
        for (int row = 0; row < FRAME; row += 7) {
          assertEquals(0, distance(fixture, successor, row));
        }
      }
    }
  }

  private static void assertEachIsFound(ServerFixture fixture, List<BulkInsertRequest> successors) {
    for (int number = 0; number < successors.size(); number++) {
      for (int row = 0; row < FRAME; row += 7) {
        boolean former = distance(fixture, frame(number).build(), row) == 0;
        // Afterwards: it may have been replaced in between.
        boolean found = former || distance(fixture, successors.get(number), row) == 0;
        assertTrue(found, "row " + row + " of frame " + number);
      }
    }
  }

  /// Of the nearest to the vector of a frame's row, which must have the row's id if it is at 0.
  private static float distance(ServerFixture fixture, BulkInsertRequest frame, int row) {
    int bytes = DIMENSION * Float.BYTES;
    Hit hit =
        fixture
            .vectors()
            .search(
                SearchRequest.newBuilder()
                    .setCollection("wide")
                    .setK(1)
                    .setVectorLe(frame.getVectorsLe().substring(row * bytes, (row + 1) * bytes))
                    .build())
            .getHits(0);
    if (hit.getDistance() == 0) {
      assertEquals(frame.getNumericIds(row), hit.getNumericId());
    }
    return hit.getDistance();
  }

  /// A client that was stopped, or forgot to close its stream, holds back nobody else's rows.
  @Test
  void anIdleStreamDoesNotHoldBackTheBuildOfAnother(@TempDir Path data) {
    try (ServerFixture fixture = ServerFixture.start(data, Map.of(Option.DURABILITY, "os"))) {
      create(fixture);
      BulkClient idle = BulkClient.open(fixture.channel());
      idle.send(frame(0).setVisibility(Visibility.VISIBILITY_AFTER_BUILD));
      ServerFixture.await("the frame of the idle stream", () -> fixture.count("wide") == FRAME);
      BulkClient other = BulkClient.open(fixture.channel());
      other.send(frame(1).setVisibility(Visibility.VISIBILITY_AFTER_BUILD).setWaitSearchable(true));
      assertEquals(1, other.finish().getSearchableFrameSequence());
      // It may go on.
      idle.send(frame(2).setVisibility(Visibility.VISIBILITY_AFTER_BUILD));
      assertEquals(2, idle.finish().getReceivedFrameSequence());
      assertEquals(3L * FRAME, fixture.count("wide"));
    }
  }

  /// Beyond its deadline it is refused, with a reason.
  @Test
  void anInsertThatFindsNoRoomInTimeIsRefused(@TempDir Path data) {
    try (ServerFixture fixture =
        ServerFixture.start(data, Map.of(Option.LINKER_THREADS, "1", Option.DURABILITY, "os"))) {
      create(fixture);
      // More at once than are linked in their time. On a busy machine a client may give up before
      // the server's word is there: then again, with more time.
      Set<String> reasons = new HashSet<>();
      int number = 0;
      for (long millis = 100; reasons.isEmpty() && millis < 10_000; millis *= 2) {
        Duration deadline = Duration.ofMillis(millis);
        List<ListenableFuture<InsertResponse>> calls = new ArrayList<>();
        for (int call = 0; call < 4 * FRAMES; call++) {
          calls.add(insertLater(fixture, number++, deadline));
        }
        for (ListenableFuture<InsertResponse> call : calls) {
          ServerFixture.await("an answer", call::isDone);
          try {
            assertEquals(FRAME, Objects.requireNonNull(Futures.getDone(call)).getInsertedCount());
          } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNull(e.getCause());
            if (Status.fromThrowable(cause).getCode() == Status.Code.RESOURCE_EXHAUSTED) {
              reasons.add(ServerFixture.failure(cause).reason());
            }
          }
        }
      }
      assertEquals(Set.of("INDEX_BACKLOG_FULL"), reasons);
    }
  }

  /// Inserts the rows of a frame in one call.
  private static InsertResponse insert(ServerFixture fixture, int number, Duration deadline) {
    return Objects.requireNonNull(Futures.getUnchecked(insertLater(fixture, number, deadline)));
  }

  private static ListenableFuture<InsertResponse> insertLater(
      ServerFixture fixture, int number, Duration deadline) {
    BulkInsertRequest frame = frame(number).build();
    return VectorServiceGrpc.newFutureStub(fixture.channel())
        .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS)
        .insert(
            InsertRequest.newBuilder()
                .setCollection("wide")
                .addAllNumericIds(frame.getNumericIdsList())
                .setVectorsLe(frame.getVectorsLe())
                .build());
  }

  private static void create(ServerFixture fixture) {
    var unused =
        fixture
            .collections()
            .createCollection(
                CreateCollectionRequest.newBuilder()
                    .setConfig(
                        CollectionConfig.newBuilder()
                            .setName("wide")
                            .setDimension(DIMENSION)
                            .setEfConstruction(400)
                            .setSimilarity(Similarity.SIMILARITY_L2))
                    .build());
  }

  private static BulkInsertRequest.Builder frame(int number) {
    SplittableRandom random = new SplittableRandom(number);
    ByteBuffer block =
        ByteBuffer.allocate(FRAME * DIMENSION * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (block.hasRemaining()) {
      block.putFloat(random.nextFloat());
    }
    BulkInsertRequest.Builder frame =
        BulkInsertRequest.newBuilder()
            .setCollection("wide")
            .setVisibility(Visibility.VISIBILITY_IMMEDIATE)
            .setVectorsLe(ByteString.copyFrom(block.array()));
    IntStream.range(0, FRAME).forEach(row -> frame.addNumericIds((long) number * FRAME + row));
    return frame;
  }
}
