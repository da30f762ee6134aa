package io.omendb.service;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.omendb.engine.Database;
import io.omendb.engine.DatabaseOptions;
import io.omendb.index.distance.KernelSelfTest;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.proto.v1.VectorServiceGrpc.VectorServiceBlockingStub;
import io.omendb.proto.v1.Visibility;
import io.omendb.service.config.ServerConfig;
import io.omendb.storage.api.FailureHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has the JIT compile what calls go through before the first call comes: first the SIMD kernels,
/// which take a hundred times their time until then, and then the rest, by the calls of a client to
/// a server of its own.
///
/// Runs beside the start of the real server, on a thread that ends by itself: when all is done, or
/// soon after its time is over or it is told to. The road not taken is the JDK's ahead-of-time
/// cache with profiles: JDK 25 makes none for a process with an incubator module, and the kernels
/// need one.
final class WarmUp {
  private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

  /// After so many the JIT has little left to do.
  private static final int SEARCHES = 2_000;

  /// How long after the warm-up the kernels are timed, for the log.
  private static final Duration TIMING_DELAY = Duration.ofSeconds(10);

  /// How long whoever ends it waits at most: it makes no call that takes longer.
  private static final Duration END = Duration.ofSeconds(5);

  /// Not a multiple of any kernel's block, so that their short ends run too.
  private static final int DIMENSION = 100;

  private static final int FRAMES = 5;
  private static final int FRAME_ROWS = 100;
  private static final int K = 10;
  private static final List<Similarity> SIMILARITIES =
      List.of(Similarity.SIMILARITY_L2, Similarity.SIMILARITY_COSINE);

  private final SplittableRandom random = new SplittableRandom(1);
  private final long start = System.nanoTime();
  private final Path parent;
  private final Thread thread;
  private volatile long limitNanos = Long.MAX_VALUE;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final CountDownLatch told = new CountDownLatch(1);
  private volatile int searches;

  private WarmUp(Path parent) {
    this.parent = parent;
    this.thread = Thread.ofPlatform().daemon().name("omendb-warm-up").unstarted(this::run);
  }

  /// Starts.
  ///
  /// @param parent where a directory is made for a while; if it cannot be, the kernels alone are
  ///   warmed up
  static WarmUp start(Path parent) {
    WarmUp warmUp = new WarmUp(parent);
    warmUp.thread.start();
    return warmUp;
  }

  /// Gives it so much time, from its start; 0: it ends at once.
  void limit(Duration limit) {
    limitNanos = limit.toNanos();
  }

  /// Waits until it has ended or its time is over.
  void await() throws InterruptedException {
    long left = leftNanos();
    if (left > 0) {
      boolean unused = ended.await(left, TimeUnit.NANOSECONDS);
    }
  }

  /// Tells it to end and waits until it has. Else it would leave its files when the process ends,
  /// and a thread that loads classes while the JVM writes its archive of them has crashed it.
  void end() {
    limit(Duration.ZERO);
    told.countDown();
    try {
      boolean unused = thread.join(END);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Searches that were made.
  int searches() {
    return searches;
  }

  private long leftNanos() {
    return limitNanos - (System.nanoTime() - start);
  }

  private boolean isOver() {
    return leftNanos() <= 0;
  }

  private void run() {
    try {
      warmUp();
    } finally {
      ended.countDown();
    }
    try {
      // When nobody waits for the processors any more: numbers of a start say nothing.
      if (told.await(TIMING_DELAY.toNanos(), TimeUnit.NANOSECONDS)) {
        return;
      }
      KernelSelfTest.Timing timing = KernelSelfTest.time();
      LOG.info(
          "kernels: {}, 128-d distance {} ns on codes, {} ns on float32",
          timing.width(),
          "%.1f".formatted(timing.codeNanos()),
          "%.1f".formatted(timing.floatNanos()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void warmUp() {
    KernelSelfTest.compile(this::isOver);
    if (isOver()) {
      return;
    }
    try {
      Path directory = Files.createTempDirectory(parent, "omendb-warm-up");
      try {
        useServer(directory);
      } finally {
        delete(directory);
      }
    } catch (IOException | InterruptedException | RuntimeException e) {
      // Whatever it is, the real server does without.
      LOG.debug("the warm-up ended early", e);
    }
  }

  private void useServer(Path directory) throws IOException, InterruptedException {
    ServerConfig config = ServerConfig.ofWarmUp(directory);
    try (OmenServer server = new OmenServer(config)) {
      server.start();
      server.serve(
          Database.open(
              directory,
              // Whatever fails here, the process goes on.
              new DatabaseOptions(
                  config.durability(), config.linkerThreads(), FailureHandler.NONE)));
      EventLoopGroup network = OmenServer.eventLoops(1, "omendb-warm-up-client");
      ManagedChannel channel =
          NettyChannelBuilder.forAddress(
                  new InetSocketAddress(config.listen().getAddress(), server.port()))
              .channelType(NioSocketChannel.class)
              .eventLoopGroup(network)
              .directExecutor()
              .usePlaintext()
              .build();
      try {
        for (Similarity similarity : SIMILARITIES) {
          create(channel, similarity);
          insert(channel, similarity);
        }
        search(
            VectorServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(leftNanos(), TimeUnit.NANOSECONDS));
      } finally {
        boolean unused = channel.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
        var unusedToo = network.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      }
    }
  }

  private void create(ManagedChannel channel, Similarity similarity) {
    CollectionConfig.Builder config =
        CollectionConfig.newBuilder()
            .setName(similarity.name())
            .setDimension(DIMENSION)
            .setSimilarity(similarity);
    var unused =
        CollectionServiceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(leftNanos(), TimeUnit.NANOSECONDS)
            .createCollection(CreateCollectionRequest.newBuilder().setConfig(config).build());
  }

  private void insert(ManagedChannel channel, Similarity similarity) throws InterruptedException {
    CountDownLatch acknowledged = new CountDownLatch(1);
    StreamObserver<BulkInsertRequest> frames =
        VectorServiceGrpc.newStub(channel).bulkInsert(new EndOfStream(acknowledged));
    for (long frame = 0; frame < FRAMES; frame++) {
      long first = frame * FRAME_ROWS;
      frames.onNext(
          BulkInsertRequest.newBuilder()
              .setCollection(similarity.name())
              .setVisibility(Visibility.VISIBILITY_AFTER_BUILD)
              .addAllNumericIds(LongStream.range(first, first + FRAME_ROWS).boxed().toList())
              .setVectorsLe(vectors(FRAME_ROWS))
              .build());
    }
    frames.onCompleted();
    boolean unused = acknowledged.await(leftNanos(), TimeUnit.NANOSECONDS);
  }

  private void search(VectorServiceBlockingStub vectors) {
    for (int search = 0; search < SEARCHES && !isOver(); search++) {
      SearchRequest.Builder request =
          SearchRequest.newBuilder()
              .setCollection(SIMILARITIES.get(search % SIMILARITIES.size()).name())
              .setK(K);
      if (search / SIMILARITIES.size() % 2 == 0) {
        request.setVectorLe(vectors(1));
      } else {
        for (int i = 0; i < DIMENSION; i++) {
          request.addVector(component());
        }
      }
      var unused = vectors.search(request.build());
      searches = search + 1;
    }
  }

  private ByteString vectors(int rows) {
    ByteBuffer bytes =
        ByteBuffer.allocate(rows * DIMENSION * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat(component());
    }
    return ByteString.copyFrom(bytes.flip());
  }

  private float component() {
    return (float) random.nextDouble(-1, 1);
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /// Counts down when the stream ends, however it does.
  private record EndOfStream(CountDownLatch ended) implements StreamObserver<BulkInsertResponse> {
    @Override
    public void onNext(BulkInsertResponse acknowledged) {}

    @Override
    public void onError(Throwable cause) {
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      ended.countDown();
    }
  }
}
