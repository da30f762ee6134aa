package io.omendb.service;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.omendb.engine.Database;
import io.omendb.engine.DatabaseOptions;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.call.GuardedService;
import io.omendb.service.call.InboundMemory;
import io.omendb.service.call.Serving;
import io.omendb.service.call.SlowReaders;
import io.omendb.service.config.ServerConfig;
import io.omendb.service.metrics.Metrics;
import io.omendb.service.read.GetHandler;
import io.omendb.service.read.ReadScheduler;
import io.omendb.service.read.RequestPool;
import io.omendb.service.read.SearchHandler;
import io.omendb.service.rpc.AdminRpcs;
import io.omendb.service.rpc.CollectionRpcs;
import io.omendb.service.rpc.GeneratedCalls;
import io.omendb.service.rpc.Reflection;
import io.omendb.service.rpc.VectorRpcs;
import io.omendb.service.wire.ByteCounters;
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.QueryMarshaller;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.RowsMarshaller;
import io.omendb.service.write.Acknowledger;
import io.omendb.service.write.BulkStreams;
import io.omendb.service.write.InsertHandler;
import io.omendb.service.write.WaitingInserts;
import io.omendb.service.write.WriteQueues;
import io.omendb.storage.api.FailureHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The server: an open data directory behind a gRPC port.
///
/// [#start] opens the port, [#recover] the data, [#drain] ends both in order. One thread calls
/// them, or each after the other has returned.
final class OmenServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OmenServer.class);

  private static final int HANDSHAKE_TIMEOUT_SECONDS = 10;
  private static final int CLIENT_KEEP_ALIVE_SECONDS = 10;
  private static final int KEEP_ALIVE_TIMEOUT_SECONDS = 10;
  private static final int RESETS_MAX = 200;
  private static final int RESETS_WINDOW_SECONDS = 30;

  /// While draining: how often to look, and how long the last replies get to leave.
  private static final int IDLE_POLL_MILLIS = 10;

  private static final int LAST_BYTES_MILLIS = 200;

  /// How long a process that must end tries to tell its clients so.
  private static final int LAST_WORDS_SECONDS = 5;

  private final ServerConfig config;
  private final ByteCounters counters = new ByteCounters();
  private final MemoryBudget budget = MemoryBudget.ofHeap();
  private final Serving serving = new Serving();
  private final Health health = new Health();
  private final Acknowledger acknowledger = new Acknowledger(this::fatal);
  private final Connections connections;
  private final SlowReaders slowReaders;
  private final MemoryBudget heldMemory = MemoryBudget.ofDirectMemory();
  private final WriteQueues writes = new WriteQueues();
  private final WaitingInserts waitingInserts = new WaitingInserts();
  private final RequestPool pool;
  private final Metrics metrics;
  private final EventLoopGroup acceptors;
  private final EventLoopGroup network;
  private final Server server;
  private int metricsPort;

  OmenServer(ServerConfig config) {
    this.config = config;
    connections = new Connections(config.maxConnections());
    slowReaders = new SlowReaders(budget, connections::close);
    pool = new RequestPool(config.requestThreads(), config.requestQueue());
    metrics = new Metrics(counters, pool, acknowledger, serving);
    acceptors = eventLoops(1, "omendb-accept");
    network = eventLoops(config.networkThreads(), "omendb-network");
    server = build();
  }

  static EventLoopGroup eventLoops(int threads, String name) {
    // NIO: as fast here as epoll, and without a native library that wants an executable /tmp.
    return new MultiThreadIoEventLoopGroup(
        threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
  }

  @SuppressWarnings("deprecation") // v1alpha, which old clients still ask for
  private static BindableService reflectionV1Alpha() {
    return io.grpc.protobuf.services.ProtoReflectionService.newInstance();
  }

  private Server build() {
    InboundMemory inbound =
        new InboundMemory(MemoryBudget.ofDirectMemory(), MemoryBudget.ofDirectMemory());
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(config.listen())
            .channelFactory(() -> new BoundedServerChannel(connections))
            .bossEventLoopGroup(acceptors)
            .workerEventLoopGroup(network)
            // Handlers run on the network's threads, and hand on what may take time: gRPC's own
            // executor costs six hops a call.
            .directExecutor()
            .maxInboundMessageSize(config.maxMessageBytes())
            .maxConcurrentCallsPerConnection(config.maxCalls())
            .maxRstFramesPerWindow(RESETS_MAX, RESETS_WINDOW_SECONDS)
            .handshakeTimeout(HANDSHAKE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            // gRPC's default answers clients that ping more often than every 5 minutes with GOAWAY.
            .permitKeepAliveTime(CLIENT_KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            // A client that has vanished must not keep a stream open: builds wait for its end.
            .keepAliveTime(config.keepAlive().toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
            .addStreamTracerFactory(inbound)
            .addStreamTracerFactory(metrics.calls())
            .intercept(inbound);
    return bind(builder).build();
  }

  /// Adds the services to a server of any transport.
  <B extends ServerBuilder<B>> B bind(B builder) {
    ReadScheduler reads = new ReadScheduler(pool, acknowledger, config.visibleWait().toNanos());
    GeneratedCalls calls = new GeneratedCalls(pool, reads);
    builder.addService(vectorService(reads, calls));
    add(
        builder,
        new CollectionRpcs(serving, calls, acknowledger, writes, config.maxCollections()),
        new AdminRpcs(serving, calls, acknowledger, counters, config.durability()),
        new Reflection(),
        reflectionV1Alpha());
    builder.addService(GuardedService.of(health.service(), Map.of(), budget));
    return builder;
  }

  private void add(ServerBuilder<?> builder, BindableService... services) {
    for (BindableService service : services) {
      builder.addService(GuardedService.of(service.bindService(), Map.of(), budget));
    }
  }

  private ServerServiceDefinition vectorService(ReadScheduler reads, GeneratedCalls calls) {
    int pooled = config.requestThreads() + Math.min(config.requestQueue(), 256);
    QueryMarshaller queries = new QueryMarshaller(counters, pooled, budget);
    var insert =
        ServerMethodDefinition.create(
            VectorServiceGrpc.getInsertMethod().toBuilder(
                    new RowsMarshaller(counters, false), Reply.MARSHALLER)
                .build(),
            new InsertHandler(serving, acknowledger, waitingInserts, writes, heldMemory, budget));
    var bulkInsert =
        ServerMethodDefinition.create(
            VectorServiceGrpc.getBulkInsertMethod().toBuilder(
                    new RowsMarshaller(counters, true), Reply.MARSHALLER)
                .build(),
            new BulkStreams(
                serving,
                acknowledger,
                AdminRpcs.durabilityMode(config.durability()),
                config.maxStreams(),
                writes,
                heldMemory,
                budget));
    var search =
        ServerMethodDefinition.create(
            VectorServiceGrpc.getSearchMethod().toBuilder(queries, Reply.MARSHALLER).build(),
            new SearchHandler(serving, reads, config.maxReplyBytes(), budget, slowReaders, false));
    var searchBatch =
        ServerMethodDefinition.create(
            VectorServiceGrpc.getSearchBatchMethod().toBuilder(queries, Reply.MARSHALLER).build(),
            new SearchHandler(serving, reads, config.maxReplyBytes(), budget, slowReaders, true));
    var get =
        GuardedService.guard(
            ServerMethodDefinition.create(
                VectorServiceGrpc.getGetMethod().toBuilder(
                        VectorServiceGrpc.getGetMethod().getRequestMarshaller(), Reply.MARSHALLER)
                    .build(),
                new GetHandler(serving, reads, config.maxReplyBytes(), budget, slowReaders)),
            budget);
    return GuardedService.of(
        new VectorRpcs(serving, calls, acknowledger, writes).bindService(),
        Map.of(
            insert.getMethodDescriptor().getFullMethodName(), insert,
            bulkInsert.getMethodDescriptor().getFullMethodName(), bulkInsert,
            search.getMethodDescriptor().getFullMethodName(), search,
            searchBatch.getMethodDescriptor().getFullMethodName(), searchBatch,
            get.getMethodDescriptor().getFullMethodName(), get),
        budget);
  }

  /// Opens the ports. Calls are answered with UNAVAILABLE until [#recover] has returned.
  void start() throws IOException {
    server.start();
    InetSocketAddress metricsAddress = config.metricsListen();
    if (metricsAddress != null) {
      metricsPort = metrics.listen(metricsAddress);
    }
  }

  /// Opens the data directory, recovers it, and serves.
  void recover() throws IOException {
    serve(open());
  }

  /// Opens the data directory and recovers it.
  Database open() throws IOException {
    long start = System.nanoTime();
    Database database = Database.open(config.data(), options());
    LOG.info(
        "{} collections, {} quarantined, {} rows: open in {} ms",
        database.collections().size(),
        database.quarantined().size(),
        database.collections().stream().mapToLong(one -> one.rows().liveCount()).sum(),
        (System.nanoTime() - start) / 1_000_000);
    return database;
  }

  /// Serves `database`, and closes it in the end.
  void serve(Database database) {
    serving.serve(database);
    health.serving(database);
  }

  private DatabaseOptions options() {
    return new DatabaseOptions(config.durability(), config.linkerThreads(), this::fatal);
  }

  /// What cannot be gone on from. Who waits for the collection is told first that the outcome is
  /// not known; then the process ends, since only a start, which reads the disk again, can tell.
  private void fatal(String what, Throwable cause) {
    LOG.error(
        "{} has failed; the process ends, and the next start decides what is kept", what, cause);
    try {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LAST_WORDS_SECONDS);
      acknowledger.drain(true);
      while (!acknowledger.isIdle() && System.nanoTime() - end < 0) {
        Thread.sleep(IDLE_POLL_MILLIS);
      }
      // Ends when the connections have: what was told has left by then.
      server.shutdown();
      boolean unused = server.awaitTermination(end - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      Runtime.getRuntime().halt(FailureHandler.EXIT_STATUS);
    }
  }

  /// Port of the gRPC server.
  int port() {
    return server.getPort();
  }

  /// Port of the metrics; 0 for none.
  int metricsPort() {
    return metricsPort;
  }

  /// The threads that search and read.
  RequestPool pool() {
    return pool;
  }

  /// Calls of a method that came in so far.
  int startedCalls(String method) {
    return (int) metrics.calls().startedCount(method);
  }

  /// How vector bytes came in.
  ByteCounters counters() {
    return counters;
  }

  /// Stops taking calls, lets those that run end, and closes the data. What is acknowledged is kept
  /// however this ends.
  ///
  /// Bulk streams are told at once and get half the time to close by themselves. Nobody waits for
  /// calls that only watch, of health or reflection.
  void drain(Duration limit) throws IOException, InterruptedException {
    long start = System.nanoTime();
    health.draining();
    serving.drain();
    acknowledger.drain(false);
    server.shutdown();
    awaitIdle(start + limit.toNanos() / 2);
    acknowledger.drain(true);
    if (!awaitIdle(start + limit.toNanos())) {
      LOG.warn("calls were still running after {}; cancelling them", limit);
    }
    boolean ended = server.awaitTermination(LAST_BYTES_MILLIS, TimeUnit.MILLISECONDS);
    LOG.debug("connections closed by clients: {}", ended);
    Database database = serving.databaseOrNull();
    if (database != null) {
      LOG.info("taking the last checkpoint of {} collections", database.collections().size());
    }
    close();
  }

  /// Waits until no work is left, or `end`; returns whether none is.
  private boolean awaitIdle(long end) throws InterruptedException {
    while (!(writes.isIdle() && acknowledger.isIdle() && pool.isIdle())) {
      if (System.nanoTime() - end >= 0) {
        return false;
      }
      if (server.awaitTermination(IDLE_POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        return true;
      }
    }
    return true;
  }

  /// Ends everything now.
  @Override
  public void close() throws IOException {
    server.shutdownNow();
    pool.close();
    waitingInserts.close();
    slowReaders.close();
    writes.close();
    acknowledger.close();
    metrics.close();
    health.close();
    stop(acceptors);
    stop(network);
    @Nullable Database database = serving.databaseOrNull();
    if (database != null) {
      database.close();
    }
  }

  private static void stop(EventLoopGroup group) {
    boolean ended =
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    if (!ended) {
      LOG.warn("a network thread did not end");
    }
  }
}
