package io.omendb.service.read;

import com.google.protobuf.ByteString;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.omendb.engine.Collection;
import io.omendb.proto.v1.GetRequest;
import io.omendb.proto.v1.GetResponse;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.proto.v1.VectorRecord;
import io.omendb.service.call.CallReplies;
import io.omendb.service.call.ReplyMemory;
import io.omendb.service.call.Serving;
import io.omendb.service.call.SlowReaders;
import io.omendb.service.call.UnaryListener;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.ReplyBuffer;
import io.omendb.storage.api.IdKind;
import org.jspecify.annotations.Nullable;

/// Get: records are encoded on a request thread, straight from where they lie; so a reply takes the
/// memory that it takes on the wire, which is known before its first byte.
public final class GetHandler implements ServerCallHandler<GetRequest, Reply> {
  private static final int IDS_MAX = 10_000;

  private final Serving serving;
  private final ReadScheduler reads;
  private final int maxReplyBytes;
  private final MemoryBudget budget;
  private final SlowReaders slowReaders;

  public GetHandler(
      Serving serving,
      ReadScheduler reads,
      int maxReplyBytes,
      MemoryBudget budget,
      SlowReaders slowReaders) {
    this.serving = serving;
    this.reads = reads;
    this.maxReplyBytes = maxReplyBytes;
    this.budget = budget;
    this.slowReaders = slowReaders;
  }

  @Override
  public ServerCall.Listener<GetRequest> startCall(
      ServerCall<GetRequest, Reply> call, Metadata headers) {
    call.request(2);
    ReplyMemory memory = new ReplyMemory(budget, slowReaders, call);
    return new UnaryListener<>(call, memory::end) {
      @Override
      protected void handle(GetRequest request) {
        get(call, request, memory);
      }
    };
  }

  private void get(ServerCall<GetRequest, Reply> call, GetRequest request, ReplyMemory memory) {
    try {
      Deadline deadline = CallReplies.deadline();
      if (CallReplies.closeIfLate(call, deadline)) {
        return;
      }
      Collection collection = serving.collection(request.getCollection());
      QueryCheck.checkFormat(request.getVectorFormatValue());
      QueryCheck.checkIds(
          collection.config(), request.getNumericIdsCount(), request.getStringIdsCount(), IDS_MAX);
      Task task = new Task(call, collection, request, memory, deadline);
      reads.start(
          collection,
          request.getMinVisibleSequence(),
          deadline,
          task,
          refusal -> StatusMapper.close(call, refusal));
    } catch (Refusal e) {
      StatusMapper.close(call, e);
    } catch (RuntimeException | Error e) {
      // An Error too: a call is never left unanswered.
      StatusMapper.close(call, Refusals.internal(e));
    }
  }

  /// One Get on a request thread.
  private final class Task implements Runnable, LeasedRead.Body {
    private final ServerCall<GetRequest, Reply> call;
    private final Collection collection;
    private final GetRequest request;
    private final ReplyMemory memory;
    private final @Nullable Deadline deadline;
    private final boolean numeric;
    private final int count;
    private final int vectorBytes;

    Task(
        ServerCall<GetRequest, Reply> call,
        Collection collection,
        GetRequest request,
        ReplyMemory memory,
        @Nullable Deadline deadline) {
      this.call = call;
      this.collection = collection;
      this.request = request;
      this.memory = memory;
      this.deadline = deadline;
      this.numeric = collection.config().idKind() == IdKind.NUMERIC;
      this.count = numeric ? request.getNumericIdsCount() : request.getStringIdsCount();
      this.vectorBytes =
          request.getIncludeVectors() ? collection.config().dimension() * Float.BYTES : 0;
    }

    @Override
    public void run() {
      LeasedRead.run(call, collection, deadline, this);
    }

    @Override
    public void answer() throws Refusal {
      int[] slots = new int[count];
      long size = 0;
      int missing = 0;
      for (int i = 0; i < count; i++) {
        slots[i] = find(i);
        if (slots[i] >= 0) {
          size +=
              ReplyBuffer.sizeRecord(GetResponse.RECORDS_FIELD_NUMBER, recordBytes(i, slots[i]));
        } else {
          missing++;
          size +=
              numeric
                  ? Long.BYTES
                  : ReplyBuffer.sizeRecord(
                      GetResponse.MISSING_STRING_IDS_FIELD_NUMBER, stringId(i).size());
        }
      }
      if (size > maxReplyBytes) {
        throw Refusals.responseTooLarge(size, maxReplyBytes);
      }
      memory.reserve(size);
      ReplyBuffer reply = CallReplies.buffer();
      for (int i = 0; i < count; i++) {
        if (slots[i] >= 0) {
          putRecord(reply, i, slots[i]);
        }
      }
      putMissing(reply, slots, missing);
      CallReplies.answer(call, reply);
      memory.sent();
    }

    private int find(int index) {
      if (numeric) {
        return collection.rows().find(request.getNumericIds(index));
      }
      byte[] utf8 = stringId(index).toByteArray();
      return collection.rows().find(utf8, 0, utf8.length);
    }

    private ByteString stringId(int index) {
      return request.getStringIdsBytes(index);
    }

    private int payloadBytes(int slot) {
      return request.getIncludePayloads() ? collection.rows().payloadLength(slot) : 0;
    }

    private int recordBytes(int index, int slot) {
      long size =
          numeric
              ? ReplyBuffer.sizeFixed64(VectorRecord.NUMERIC_ID_FIELD_NUMBER)
              : ReplyBuffer.sizeRecord(VectorRecord.STRING_ID_FIELD_NUMBER, stringId(index).size());
      int payload = payloadBytes(slot);
      if (payload > 0) {
        size += ReplyBuffer.sizeRecord(VectorRecord.PAYLOAD_FIELD_NUMBER, payload);
      }
      if (vectorBytes > 0) {
        size += ReplyBuffer.sizeRecord(vectorField(), vectorBytes);
      }
      return Math.toIntExact(size);
    }

    private int vectorField() {
      return request.getVectorFormat() == VectorFormat.VECTOR_FORMAT_BYTES_LE
          ? VectorRecord.VECTOR_LE_FIELD_NUMBER
          : VectorRecord.VECTOR_FIELD_NUMBER;
    }

    private void putRecord(ReplyBuffer reply, int index, int slot) {
      reply.putRecord(GetResponse.RECORDS_FIELD_NUMBER, recordBytes(index, slot));
      if (numeric) {
        reply.putFixed64(VectorRecord.NUMERIC_ID_FIELD_NUMBER, request.getNumericIds(index));
      } else {
        putBytes(reply, VectorRecord.STRING_ID_FIELD_NUMBER, stringId(index));
      }
      int payload = payloadBytes(slot);
      if (payload > 0) {
        reply.putRecord(VectorRecord.PAYLOAD_FIELD_NUMBER, payload);
        int at = reply.reserve(payload);
        collection.rows().copyPayload(slot, reply.array(), at);
      }
      if (vectorBytes > 0) {
        // The two forms differ in the tag only.
        reply.putRecord(vectorField(), vectorBytes);
        int at = reply.reserve(vectorBytes);
        collection.rows().copyVector(slot, reply.array(), at);
      }
    }

    private void putMissing(ReplyBuffer reply, int[] slots, int missing) {
      if (numeric && missing > 0) {
        reply.putRecord(GetResponse.MISSING_NUMERIC_IDS_FIELD_NUMBER, missing * Long.BYTES);
      }
      for (int i = 0; i < count && missing > 0; i++) {
        if (slots[i] >= 0) {
          continue;
        }
        if (numeric) {
          reply.putLittleEndian(request.getNumericIds(i));
        } else {
          putBytes(reply, GetResponse.MISSING_STRING_IDS_FIELD_NUMBER, stringId(i));
        }
      }
    }

    private static void putBytes(ReplyBuffer reply, int field, ByteString bytes) {
      reply.putRecord(field, bytes.size());
      int at = reply.reserve(bytes.size());
      bytes.copyTo(reply.array(), at);
    }
  }
}
