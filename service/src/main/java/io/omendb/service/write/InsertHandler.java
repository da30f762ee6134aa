package io.omendb.service.write;

import io.grpc.Deadline;
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
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.ReplyBuffer;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Insert: rows go from the network buffers into the collection on the network's thread; the reply
/// follows from the acknowledging thread when the log has them. Where the unlinked buffer is full,
/// a copy of them waits for room in it, within the call's deadline.
public final class InsertHandler implements ServerCallHandler<RowsMessage, Reply> {
  static final int CONFLICTS_MAX = 100;

  private static final ThreadLocal<AppendResult> RESULTS =
      ThreadLocal.withInitial(AppendResult::new);

  /// Longest wait for room of a call without a deadline.
  private static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

  /// A call that is refused because its time is almost over is told why, not just that it was late.
  private static final long BEFORE_DEADLINE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Serving serving;
  private final Acknowledger acknowledger;
  private final WaitingInserts waiting;
  private final WriteQueues queues;
  private final MemoryBudget network;
  private final MemoryBudget budget;

  /// Rows are written in `queues`, and those that find no room in the index wait in `waiting`;
  /// meanwhile they hold buffers of the network within `network`, and bytes of the heap within
  /// `budget`.
  public InsertHandler(
      Serving serving,
      Acknowledger acknowledger,
      WaitingInserts waiting,
      WriteQueues queues,
      MemoryBudget network,
      MemoryBudget budget) {
    this.serving = serving;
    this.acknowledger = acknowledger;
    this.waiting = waiting;
    this.queues = queues;
    this.network = network;
    this.budget = budget;
  }

  @Override
  public ServerCall.Listener<RowsMessage> startCall(
      ServerCall<RowsMessage, Reply> call, Metadata headers) {
    // One more than a unary call has, so that gRPC sees and refuses a second message.
    call.request(2);
    return new UnaryListener<>(call, () -> {}) {
      @Override
      protected void handle(RowsMessage message) {
        insert(call, message);
      }
    };
  }

  private void insert(ServerCall<RowsMessage, Reply> call, RowsMessage message) {
    boolean held = false;
    try {
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
      held = message.hold(network, budget);
      if (!held) {
        throw Refusals.memoryFull(message.bytes(), budget);
      }
      new HeldInsert(call, collection, message, mode, CallReplies.deadline()).resume();
    } catch (Refusal e) {
      StatusMapper.close(call, e);
    } catch (RuntimeException | Error e) {
      // An Error too: a call is never left unanswered.
      StatusMapper.close(call, Refusals.internal(e));
    } finally {
      if (!held) {
        message.close();
      }
    }
  }

  /// An insert on its way through the write queue, which may have to wait for room in between.
  private final class HeldInsert implements WaitingInserts.Waiting {
    private final ServerCall<RowsMessage, Reply> call;
    private final Collection collection;
    private final RowsMessage rows;
    private final WriteMode mode;
    private final @Nullable Deadline deadline;
    private final long endNanos;
    private boolean waited;

    HeldInsert(
        ServerCall<RowsMessage, Reply> call,
        Collection collection,
        RowsMessage rows,
        WriteMode mode,
        @Nullable Deadline deadline) {
      this.call = call;
      this.collection = collection;
      this.rows = rows;
      this.mode = mode;
      this.deadline = deadline;
      this.endNanos =
          System.nanoTime()
              + (deadline == null
                  ? WAIT_NANOS
                  : beforeDeadline(deadline.timeRemaining(TimeUnit.NANOSECONDS)));
    }

    private static long beforeDeadline(long left) {
      return left - Math.max(BEFORE_DEADLINE_NANOS, left / 8);
    }

    @Override
    public void resume() {
      try {
        queues.execute(collection, this::write);
      } catch (RejectedExecutionException e) {
        abandon();
      }
    }

    /// In the collection's write queue.
    private void write() {
      boolean waits = false;
      try {
        if (!CallReplies.closeIfLate(call, deadline)) {
          waits = isBehindOthers() || !append();
        }
      } catch (Refusal e) {
        StatusMapper.close(call, e);
      } catch (RuntimeException | Error e) {
        StatusMapper.close(call, Refusals.internal(e));
      } finally {
        if (!waits) {
          end();
        }
      }
      if (waits && waited) {
        waiting.again(this);
      } else if (waits) {
        waited = true;
        waiting.add(this);
      }
    }

    private boolean isBehindOthers() {
      return !waited && waiting.hasOf(collection);
    }

    private void end() {
      rows.close();
      if (waited) {
        waiting.done(this);
      }
    }

    /// Writes and waits for the acknowledgement; false where the unlinked buffer is full.
    private boolean append() throws Refusal {
      AppendResult result = RESULTS.get();
      try {
        collection.append(rows, mode, Visibility.IMMEDIATE, result);
      } catch (UnlinkedBufferFullException e) {
        return false;
      } catch (InvalidRowsException e) {
        throw StatusMapper.invalidRows(e, RowsCheck.vectorField(rows));
      } catch (IOException | CollectionNotFoundException e) {
        throw StatusMapper.refusal(e, collection.config().name());
      }
      acknowledge(call, collection, mode, result);
      return true;
    }

    @Override
    public Collection collection() {
      return collection;
    }

    @Override
    public boolean hasRoom() {
      return !collection.unlinkedBufferFull();
    }

    @Override
    public boolean isOver(long now) {
      return call.isCancelled() || now - endNanos >= 0;
    }

    @Override
    public void refuse() {
      StatusMapper.close(call, Refusals.unlinkedBufferFull(collection.config().name()));
      rows.close();
    }

    @Override
    public void abandon() {
      StatusMapper.close(call, Refusals.draining());
      end();
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
