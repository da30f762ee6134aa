package io.omendb.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.omendb.proto.v1.AdminServiceGrpc;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionInfo;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.ListCollectionsRequest;
import io.omendb.proto.v1.ListCollectionsResponse;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.StatsResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a server, and its collections. Thread-safe: one serves all threads. It connects
 * with the first call, and again after a break.
 *
 * <p>A call takes at most {@link #timeout}, repetitions included, and throws an {@link
 * OmenException}. A future that is cancelled cancels its call.
 */
public final class OmenClient implements AutoCloseable {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  /** How long calls that run may take to end when the client is closed. */
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final Shared shared;
  private final Duration timeout;
  private final RetryPolicy retry;

  /** What clients that differ in their settings have in common. */
  private record Shared(ManagedChannel channel, ScheduledExecutorService timer) {}

  private OmenClient(Shared shared, Duration timeout, RetryPolicy retry) {
    this.shared = shared;
    this.timeout = timeout;
    this.retry = retry;
  }

  /** A client of the server at {@code host:port}, without TLS. */
  public static OmenClient connect(String target) {
    return connect(
        NettyChannelBuilder.forTarget(target)
            .usePlaintext()
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build());
  }

  /** A client over a channel, which is closed with it. */
  public static OmenClient connect(ManagedChannel channel) {
    ScheduledExecutorService timer =
        Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofPlatform().daemon().name("omendb-client-timer").unstarted(task));
    return new OmenClient(new Shared(channel, timer), DEFAULT_TIMEOUT, RetryPolicy.DEFAULT);
  }

  /** The same connection, with another limit of time for a call. */
  public OmenClient withTimeout(Duration newTimeout) {
    return new OmenClient(shared, newTimeout, retry);
  }

  /** The same connection, with another policy of repeating calls. */
  public OmenClient withRetry(RetryPolicy newRetry) {
    return new OmenClient(shared, timeout, newRetry);
  }

  /** How long a call may take. */
  public Duration timeout() {
    return timeout;
  }

  /** Makes a collection, durably, with the defaults for all but these. */
  public OmenCollection createCollection(String name, int dimension, Similarity similarity) {
    return createCollection(
        CollectionConfig.newBuilder()
            .setName(name)
            .setDimension(dimension)
            .setSimilarity(similarity)
            .build());
  }

  /** Makes a collection, durably. */
  public OmenCollection createCollection(CollectionConfig config) {
    CreateCollectionRequest request =
        CreateCollectionRequest.newBuilder().setConfig(config).build();
    var unused =
        await(
            call(CollectionServiceGrpc.getCreateCollectionMethod(), request.toByteArray(), false));
    return collection(config.getName());
  }

  /** A collection by its name; no call is made. */
  public OmenCollection collection(String name) {
    return new OmenCollection(this, name);
  }

  /** All collections, by ascending name. */
  public List<CollectionInfo> collections() {
    List<CollectionInfo> found = new ArrayList<>();
    String token = "";
    do {
      ListCollectionsRequest request =
          ListCollectionsRequest.newBuilder().setPageToken(token).build();
      ListCollectionsResponse page =
          await(
              call(CollectionServiceGrpc.getListCollectionsMethod(), request.toByteArray(), true));
      found.addAll(page.getCollectionsList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return found;
  }

  /** Removes a collection and its data for good; returns whether it was there. */
  public boolean dropCollection(String name) {
    DropCollectionRequest request =
        DropCollectionRequest.newBuilder().setCollection(name).setAllowMissing(true).build();
    return await(call(CollectionServiceGrpc.getDropCollectionMethod(), request.toByteArray(), true))
        .getDropped();
  }

  /** How the server and its collections stand. */
  public StatsResponse stats() {
    return stats("");
  }

  StatsResponse stats(String collection) {
    StatsRequest request = StatsRequest.newBuilder().setCollection(collection).build();
    return await(call(AdminServiceGrpc.getStatsMethod(), request.toByteArray(), true));
  }

  Channel channel() {
    return shared.channel;
  }

  RetryPolicy retry() {
    return retry;
  }

  /** Runs a task after a while, if the client is still open. */
  void later(Duration delay, Runnable task) {
    if (!shared.timer.isShutdown()) {
      var unused = shared.timer.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  /**
   * Makes a call, again where it fails and may be repeated.
   *
   * @param repeatable whether it may be applied twice
   */
  <T> CompletableFuture<T> call(MethodDescriptor<?, T> method, byte[] request, boolean repeatable) {
    CompletableFuture<T> result = new CompletableFuture<>();
    long deadline = System.nanoTime() + timeout.toNanos();
    attempt(EncodedRequests.method(method), request, repeatable, deadline, 1, result);
    return result;
  }

  private <T> void attempt(
      MethodDescriptor<byte[], T> method,
      byte[] request,
      boolean repeatable,
      long deadline,
      int attempt,
      CompletableFuture<T> result) {
    long left = deadline - System.nanoTime();
    ClientCall<byte[], T> call =
        shared.channel.newCall(
            method, CallOptions.DEFAULT.withDeadlineAfter(left, TimeUnit.NANOSECONDS));
    var unused =
        result.whenComplete((value, e) -> {
          if (result.isCancelled()) {
            call.cancel("given up", e);
          }
        });
    ClientCalls.asyncUnaryCall(
        call,
        request,
        new StreamObserver<T>() {
          private @Nullable T answer;

          @Override
          public void onNext(T value) {
            answer = value;
          }

          @Override
          public void onCompleted() {
            result.complete(answer);
          }

          @Override
          public void onError(Throwable t) {
            OmenException e = OmenException.of((StatusRuntimeException) t);
            Optional<Duration> delay = retry.delay(e, attempt, repeatable);
            if (delay.isEmpty() || System.nanoTime() + delay.get().toNanos() >= deadline) {
              result.completeExceptionally(e);
            } else {
              later(
                  delay.get(),
                  () -> attempt(method, request, repeatable, deadline, attempt + 1, result));
            }
          }
        });
  }

  /** The value of a future; throws what it failed with. */
  static <T> T await(CompletableFuture<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      future.cancel(true);
      Thread.currentThread().interrupt();
      throw new CancellationException("interrupted");
    } catch (java.util.concurrent.ExecutionException e) {
      throw rethrown(e.getCause());
    }
  }

  private static RuntimeException rethrown(@Nullable Throwable cause) {
    if (cause instanceof Error error) {
      throw error;
    }
    return cause instanceof RuntimeException e ? e : new CompletionException(cause);
  }

  /** Ends what runs and closes the connection. */
  @Override
  public void close() {
    shared.timer.shutdownNow();
    shared.channel.shutdownNow();
    try {
      shared.channel.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
