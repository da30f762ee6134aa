package io.omendb.service.read;

import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.omendb.engine.Collection;
import io.omendb.service.call.CallReplies;
import io.omendb.service.call.ReplyMemory;
import io.omendb.service.call.Serving;
import io.omendb.service.call.SlowReaders;
import io.omendb.service.call.UnaryListener;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.MalformedMessageException;
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.QueryMessage;
import io.omendb.service.wire.Reply;

/// Search and SearchBatch: requests are checked on the network's thread and answered by a
/// [SearchTask] on a request thread.
public final class SearchHandler implements ServerCallHandler<QueryMessage, Reply> {
  private final Serving serving;
  private final ReadScheduler reads;
  private final int maxReplyBytes;
  private final MemoryBudget budget;
  private final SlowReaders slowReaders;
  private final boolean batch;

  public SearchHandler(
      Serving serving,
      ReadScheduler reads,
      int maxReplyBytes,
      MemoryBudget budget,
      SlowReaders slowReaders,
      boolean batch) {
    this.slowReaders = slowReaders;
    this.budget = budget;
    this.serving = serving;
    this.reads = reads;
    this.maxReplyBytes = maxReplyBytes;
    this.batch = batch;
  }

  @Override
  public ServerCall.Listener<QueryMessage> startCall(
      ServerCall<QueryMessage, Reply> call, Metadata headers) {
    call.request(2);
    ReplyMemory memory = new ReplyMemory(budget, slowReaders, call);
    return new UnaryListener<>(call, memory::end) {
      @Override
      protected void handle(QueryMessage query) {
        search(call, query, memory);
      }
    };
  }

  private void search(
      ServerCall<QueryMessage, Reply> call, QueryMessage query, ReplyMemory memory) {
    try {
      Deadline deadline = CallReplies.deadline();
      if (CallReplies.closeIfLate(call, deadline)) {
        query.close();
        return;
      }
      MalformedMessageException fault = query.malformed();
      if (fault != null) {
        throw Refusals.malformed(fault);
      }
      if (query.isMemoryFull()) {
        throw Refusals.memoryFull(query.vectorBytes(), budget);
      }
      Collection collection = serving.collection(query.collection());
      QueryCheck.checkOptions(query);
      int count = QueryCheck.checkVectors(query, collection.config(), batch);
      SearchTask task =
          new SearchTask(call, query, collection, batch, count, deadline, maxReplyBytes, memory);
      reads.start(collection, query.minVisibleSequence(), deadline, task, task::refuse);
    } catch (Refusal e) {
      query.close();
      StatusMapper.close(call, e);
    } catch (RuntimeException | Error e) {
      // An Error too: a call is never left unanswered.
      query.close();
      StatusMapper.close(call, Refusals.internal(e));
    }
  }
}
