package io.omendb.service.rpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.StreamObserver;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionStats;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CountResponse;
import io.omendb.proto.v1.DeleteRequest;
import io.omendb.proto.v1.DeleteResponse;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.proto.v1.ExportRequest;
import io.omendb.proto.v1.ExportResponse;
import io.omendb.proto.v1.GetRequest;
import io.omendb.proto.v1.GetResponse;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.proto.v1.VectorRecord;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.call.Serving;
import io.omendb.service.read.QueryCheck;
import io.omendb.service.rpc.GeneratedCalls.Answer;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.write.Acknowledger;
import io.omendb.service.write.PendingAck;
import io.omendb.storage.api.DeleteResult;
import io.omendb.storage.api.IdKind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// The RPCs of VectorService that use generated messages. Insert, BulkInsert, Search and
/// SearchBatch are read by hand and have handlers of their own.
public final class VectorRpcs extends VectorServiceGrpc.VectorServiceImplBase {
  private static final int GET_MAX = 10_000;
  private static final int DELETE_MAX = 65_536;

  /// What a record takes beside vector and payload.
  private static final int RECORD_BYTES = 128;

  private final Serving serving;
  private final GeneratedCalls calls;
  private final Acknowledger acknowledger;
  private final int maxReplyBytes;

  public VectorRpcs(
      Serving serving, GeneratedCalls calls, Acknowledger acknowledger, int maxReplyBytes) {
    this.serving = serving;
    this.calls = calls;
    this.acknowledger = acknowledger;
    this.maxReplyBytes = maxReplyBytes;
  }

  @Override
  public void get(GetRequest request, StreamObserver<GetResponse> observer) {
    try {
      Collection collection = serving.collection(request.getCollection());
      QueryCheck.checkFormat(request.getVectorFormatValue());
      checkIds(collection, request.getNumericIdsCount(), request.getStringIdsCount(), GET_MAX);
      calls.runWhenVisible(
          observer,
          collection,
          request.getMinVisibleSequence(),
          answer -> get(collection, request, answer));
    } catch (Refusal e) {
      observer.onError(e.toStatus());
    }
  }

  private void get(Collection collection, GetRequest request, Answer<GetResponse> answer)
      throws Refusal {
    if (!collection.acquire()) {
      throw Refusals.collectionDropped(collection.config().name());
    }
    try {
      // All of it before the first: two replies that grow side by side could both find no room.
      answer.reserve(expectedBytes(collection, request));
      GetResponse.Builder response = GetResponse.newBuilder();
      long size = 0;
      for (long id : request.getNumericIdsList()) {
        int slot = collection.rows().find(id);
        if (slot < 0) {
          response.addMissingNumericIds(id);
        } else {
          size += add(response, record(collection, slot, request).setNumericId(id));
          checkSize(size);
        }
      }
      for (int i = 0; i < request.getStringIdsCount(); i++) {
        String id = request.getStringIds(i);
        byte[] utf8 = request.getStringIdsBytes(i).toByteArray();
        int slot = collection.rows().find(utf8, 0, utf8.length);
        if (slot < 0) {
          response.addMissingStringIds(id);
        } else {
          size += add(response, record(collection, slot, request).setStringId(id));
          checkSize(size);
        }
      }
      answer.send(response.build());
    } finally {
      collection.release();
    }
  }

  /// About what a reply takes while it is built; floats lie in lists that grow.
  private static long expectedBytes(Collection collection, GetRequest request) {
    long vector = (long) collection.config().dimension() * Float.BYTES;
    boolean floats = request.getVectorFormat() != VectorFormat.VECTOR_FORMAT_BYTES_LE;
    long perRecord =
        RECORD_BYTES + (request.getIncludeVectors() ? (floats ? 2 * vector : vector) : 0);
    long bytes = perRecord * (request.getNumericIdsCount() + request.getStringIdsCount());
    if (request.getIncludePayloads()) {
      for (long id : request.getNumericIdsList()) {
        bytes += payloadBytes(collection, collection.rows().find(id));
      }
      for (int i = 0; i < request.getStringIdsCount(); i++) {
        byte[] utf8 = request.getStringIdsBytes(i).toByteArray();
        bytes += payloadBytes(collection, collection.rows().find(utf8, 0, utf8.length));
      }
    }
    return bytes;
  }

  private static int payloadBytes(Collection collection, int slot) {
    return slot < 0 ? 0 : collection.rows().payloadLength(slot);
  }

  private void checkSize(long bytes) throws Refusal {
    if (bytes > maxReplyBytes) {
      throw Refusals.responseTooLarge(bytes, maxReplyBytes);
    }
  }

  private static int add(GetResponse.Builder response, VectorRecord.Builder record) {
    VectorRecord built = record.build();
    response.addRecords(built);
    return built.getSerializedSize();
  }

  private static VectorRecord.Builder record(Collection collection, int slot, GetRequest request) {
    VectorRecord.Builder row = VectorRecord.newBuilder();
    int payloadLength = request.getIncludePayloads() ? collection.rows().payloadLength(slot) : 0;
    if (payloadLength > 0) {
      byte[] payload = new byte[payloadLength];
      collection.rows().copyPayload(slot, payload, 0);
      row.setPayload(UnsafeByteOperations.unsafeWrap(payload));
    }
    if (request.getIncludeVectors()) {
      byte[] vector = new byte[collection.config().dimension() * Float.BYTES];
      collection.rows().copyVector(slot, vector, 0);
      if (request.getVectorFormat() == VectorFormat.VECTOR_FORMAT_BYTES_LE) {
        row.setVectorLe(UnsafeByteOperations.unsafeWrap(vector));
      } else {
        ByteBuffer components = ByteBuffer.wrap(vector).order(ByteOrder.LITTLE_ENDIAN);
        while (components.hasRemaining()) {
          row.addVector(components.getFloat());
        }
      }
    }
    return row;
  }

  @Override
  public void delete(DeleteRequest request, StreamObserver<DeleteResponse> observer) {
    calls.runLater(observer, request.getCollection(), answer -> delete(request, answer));
  }

  private void delete(DeleteRequest request, Answer<DeleteResponse> answer)
      throws Refusal, IOException {
    Collection collection = serving.collection(request.getCollection());
    checkIds(collection, request.getNumericIdsCount(), request.getStringIdsCount(), DELETE_MAX);
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

  private static void checkIds(Collection collection, int numericIds, int stringIds, int most)
      throws Refusal {
    boolean numeric = collection.config().idKind() == IdKind.NUMERIC;
    String field = numeric ? "numeric_ids" : "string_ids";
    if ((numeric ? stringIds : numericIds) > 0) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_ID_KIND_MISMATCH,
          numeric ? "string_ids" : "numeric_ids",
          "set",
          field + " only, the kind of this collection");
    }
    int count = numericIds + stringIds;
    if (count == 0) {
      throw Refusals.required(field);
    }
    if (count > most) {
      throw Refusals.outOfRange(field, count, "1 to " + most + " ids");
    }
  }
}
