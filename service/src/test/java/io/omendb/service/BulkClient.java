package io.omendb.service;

import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A client of one bulk stream, which checks the order of its acknowledgements.
final class BulkClient implements ClientResponseObserver<BulkInsertRequest, BulkInsertResponse> {
  private final List<BulkInsertResponse> responses = new CopyOnWriteArrayList<>();
  private @Nullable ClientCallStreamObserver<BulkInsertRequest> requests;
  private volatile @Nullable Throwable failure;
  private volatile boolean completed;
  private volatile @Nullable AssertionError disorder;

  static BulkClient open(ManagedChannel channel) {
    BulkClient client = new BulkClient();
    var unused = VectorServiceGrpc.newStub(channel).bulkInsert(client);
    return client;
  }

  /// The columns of `rows` as a frame.
  static BulkInsertRequest.Builder frame(InsertRequest rows) {
    return BulkInsertRequest.newBuilder()
        .setCollection(rows.getCollection())
        .addAllNumericIds(rows.getNumericIdsList())
        .addAllVectors(rows.getVectorsList())
        .addAllPayloads(rows.getPayloadsList());
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<BulkInsertRequest> stream) {
    requests = stream;
  }

  @Override
  public void onNext(BulkInsertResponse response) {
    check(response);
    responses.add(response);
  }

  private void check(BulkInsertResponse next) {
    BulkInsertResponse last =
        responses.isEmpty() ? BulkInsertResponse.getDefaultInstance() : responses.getLast();
    if (next.getReceivedFrameSequence() < last.getReceivedFrameSequence()
        || next.getDurableFrameSequence() < last.getDurableFrameSequence()
        || next.getSearchableFrameSequence() < last.getSearchableFrameSequence()
        || next.getDurableFrameSequence() > next.getReceivedFrameSequence()
        || next.getSearchableFrameSequence() > next.getReceivedFrameSequence()
        || next.hasOpening() != responses.isEmpty()) {
      disorder = new AssertionError(last + " was followed by " + next);
    }
  }

  @Override
  public void onError(Throwable e) {
    failure = e;
  }

  @Override
  public void onCompleted() {
    completed = true;
  }

  BulkClient send(BulkInsertRequest.Builder frame) {
    requests().onNext(frame.build());
    return this;
  }

  void closeSide() {
    requests().onCompleted();
  }

  void cancel() {
    requests().cancel("by the test", null);
  }

  private ClientCallStreamObserver<BulkInsertRequest> requests() {
    ClientCallStreamObserver<BulkInsertRequest> open = requests;
    if (open == null) {
      throw new AssertionError("not open");
    }
    return open;
  }

  boolean hasCompleted() {
    if (failure != null) {
      throw new AssertionError(failure);
    }
    return completed;
  }

  List<BulkInsertResponse> responses() {
    return responses;
  }

  /// Waits for a response that `fits`, and returns it.
  BulkInsertResponse await(String what, Predicate<BulkInsertResponse> fits) {
    ServerFixture.await(
        what, () -> responses.stream().anyMatch(fits) || failure != null || completed);
    return responses.stream()
        .filter(fits)
        .findFirst()
        .orElseThrow(() -> new AssertionError(what + ": " + responses, failure));
  }

  /// Closes our side and waits for the clean end; returns the last response.
  BulkInsertResponse finish() {
    closeSide();
    ServerFixture.await("the end of the stream", () -> completed || failure != null);
    if (failure != null || disorder != null) {
      throw new AssertionError(failure != null ? failure : disorder);
    }
    return responses.getLast();
  }

  /// Waits for the stream to fail.
  ServerFixture.Failure fail() {
    ServerFixture.await("the failure of the stream", () -> completed || failure != null);
    Throwable e = failure;
    if (e == null) {
      throw new AssertionError("the stream ended well: " + responses);
    }
    return ServerFixture.failure(e);
  }
}
