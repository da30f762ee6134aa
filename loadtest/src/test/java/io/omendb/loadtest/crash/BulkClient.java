package io.omendb.loadtest.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.omendb.loadtest.client.Connection;
import io.omendb.proto.v1.BulkInsertOpening;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.proto.v1.Visibility;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/** Sends frames over one named stream, and resumes it after each crash. */
final class BulkClient extends LoadClient {

  /** Frames that may wait for their acknowledgement. */
  private static final int WINDOW = 16;

  private static final int FRAME_VECTORS_MAX = 40;

  /** Above this it replaces rather than adds, so that the checks stay short. */
  private static final int RECORDS_MAX = 5_000;

  private final String streamId;
  private final Visibility visibility;

  /** Frames which the server must have settled, once it has recovered. */
  private long settled;

  private boolean finished;

  BulkClient(int number, SplittableRandom random, Visibility visibility) {
    super(number, random);
    this.streamId = "stream-" + number;
    this.visibility = visibility;
  }

  @Override
  void write(Connection connection, String collection) {
    Answers answers = new Answers();
    StreamObserver<BulkInsertRequest> stream = open(connection, collection, answers);
    long sequence = settled;
    while (answers.mayGoOn()) {
      Operation operation = nextOperation();
      oracle.begin(operation);
      stream.onNext(
          BulkInsertRequest.newBuilder()
              .setFrameSequence(++sequence)
              .addAllNumericIds(operation.ids())
              .setVectorsLe(Records.vectors(operation.ids(), operation.version()))
              .addAllPayloads(Records.payloads(operation.ids(), operation.version()))
              .build());
    }
    throw answers.failure();
  }

  private StreamObserver<BulkInsertRequest> open(
      Connection connection, String collection, Answers answers) {
    StreamObserver<BulkInsertRequest> stream =
        VectorServiceGrpc.newStub(connection.channels(1).getFirst()).bulkInsert(answers);
    stream.onNext(
        BulkInsertRequest.newBuilder()
            .setCollection(collection)
            .setStreamId(streamId)
            .setResume(true)
            .setVisibility(visibility)
            .setWaitSearchable(true)
            .build());
    assertEquals(settled, answers.opening().getDurableFrameSequence(), "resume point");
    return stream;
  }

  @Override
  boolean isSearchable() {
    return finished || visibility == Visibility.VISIBILITY_IMMEDIATE;
  }

  @Override
  void finish(Connection connection, String collection) {
    Answers answers = new Answers();
    open(connection, collection, answers).onCompleted();
    assertEquals(Status.Code.OK, answers.failure().getStatus().getCode());
    finished = true;
  }

  /** Some new records, as long as there are not too many, and some old ones replaced. */
  private Operation nextOperation() {
    boolean full = oracle.idCount() > RECORDS_MAX;
    List<Long> ids = new ArrayList<>(freshIds(full ? 1 : 1 + random.nextInt(FRAME_VECTORS_MAX)));
    if (full || random.nextInt(5) == 0) {
      ids.addAll(usedIds(20));
    }
    return new Operation(ids, nextVersion());
  }

  @Override
  void recovered(Map<Long, Integer> found) {
    settled += oracle.recover(found);
  }

  /** What the server says, on the transport's thread. */
  private final class Answers implements StreamObserver<BulkInsertResponse> {

    private final CompletableFuture<BulkInsertOpening> opening = new CompletableFuture<>();
    private final CompletableFuture<StatusRuntimeException> failure = new CompletableFuture<>();
    private final Semaphore window = new Semaphore(WINDOW);
    private final AtomicBoolean ended = new AtomicBoolean();

    /** What the server said first; the stream's failure, if it died before. */
    BulkInsertOpening opening() {
      try {
        return opening.join();
      } catch (CompletionException _) {
        throw failure();
      }
    }

    /** Waits for room in the window; false if the stream has ended. */
    boolean mayGoOn() {
      window.acquireUninterruptibly();
      return !ended.get();
    }

    StatusRuntimeException failure() {
      return failure.join();
    }

    @Override
    public void onNext(BulkInsertResponse response) {
      if (response.hasOpening()) {
        opening.complete(response.getOpening());
      }
      if (response.getRefusedFramesCount() > 0) {
        onError(
            Status.INTERNAL
                .withDescription("refused: " + response.getRefusedFrames(0))
                .asRuntimeException());
        return;
      }
      for (; settled < response.getReceivedFrameSequence(); settled++) {
        oracle.acknowledge();
        window.release();
      }
    }

    @Override
    public void onError(Throwable error) {
      end(
          error instanceof StatusRuntimeException status
              ? status
              : Status.fromThrowable(error).asRuntimeException());
    }

    @Override
    public void onCompleted() {
      end(Status.OK.withDescription("the stream ended").asRuntimeException());
    }

    private void end(StatusRuntimeException status) {
      ended.set(true);
      failure.complete(status);
      opening.completeExceptionally(status);
      window.release(WINDOW);
    }
  }
}
