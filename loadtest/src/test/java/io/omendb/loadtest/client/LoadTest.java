package io.omendb.loadtest.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.omendb.loadtest.data.ArrayVectors;
import io.omendb.loadtest.report.Progress;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.RefusedFrame;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The load, against a server that only counts. */
class LoadTest {

  private static final int COUNT = 10_000;

  private final Set<Long> ids = ConcurrentHashMap.newKeySet();
  private final AtomicInteger searches = new AtomicInteger();
  private final AtomicInteger refuseFrame = new AtomicInteger(-1);
  private final Server server;
  private final Connection connection;

  LoadTest() throws IOException {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    server = NettyServerBuilder.forAddress(any).addService(new Counting()).build().start();
    connection =
        new Connection(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()));
  }

  @AfterEach
  void stop() {
    connection.close();
    server.shutdownNow();
  }

  @Test
  void sendsEveryRowOnceAndTakesTheTimesOfTheMarks() {
    BulkLoad.Times times = load(3);
    assertEquals(COUNT, ids.size());
    assertTrue(times.acknowledged() > 0, times::toString);
    assertTrue(times.acknowledged() <= times.searchable(), times::toString);
  }

  @Test
  void failsWhenAFrameIsRefused() {
    refuseFrame.set(2);
    CompletionException failure = assertThrows(CompletionException.class, () -> load(1));
    assertTrue(failure.toString().contains("no room"), failure.toString());
  }

  @Test
  void failsWhenTheServerEndsAStream() {
    server.shutdownNow();
    CompletionException failure = assertThrows(CompletionException.class, () -> load(2));
    StatusRuntimeException cause = (StatusRuntimeException) failure.getCause();
    assertEquals(Status.Code.UNAVAILABLE, Status.fromThrowable(cause).getCode());
  }

  @Test
  void searchesInAClosedLoopForATime() {
    SearchLoad.Result result =
        SearchLoad.run(
            connection.channels(3), Searches.encoded("c", vectors(), 7), Duration.ofMillis(200));
    assertEquals(searches.get(), result.latencies().count());
    assertTrue(result.latencies().count() > 10, () -> "searches: " + searches);
    assertTrue(result.seconds() >= 0.2, result::toString);
  }

  private BulkLoad.Times load(int streams) {
    BulkOptions options = new BulkOptions(streams, 64, Visibility.VISIBILITY_IMMEDIATE);
    try (BulkFrames frames = new BulkFrames(vectors(), "c", options)) {
      frames.encodeAhead();
      return BulkLoad.run(connection.channels(streams), frames, Progress.NONE);
    }
  }

  private static ArrayVectors vectors() {
    return ArrayVectors.of(COUNT, 4, row -> new float[] {row, 1, 2, 3});
  }

  /** Acknowledges each frame, and calls all searchable when the client has closed. */
  private final class Counting extends VectorServiceGrpc.VectorServiceImplBase {

    @Override
    public StreamObserver<BulkInsertRequest> bulkInsert(
        StreamObserver<BulkInsertResponse> responses) {
      return new StreamObserver<>() {
        private int frames;

        @Override
        public void onNext(BulkInsertRequest frame) {
          frames++;
          assertEquals(frame.getNumericIdsCount() * 16, frame.getVectorsLe().size());
          ids.addAll(frame.getNumericIdsList());
          BulkInsertResponse.Builder response =
              BulkInsertResponse.newBuilder().setReceivedFrameSequence(frames);
          if (frames == refuseFrame.get()) {
            response.addRefusedFrames(RefusedFrame.newBuilder().setMessage("no room"));
          }
          responses.onNext(response.build());
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {
          responses.onNext(
              BulkInsertResponse.newBuilder()
                  .setReceivedFrameSequence(frames)
                  .setDurableFrameSequence(frames)
                  .setSearchableFrameSequence(frames)
                  .build());
          responses.onCompleted();
        }
      };
    }

    @Override
    public void search(SearchRequest request, StreamObserver<SearchResponse> responses) {
      assertEquals(7, request.getEf());
      assertEquals(16, request.getVectorLe().size());
      searches.incrementAndGet();
      responses.onNext(SearchResponse.getDefaultInstance());
      responses.onCompleted();
    }
  }
}
