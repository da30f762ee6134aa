package io.omendb.loadtest.client;

import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.omendb.proto.v1.AdminServiceGrpc;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.ServerStats;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A client: channels to one server, and its services. */
public final class Connection implements AutoCloseable {

  /** Replies with vectors and payloads may be larger than gRPC's 4 MiB. */
  private static final int REPLY_BYTES_MAX = 64 << 20;

  private final InetSocketAddress address;
  private final List<ManagedChannel> channels = new ArrayList<>();

  /** Connects when first used. */
  public Connection(InetSocketAddress address) {
    this.address = address;
  }

  /** So many channels, each over a socket of its own. */
  public synchronized List<ManagedChannel> channels(int count) {
    while (channels.size() < count) {
      // Calls end on the transport's thread: no hop between the reply and the next request.
      channels.add(
          NettyChannelBuilder.forAddress(address.getHostString(), address.getPort())
              .usePlaintext()
              .directExecutor()
              .maxInboundMessageSize(REPLY_BYTES_MAX)
              .build());
    }
    return List.copyOf(channels.subList(0, count));
  }

  private ManagedChannel channel() {
    return channels(1).getFirst();
  }

  /** Insert, Search and the like. */
  public VectorServiceGrpc.VectorServiceBlockingStub vectors() {
    return VectorServiceGrpc.newBlockingStub(channel());
  }

  /** Create, drop, list. */
  public CollectionServiceGrpc.CollectionServiceBlockingStub collections() {
    return CollectionServiceGrpc.newBlockingStub(channel());
  }

  /** Makes a collection. */
  public void create(CollectionConfig config) {
    var unused =
        collections()
            .createCollection(CreateCollectionRequest.newBuilder().setConfig(config).build());
  }

  /** Stats and care. */
  public AdminServiceGrpc.AdminServiceBlockingStub admin() {
    return AdminServiceGrpc.newBlockingStub(channel());
  }

  /** How a collection stands. */
  public CollectionStats stats(String collection, boolean graphHash) {
    StatsRequest request =
        StatsRequest.newBuilder().setCollection(collection).setIncludeGraphHash(graphHash).build();
    return admin().stats(request).getCollections(0);
  }

  /** How the process stands. */
  public ServerStats serverStats() {
    return admin().stats(StatsRequest.getDefaultInstance()).getServer();
  }

  /** Waits until the server says of its health that it serves. */
  public void awaitServing(Duration timeout) {
    Iterator<HealthCheckResponse> changes =
        HealthGrpc.newBlockingStub(channel())
            .withWaitForReady()
            .withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS)
            .watch(HealthCheckRequest.getDefaultInstance());
    while (changes.hasNext()) {
      if (changes.next().getStatus() == ServingStatus.SERVING) {
        return;
      }
    }
    throw new IllegalStateException("the server at " + address + " ended the watch of its health");
  }

  /** Ends what runs and closes the sockets. */
  @Override
  public synchronized void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    for (ManagedChannel channel : channels) {
      try {
        channel.awaitTermination(10, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    channels.clear();
  }
}
