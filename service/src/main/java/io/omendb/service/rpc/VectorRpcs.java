package io.omendb.service.rpc;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionStats;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CountResponse;
import io.omendb.proto.v1.DeleteRequest;
import io.omendb.proto.v1.DeleteResponse;
import io.omendb.proto.v1.ExportRequest;
import io.omendb.proto.v1.ExportResponse;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.call.Serving;
import io.omendb.service.read.QueryCheck;
import io.omendb.service.rpc.GeneratedCalls.Answer;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.write.Acknowledger;
import io.omendb.service.write.PendingAck;
import io.omendb.service.write.WriteQueues;
import io.omendb.storage.api.DeleteResult;
import io.omendb.storage.api.IdKind;
import java.io.IOException;
import java.util.List;

/// The RPCs of VectorService that use generated messages. Insert, BulkInsert, Search, SearchBatch
/// and Get are read or answered by hand and have handlers of their own.
public final class VectorRpcs extends VectorServiceGrpc.VectorServiceImplBase {
  private static final int DELETE_MAX = 65_536;

  private final Serving serving;
  private final GeneratedCalls calls;
  private final Acknowledger acknowledger;
  private final WriteQueues writes;

  public VectorRpcs(
      Serving serving, GeneratedCalls calls, Acknowledger acknowledger, WriteQueues writes) {
    this.writes = writes;
    this.serving = serving;
    this.calls = calls;
    this.acknowledger = acknowledger;
  }

  @Override
  public void delete(DeleteRequest request, StreamObserver<DeleteResponse> observer) {
    try {
      Collection collection = serving.collection(request.getCollection());
      calls.runOn(
          task -> writes.execute(collection, task),
          observer,
          request.getCollection(),
          answer -> delete(collection, request, answer));
    } catch (Refusal e) {
      observer.onError(e.toStatus());
    }
  }

  private void delete(Collection collection, DeleteRequest request, Answer<DeleteResponse> answer)
      throws Refusal, IOException {
    QueryCheck.checkIds(
        collection.config(), request.getNumericIdsCount(), request.getStringIdsCount(), DELETE_MAX);
    int given = request.getNumericIdsCount() + request.getStringIdsCount();
    DeleteResult result =
        collection.config().idKind() == IdKind.NUMERIC
            ? collection.delete(
                request.getNumericIdsList().stream().mapToLong(Long::longValue).toArray())
            : collection.delete(utf8(request));
    long sequence = result.lsn() != 0 ? result.lsn() : collection.lastSequence();
    DeleteResponse response =
        DeleteResponse.newBuilder()
            .setCommitSequence(sequence)
            .setDeletedCount(result.deleted())
            .setMissingCount(given - result.deleted())
            .build();
    acknowledger
        .of(collection)
        .addWrite(
            new PendingAck(sequence, PendingAck.FOREVER) {
              @Override
              protected void reached() {
                answer.send(response);
              }

              @Override
              protected void failed(Refusal refusal) {
                answer.refuse(refusal);
              }
            });
  }

  private static byte[][] utf8(DeleteRequest request) {
    List<ByteString> ids = request.getStringIdsList().asByteStringList();
    return ids.stream().map(ByteString::toByteArray).toArray(byte[][]::new);
  }

  @Override
  public void count(CountRequest request, StreamObserver<CountResponse> observer) {
    try {
      Collection collection = serving.collection(request.getCollection());
      if (request.hasFilter()) {
        throw Refusals.notImplemented("filter");
      }
      calls.runWhenVisible(
          observer,
          collection,
          request.getMinVisibleSequence(),
          answer -> answer.send(count(collection)));
    } catch (Refusal e) {
      observer.onError(e.toStatus());
    }
  }

  private static CountResponse count(Collection collection) {
    long visible = collection.visibleSequence();
    CollectionStats stats = collection.stats(false);
    return CountResponse.newBuilder()
        .setCount(stats.liveCount())
        .setSearchableCount(stats.searchableCount())
        .setVisibleSequence(visible)
        .build();
  }

  @Override
  public void export(ExportRequest request, StreamObserver<ExportResponse> observer) {
    observer.onError(Refusals.notImplemented("Export").toStatus());
  }
}
