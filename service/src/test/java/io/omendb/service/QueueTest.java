package io.omendb.service;

import static io.omendb.service.ServerFixture.failure;
import static io.omendb.service.ServerFixture.failureOf;
import static io.omendb.service.ServerFixture.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.config.Option;
import io.omendb.service.status.Refusal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of requests while the request threads are busy.
class QueueTest {
  private static final SearchRequest SEARCH =
      SearchRequest.newBuilder()
          .setCollection("c")
          .setK(1)
          .addAllVector(List.of(1f, 1f, 0f, 0f))
          .build();

  private final CountDownLatch release = new CountDownLatch(1);
  private ServerFixture fixture;

  /// One request thread, which is busy until `release`, and room for one request before it.
  @BeforeEach
  void start(@TempDir Path data) throws Refusal, InterruptedException {
    fixture =
        ServerFixture.start(data, Map.of(Option.REQUEST_THREADS, "1", Option.REQUEST_QUEUE, "1"));
    fixture.create("c", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    var unused = fixture.vectors().insert(rows("c", 0, 1));
    CountDownLatch busy = new CountDownLatch(1);
    fixture
        .server
        .pool()
        .execute(() -> {
          busy.countDown();
          try {
            release.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    assertTrue(busy.await(10, TimeUnit.SECONDS));
  }

  @AfterEach
  void stop() {
    release.countDown();
    fixture.close();
  }

  private ListenableFuture<SearchResponse> searchLater() {
    var answer = VectorServiceGrpc.newFutureStub(fixture.vectors().getChannel()).search(SEARCH);
    ServerFixture.await("the request in the queue", () -> fixture.server.pool().queued() == 1);
    return answer;
  }

  @Test
  void aFullQueueIsToldAtOnceWithWhenToRetry() throws Exception {
    ListenableFuture<SearchResponse> queued = searchLater();
    StatusRuntimeException refused =
        assertThrows(StatusRuntimeException.class, () -> fixture.vectors().search(SEARCH));
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, failure(refused).code());
    assertEquals("QUEUE_FULL", failure(refused).reason());
    var details = StatusProto.fromThrowable(refused);
    assertTrue(
        details != null
            && details.getDetailsList().stream().anyMatch(any -> any.is(RetryInfo.class)));
    assertEquals("QUEUE_FULL", failureOf(() -> fixture.count("c")).reason());
    release.countDown();
    assertEquals(0, queued.get().getHits(0).getNumericId());
  }

  @Test
  void writesDoNotWaitForReads() {
    ListenableFuture<SearchResponse> queued = searchLater();
    assertEquals(3, fixture.vectors().insert(rows("c", 10, 3)).getInsertedCount());
    assertTrue(!queued.isDone());
  }

  @Test
  void aRequestWhoseDeadlinePassesInTheQueueIsDropped() {
    // On a busy machine a deadline may pass before the request is in the queue: then a longer one.
    boolean queued = false;
    for (long millis = 100; !queued; millis *= 2) {
      var late =
          VectorServiceGrpc.newFutureStub(fixture.vectors().getChannel())
              .withDeadlineAfter(millis, TimeUnit.MILLISECONDS)
              .search(SEARCH);
      ServerFixture.await(
          "the request", () -> fixture.server.pool().queued() == 1 || late.isDone());
      ExecutionException failure = assertThrows(ExecutionException.class, late::get);
      assertEquals(
          Status.Code.DEADLINE_EXCEEDED, Status.fromThrowable(failure.getCause()).getCode());
      queued = fixture.server.pool().queued() == 1;
    }
    // The server's own clock may be a moment behind; the client's reset travels before this.
    assertEquals(1, fixture.vectors().insert(rows("c", 9, 1)).getInsertedCount());
    assertNothingIsSearched();
  }

  @Test
  void aCancelledRequestIsDropped() {
    ListenableFuture<SearchResponse> cancelled = searchLater();
    assertTrue(cancelled.cancel(true));
    // Travels behind the cancellation, on the same connection.
    assertEquals(1, fixture.vectors().insert(rows("c", 9, 1)).getInsertedCount());
    assertNothingIsSearched();
  }

  /// What was in the queue is gone once a later request is answered.
  private void assertNothingIsSearched() {
    ServerFixture.await("the queue", () -> fixture.server.pool().queued() == 1);
    release.countDown();
    ServerFixture.await("the queue is empty", () -> fixture.server.pool().isIdle());
    assertEquals(
        0,
        fixture
            .admin()
            .stats(StatsRequest.newBuilder().setCollection("c").build())
            .getCollections(0)
            .getSearchCount());
  }
}
