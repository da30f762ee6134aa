package io.omendb.loadtest.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.omendb.loadtest.report.Latencies;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Searches in a closed loop: each client sends its next query when it has the answer to the last.
 * The clients share the queries, taken round and round.
 */
public final class SearchLoad {

  private static final MethodDescriptor<RawMessage, SearchResponse> METHOD =
      RawMessage.method(VectorServiceGrpc.getSearchMethod());

  /**
   * What a run took.
   *
   * @param seconds how long it lasted
   * @param latencies of every search
   */
  public record Result(double seconds, Latencies latencies) {}

  private final List<RawMessage> queries;
  private final long deadline;
  private final AtomicInteger next = new AtomicInteger();

  private SearchLoad(List<RawMessage> queries, long deadline) {
    this.queries = queries;
    this.deadline = deadline;
  }

  /**
   * Runs as many clients as there are channels for a time.
   *
   * @throws java.util.concurrent.CompletionException if a search fails
   */
  public static Result run(
      List<? extends Channel> channels, List<RawMessage> queries, Duration time) {
    long start = System.nanoTime();
    SearchLoad load = new SearchLoad(queries, start + time.toNanos());
    List<Client> clients = new ArrayList<>();
    for (Channel channel : channels) {
      clients.add(load.new Client(channel));
    }
    clients.forEach(Client::next);
    clients.forEach(client -> client.ended.join());
    double seconds = (System.nanoTime() - start) / 1e9;
    Latencies all = new Latencies();
    clients.forEach(client -> all.add(client.latencies));
    return new Result(seconds, all);
  }

  /** Its calls never overlap, so that its fields are handed from one to the next. */
  private final class Client {

    private final Channel channel;
    private final Latencies latencies = new Latencies();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    Client(Channel channel) {
      this.channel = channel;
    }

    void next() {
      long now = System.nanoTime();
      if (now >= deadline) {
        ended.complete(null);
        return;
      }
      RawMessage query = queries.get(Math.floorMod(next.getAndIncrement(), queries.size()));
      ClientCall<RawMessage, SearchResponse> call = channel.newCall(METHOD, CallOptions.DEFAULT);
      call.start(new Answer(now), new Metadata());
      call.request(2);
      call.sendMessage(query);
      call.halfClose();
    }

    /** Waits for one answer. */
    private final class Answer extends ClientCall.Listener<SearchResponse> {

      private final long start;

      Answer(long start) {
        this.start = start;
      }

      @Override
      public void onClose(Status status, Metadata trailers) {
        if (status.isOk()) {
          latencies.record(System.nanoTime() - start);
          Client.this.next();
        } else {
          ended.completeExceptionally(status.asRuntimeException(trailers));
        }
      }
    }
  }
}
