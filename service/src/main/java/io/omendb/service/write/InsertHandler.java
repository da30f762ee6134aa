package io.omendb.service.write;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionNotFoundException;
import io.omendb.engine.UnlinkedBufferFullException;
import io.omendb.engine.Visibility;
import io.omendb.proto.v1.ConflictReason;
import io.omendb.proto.v1.InsertResponse;
import io.omendb.proto.v1.ItemConflict;
import io.omendb.service.call.CallReplies;
import io.omendb.service.call.Serving;
import io.omendb.service.call.UnaryListener;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.MalformedMessageException;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.ReplyBuffer;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.util.Arrays;

/// Insert: rows go from the network buffers into the collection on the network's thread; the reply
/// follows from the acknowledging thread when the log has them.
public final class InsertHandler implements ServerCallHandler<RowsMessage, Reply> {
  static final int CONFLICTS_MAX = 100;

  private static final ThreadLocal<AppendResult> RESULTS =
      ThreadLocal.withInitial(AppendResult::new);

  private final Serving serving;
  private final Acknowledger acknowledger;

  public InsertHandler(Serving serving, Acknowledger acknowledger) {
    this.serving = serving;
    this.acknowledger = acknowledger;
  }

  @Override
  public ServerCall.Listener<RowsMessage> startCall(
      ServerCall<RowsMessage, Reply> call, Metadata headers) {
    // One more than a unary call has, so that gRPC sees and refuses a second message.
    call.request(2);
    return new UnaryListener<>(call) {
      @Override
      protected void handle(RowsMessage message) {
        insert(call, message);
      }
    };
  }

  private void insert(ServerCall<RowsMessage, Reply> call, RowsMessage message) {
    try (message) {
      if (CallReplies.closeIfLate(call, CallReplies.deadline())) {
        return;
      }
      MalformedMessageException fault = message.malformed();
      if (fault != null) {
        throw Refusals.malformed(fault);
      }
      Collection collection = serving.collection(message.collection());
      WriteMode mode = RowsCheck.mode(message.mode());
      RowsCheck.check(message, collection.config());
      AppendResult result = RESULTS.get();
      append(collection, message, mode, result);
      acknowledge(call, collection, mode, result);
    } catch (Refusal e) {
      StatusMapper.close(call, e);
    } catch (RuntimeException e) {
      StatusMapper.close(call, Refusals.internal(e));
    }
  }

  private static void append(
      Collection collection, RowsMessage message, WriteMode mode, AppendResult result)
      throws Refusal {
    try {
      collection.append(message, mode, Visibility.IMMEDIATE, result);
    } catch (InvalidRowsException e) {
      throw StatusMapper.invalidRows(e, RowsCheck.vectorField(message));
    } catch (UnlinkedBufferFullException | IOException | CollectionNotFoundException e) {
      throw StatusMapper.refusal(e, collection.config().name());
    }
  }

  private void acknowledge(
      ServerCall<RowsMessage, Reply> call,
      Collection collection,
      WriteMode mode,
      AppendResult result) {
    // All conflicts: nothing was logged, and the last position before it is told.
    long sequence = result.lsn != 0 ? result.lsn : collection.lastSequence();
    int[] conflicts =
        Arrays.copyOf(result.conflictRows, Math.min(result.conflictCount, CONFLICTS_MAX));
    int inserted = result.inserted;
    int updated = result.updated;
    int conflictCount = result.conflictCount;
    acknowledger
        .of(collection)
        .addWrite(
            new PendingAck(sequence, PendingAck.FOREVER) {
              @Override
              protected void reached() {
                if (call.isCancelled()) {
                  return;
                }
                ReplyBuffer reply = CallReplies.buffer();
                reply.putVarint(InsertResponse.COMMIT_SEQUENCE_FIELD_NUMBER, sequence);
                reply.putVarint(InsertResponse.INSERTED_COUNT_FIELD_NUMBER, inserted);
                reply.putVarint(InsertResponse.UPDATED_COUNT_FIELD_NUMBER, updated);
                reply.putVarint(InsertResponse.CONFLICT_COUNT_FIELD_NUMBER, conflictCount);
                for (int row : conflicts) {
                  reply.putMessage(InsertResponse.CONFLICTS_FIELD_NUMBER, conflict(row, mode));
                }
                CallReplies.answer(call, reply);
              }

              @Override
              protected void failed(Refusal refusal) {
                StatusMapper.close(call, refusal);
              }
            });
  }

  static ItemConflict conflict(int row, WriteMode mode) {
    return ItemConflict.newBuilder()
        .setIndex(row)
        .setReason(
            mode == WriteMode.INSERT_ONLY
                ? ConflictReason.CONFLICT_REASON_ID_EXISTS
                : ConflictReason.CONFLICT_REASON_ID_NOT_FOUND)
        .build();
  }
}
