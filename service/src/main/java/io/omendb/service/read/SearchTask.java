package io.omendb.service.read;

import io.grpc.Deadline;
import io.grpc.ServerCall;
import io.omendb.engine.Collection;
import io.omendb.engine.SearchRequest;
import io.omendb.engine.SearchResult;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.proto.v1.SearchBatchResponse;
import io.omendb.proto.v1.SearchExplain;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.SearchStrategy;
import io.omendb.service.call.CallReplies;
import io.omendb.service.call.ReplyMemory;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.QueryMessage;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.ReplyBuffer;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// A search on its way: owns its call and its query from the network's thread on, until it has
/// answered.
final class SearchTask implements Runnable, LeasedRead.Body, BooleanSupplier {
  private static final ThreadLocal<Workspace> WORKSPACES = ThreadLocal.withInitial(Workspace::new);

  private final ServerCall<QueryMessage, Reply> call;
  private final QueryMessage query;
  private final Collection collection;
  private final boolean batch;
  private final int count;
  private final @Nullable Deadline deadline;
  private final int maxReplyBytes;
  private final ReplyMemory memory;

  SearchTask(
      ServerCall<QueryMessage, Reply> call,
      QueryMessage query,
      Collection collection,
      boolean batch,
      int count,
      @Nullable Deadline deadline,
      int maxReplyBytes,
      ReplyMemory memory) {
    this.call = call;
    this.query = query;
    this.collection = collection;
    this.batch = batch;
    this.count = count;
    this.deadline = deadline;
    this.maxReplyBytes = maxReplyBytes;
    this.memory = memory;
  }

  @Override
  public void run() {
    try (query) {
      LeasedRead.run(call, collection, deadline, this);
    }
  }

  /// Ends the call instead of answering it.
  void refuse(Refusal refusal) {
    query.close();
    StatusMapper.close(call, refusal);
  }

  @Override
  public void answer() throws Refusal {
    Workspace workspace = WORKSPACES.get();
    long startNanos = System.nanoTime();
    ReplyBuffer reply = CallReplies.buffer();
    // Read before the search: what was visible then is in it.
    long visible = collection.visibleSequence();
    SearchRequest request = workspace.request(collection.config().dimension());
    request.k = query.k();
    request.ef = query.ef() == 0 ? 0 : Math.max(query.ef(), query.k());
    request.exact = query.exact();
    request.maxDistance = query.hasMaxDistance() ? query.maxDistance() : Float.POSITIVE_INFINITY;
    request.abandoned = this;
    if (!batch) {
      if (!search(workspace, request, 0)) {
        return;
      }
      HitEncoder hits = workspace.hits;
      checkSize(hits.size(SearchResponse.HITS_FIELD_NUMBER, collection, workspace.result, query));
      hits.encode(reply, SearchResponse.HITS_FIELD_NUMBER, collection, workspace.result, query);
      if (query.explain()) {
        reply.putMessage(
            SearchResponse.EXPLAIN_FIELD_NUMBER, explain(workspace.result, startNanos));
      }
      reply.putVarint(SearchResponse.VISIBLE_SEQUENCE_FIELD_NUMBER, visible);
    } else {
      for (int i = 0; i < count; i++) {
        if (CallReplies.closeIfLate(call, deadline) || !search(workspace, request, i)) {
          return;
        }
        encodeResult(workspace, reply, startNanos);
        if (i == 0) {
          // All of it before the rest: two replies that grow side by side could both find no room.
          memory.reserve(Math.min(maxReplyBytes, (long) reply.length() * count));
        }
      }
      reply.putVarint(SearchBatchResponse.VISIBLE_SEQUENCE_FIELD_NUMBER, visible);
    }
    CallReplies.answer(call, reply);
    memory.sent();
  }

  /// Whether nobody waits any more.
  @Override
  public boolean getAsBoolean() {
    return call.isCancelled() || (deadline != null && deadline.isExpired());
  }

  /// False, and the call is closed, where nobody waited to the end.
  private boolean search(Workspace workspace, SearchRequest request, int index) {
    query.copyQuery(index, request.query.length, request.query);
    collection.search(request, workspace.scratch, workspace.result);
    return !(workspace.result.abandoned && CallReplies.closeIfLate(call, deadline));
  }

  private void encodeResult(Workspace workspace, ReplyBuffer reply, long startNanos)
      throws Refusal {
    HitEncoder hits = workspace.hits;
    int field = io.omendb.proto.v1.SearchResult.HITS_FIELD_NUMBER;
    long size = hits.size(field, collection, workspace.result, query);
    SearchExplain explain = query.explain() ? explain(workspace.result, startNanos) : null;
    if (explain != null) {
      size +=
          ReplyBuffer.sizeRecord(
              io.omendb.proto.v1.SearchResult.EXPLAIN_FIELD_NUMBER, explain.getSerializedSize());
    }
    checkSize(reply.length() + size);
    reply.putRecord(SearchBatchResponse.RESULTS_FIELD_NUMBER, (int) size);
    hits.encode(reply, field, collection, workspace.result, query);
    if (explain != null) {
      reply.putMessage(io.omendb.proto.v1.SearchResult.EXPLAIN_FIELD_NUMBER, explain);
    }
  }

  private void checkSize(long bytes) throws Refusal {
    if (bytes > maxReplyBytes) {
      throw Refusals.responseTooLarge(bytes, maxReplyBytes);
    }
    memory.reserve(bytes);
  }

  private SearchExplain explain(SearchResult result, long startNanos) {
    return SearchExplain.newBuilder()
        .setStrategy(strategy(result))
        .setEf(result.ef)
        .setNodesVisited((int) result.nodesVisited)
        .setDistanceComputations(result.distanceComputations)
        .setUnlinkedRows(result.unlinkedRows)
        .setReranked((int) result.reranked)
        .setWaitNs(startNanos - query.arrivalNanos())
        .setGraphNs(result.graphNanos)
        .setScanNs(result.scanNanos)
        .setRerankNs(result.rerankNanos)
        .setTotalNs(System.nanoTime() - query.arrivalNanos())
        .build();
  }

  private static SearchStrategy strategy(SearchResult result) {
    return switch (result.strategy) {
      case GRAPH -> SearchStrategy.SEARCH_STRATEGY_GRAPH;
      case FLAT -> SearchStrategy.SEARCH_STRATEGY_FLAT;
      case EXACT -> SearchStrategy.SEARCH_STRATEGY_EXACT;
      case FALLBACK -> SearchStrategy.SEARCH_STRATEGY_FALLBACK;
    };
  }

  /// What a thread reuses from search to search.
  private static final class Workspace {
    final SearchScratch scratch = new SearchScratch();
    final SearchResult result = new SearchResult();
    final HitEncoder hits = new HitEncoder();
    private final SearchRequest request = new SearchRequest();

    SearchRequest request(int dimension) {
      if (request.query.length != dimension) {
        request.query = new float[dimension];
      }
      return request;
    }
  }
}
