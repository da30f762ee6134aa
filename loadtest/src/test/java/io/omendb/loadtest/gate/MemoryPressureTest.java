package io.omendb.loadtest.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.omendb.loadtest.client.Await;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.GetRequest;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.Pressure;
import io.omendb.proto.v1.SearchBatchRequest;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * More at once than a heap of 256 MiB holds: what does not fit is refused with a reason, or waits,
 * and the process lives. Any of these ended it before there was a budget.
 */
class MemoryPressureTest {
  private static final String COLLECTION = "pressed";
  private static final int DIMENSION = 768;
  private static final int ROWS = 1_000;
  private static final String SEARCH_BATCH =
      "/" + VectorServiceGrpc.getSearchBatchMethod().getFullMethodName();

  private final SplittableRandom random = new SplittableRandom(7);
  private final ServerProcess server;
  private final Connection connection;

  MemoryPressureTest(@TempDir Path data) throws IOException {
    server =
        ServerProcess.start(
            ServerProcess.Options.defaults(data).withArguments("--durability", "os"));
    connection = new Connection(server.address());
  }

  @BeforeEach
  void fill() {
    connection.awaitServing(Duration.ofMinutes(3));
    connection.create(
        CollectionConfig.newBuilder()
            .setName(COLLECTION)
            .setDimension(DIMENSION)
            .setSimilarity(Similarity.SIMILARITY_L2)
            .build());
    assertEquals(
        ROWS,
        connection
            .vectors()
            .insert(
                InsertRequest.newBuilder()
                    .setCollection(COLLECTION)
                    .addAllNumericIds(LongStream.range(0, ROWS).boxed().toList())
                    .setVectorsLe(vectors(ROWS))
                    .build())
            .getInsertedCount());
  }

  @AfterEach
  void stop() {
    connection.close();
    server.close();
  }

  private ByteString vectors(int count) {
    ByteBuffer bytes =
        ByteBuffer.allocate(count * DIMENSION * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putFloat((float) random.nextDouble());
    }
    return UnsafeByteOperations.unsafeWrap(bytes.array());
  }

  private SearchBatchRequest batch(int queries, boolean includeVectors) {
    return SearchBatchRequest.newBuilder()
        .setCollection(COLLECTION)
        .setK(10)
        .setVectorsLe(vectors(queries))
        .setIncludeVectors(includeVectors)
        .setVectorFormat(VectorFormat.VECTOR_FORMAT_BYTES_LE)
        .build();
  }

  private VectorServiceGrpc.VectorServiceBlockingStub stub(int channel) {
    ManagedChannel one = connection.channels(channel + 1).get(channel);
    return VectorServiceGrpc.newBlockingStub(one).withDeadlineAfter(2, TimeUnit.MINUTES);
  }

  /** Runs the calls at once; returns how each ended. */
  private Map<Status.Code, Integer> atOnce(int calls, Callable<?> call) throws Exception {
    Map<Status.Code, Integer> ends = new EnumMap<>(Status.Code.class);
    try (ExecutorService threads = Executors.newFixedThreadPool(calls)) {
      List<Future<Status.Code>> running = new ArrayList<>();
      for (int i = 0; i < calls; i++) {
        running.add(
            threads.submit(() -> {
              try {
                var unused = call.call();
                return Status.Code.OK;
              } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED) {
                  assertTold(e);
                } else {
                  System.err.println("MemoryPressureTest: " + e + server.describe());
                }
                return e.getStatus().getCode();
              }
            }));
      }
      for (Future<Status.Code> end : running) {
        ends.merge(end.get(), 1, Integer::sum);
      }
    }
    System.err.println("MemoryPressureTest: " + ends);
    return ends;
  }

  /** A reason, and when to come back where that helps. */
  private static void assertTold(StatusRuntimeException e) throws IOException {
    String reason = "";
    boolean retry = false;
    for (Any detail : Objects.requireNonNull(StatusProto.fromThrowable(e)).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        reason = detail.unpack(ErrorInfo.class).getReason();
      }
      retry |= detail.is(RetryInfo.class);
    }
    assertEquals("MEMORY_FULL", reason, e::toString);
    boolean never = e.toString().contains("larger heap");
    assertTrue(retry != never, e::toString);
  }

  private void assertServes(Map<Status.Code, Integer> ends) {
    assertTrue(server.isAlive(), server::describe);
    assertTrue(ends.getOrDefault(Status.Code.OK, 0) > 0, ends::toString);
    int told =
        ends.getOrDefault(Status.Code.OK, 0) + ends.getOrDefault(Status.Code.RESOURCE_EXHAUSTED, 0);
    assertEquals(ends.values().stream().mapToInt(Integer::intValue).sum(), told, ends::toString);
    assertSearches();
  }

  private void assertSearches() {
    var found =
        connection
            .vectors()
            .withDeadlineAfter(30, TimeUnit.SECONDS)
            .search(
                SearchRequest.newBuilder()
                    .setCollection(COLLECTION)
                    .setK(5)
                    .setVectorLe(vectors(1))
                    .build());
    assertEquals(5, found.getHitsCount());
    assertTrue(server.isAlive(), server::describe);
  }

  @Test
  void queuedSearchBatches() throws Exception {
    SearchBatchRequest request = batch(1_024, false);
    assertServes(atOnce(120, () -> stub(0).searchBatch(request)));
  }

  @Test
  void compressedSearchBatches() throws Exception {
    SearchBatchRequest request =
        SearchBatchRequest.newBuilder()
            .setCollection(COLLECTION)
            .setK(10)
            .setVectorsLe(ByteString.copyFrom(new byte[1_024 * DIMENSION * Float.BYTES]))
            .build();
    assertServes(atOnce(150, () -> stub(0).withCompression("gzip").searchBatch(request)));
  }

  @ParameterizedTest
  @CsvSource({"4", "16"})
  void repliesWithVectors(int calls) throws Exception {
    SearchBatchRequest request = batch(1_024, true);
    assertServes(
        atOnce(
            calls,
            () -> {
              // Not the parsed reply: sixteen of them would be too much for this JVM's heap too.
              long size = stub(0).searchBatch(request).getSerializedSize();
              assertTrue(size > 30_000_000, "size " + size);
              return size;
            }));
  }

  @Test
  void largeGets() throws Exception {
    GetRequest request =
        GetRequest.newBuilder()
            .setCollection(COLLECTION)
            .addAllNumericIds(LongStream.range(0, 10_000).map(i -> i % ROWS).boxed().toList())
            .setIncludeVectors(true)
            .setVectorFormat(VectorFormat.VECTOR_FORMAT_BYTES_LE)
            .build();
    assertServes(atOnce(16, () -> stub(0).get(request).getRecordsCount()));
  }

  /** The largest reply that there may be, as floats, fits. */
  @Test
  void theLargestGet() {
    String wide = "wide";
    connection.create(
        CollectionConfig.newBuilder()
            .setName(wide)
            .setDimension(2 * DIMENSION)
            .setSimilarity(Similarity.SIMILARITY_L2)
            .build());
    var inserted =
        connection
            .vectors()
            .insert(
                InsertRequest.newBuilder()
                    .setCollection(wide)
                    .addAllNumericIds(LongStream.range(0, ROWS / 2).boxed().toList())
                    .setVectorsLe(vectors(ROWS))
                    .build());
    assertEquals(ROWS / 2, inserted.getInsertedCount());
    GetRequest request =
        GetRequest.newBuilder()
            .setCollection(wide)
            .addAllNumericIds(LongStream.range(0, 10_000).map(i -> i % (ROWS / 2)).boxed().toList())
            .setIncludeVectors(true)
            .build();
    Reader reader = new Reader();
    ClientCall<GetRequest, Long> call = get(0, request, reader);
    call.request(2);
    Await.until(Duration.ofMinutes(3), () -> "the reply", () -> reader.status != null);
    assertEquals(Status.OK.getCode(), reader.status().getCode(), () -> reader.status().toString());
    assertTrue(reader.bytes > 10_000L * 2 * DIMENSION * Float.BYTES, () -> "bytes " + reader.bytes);
  }

  /** Ids of two bytes each are thirty times as much as objects. */
  @Test
  void getsOfMillionsOfIds() throws Exception {
    GetRequest request =
        GetRequest.newBuilder()
            .setCollection(COLLECTION)
            .addAllStringIds(Collections.nCopies(7_000_000, ""))
            .build();
    Map<Status.Code, Integer> ends = atOnce(4, () -> stub(0).get(request));
    assertEquals(Map.of(Status.Code.RESOURCE_EXHAUSTED, 4), ends);
    assertSearches();
  }

  /**
   * Clients that ask and do not read: what they leave is given up after a while, so that others get
   * their replies.
   */
  @Test
  void repliesThatAreNotRead() {
    GetRequest request =
        GetRequest.newBuilder()
            .setCollection(COLLECTION)
            .addAllNumericIds(LongStream.range(0, ROWS).boxed().toList())
            .setIncludeVectors(true)
            .build();
    List<ClientCall<GetRequest, Long>> unread = new ArrayList<>();
    List<Reader> readers = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      Reader reader = new Reader();
      readers.add(reader);
      unread.add(get(1 + i % 5, request, reader));
    }
    Await.until(
        Duration.ofMinutes(2),
        () -> "a Get that is refused for want of memory",
        () -> readers.stream().anyMatch(Reader::isRefused));
    Await.until(
        Duration.ofMinutes(2),
        () -> "the reply of one that reads",
        () -> {
          try {
            return stub(0).get(request).getRecordsCount() == ROWS;
          } catch (StatusRuntimeException e) {
            assertEquals(Status.Code.RESOURCE_EXHAUSTED, e.getStatus().getCode());
            return false;
          }
        });
    // Now they may come, or this process would keep their buffers.
    unread.forEach(call -> call.request(2));
    assertSearches();
  }

  private ClientCall<GetRequest, Long> get(int channel, GetRequest request, Reader reader) {
    ClientCall<GetRequest, Long> call =
        connection
            .channels(channel + 1)
            .get(channel)
            .newCall(
                VectorServiceGrpc.getGetMethod().toBuilder(
                        VectorServiceGrpc.getGetMethod().getRequestMarshaller(), new Counting())
                    .build(),
                CallOptions.DEFAULT.withMaxInboundMessageSize(128 << 20));
    call.start(reader, new Metadata());
    call.sendMessage(request);
    call.halfClose();
    return call;
  }

  /** Counts the bytes of a reply. */
  private static final class Counting implements MethodDescriptor.Marshaller<Long> {
    @Override
    public InputStream stream(Long value) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Long parse(InputStream stream) {
      try {
        return stream.transferTo(OutputStream.nullOutputStream());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Reads what is asked for. */
  private static final class Reader extends ClientCall.Listener<Long> {
    volatile long bytes;
    volatile @Nullable Status status;

    @Override
    public void onMessage(Long length) {
      bytes = length;
    }

    @Override
    public void onClose(Status end, Metadata trailers) {
      status = end;
    }

    Status status() {
      return Objects.requireNonNull(status);
    }

    boolean isRefused() {
      Status end = status;
      return end != null && end.getCode() == Status.Code.RESOURCE_EXHAUSTED;
    }
  }

  /**
   * Frames beyond the room for unlinked vectors, on streams that have no id. Of eight, whose frames
   * are two budgets, some are held while others come: they are told so.
   */
  @ParameterizedTest
  @CsvSource({"2, 5400, false", "4, 5400, false", "8, 5400, true", "80, 340, false"})
  void immediateStreams(int streams, int rows, boolean untilMemoryIsShort) throws Exception {
    BulkInsertRequest frame =
        BulkInsertRequest.newBuilder()
            .setCollection(COLLECTION)
            .addAllNumericIds(LongStream.range(0, rows).boxed().toList())
            .setVectorsLe(vectors(rows))
            .setVisibility(Visibility.VISIBILITY_IMMEDIATE)
            .build();
    CountDownLatch ended = new CountDownLatch(streams);
    Set<Pressure> pressures = ConcurrentHashMap.newKeySet();
    Context.CancellableContext sending = Context.current().withCancellation();
    try {
      for (int i = 0; i < streams; i++) {
        VectorServiceGrpc.VectorServiceStub stub =
            VectorServiceGrpc.newStub(connection.channels(8).get(i % 8))
                .withDeadlineAfter(untilMemoryIsShort ? 180 : 8, TimeUnit.SECONDS);
        sending.run(() -> stub.bulkInsert(new Sender(frame, ended, pressures)));
      }
      if (untilMemoryIsShort) {
        Await.until(
            Duration.ofMinutes(3),
            () -> "PRESSURE_MEMORY to be told, but " + pressures + server.describe(),
            () -> pressures.contains(Pressure.PRESSURE_MEMORY));
        assertSearches();
      }
    } finally {
      if (untilMemoryIsShort) {
        sending.cancel(null);
      }
    }
    assertTrue(ended.await(3, TimeUnit.MINUTES));
    assertSearches();
  }

  /** Sends a frame whenever the transport takes one, until the call is over. */
  private static final class Sender
      implements ClientResponseObserver<BulkInsertRequest, BulkInsertResponse> {
    private final BulkInsertRequest frame;
    private final CountDownLatch ended;
    private final Set<Pressure> pressures;

    Sender(BulkInsertRequest frame, CountDownLatch ended, Set<Pressure> pressures) {
      this.frame = frame;
      this.ended = ended;
      this.pressures = pressures;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<BulkInsertRequest> requests) {
      requests.setOnReadyHandler(() -> {
        while (requests.isReady()) {
          requests.onNext(frame);
        }
      });
    }

    @Override
    public void onNext(BulkInsertResponse response) {
      pressures.add(response.getPressure());
    }

    @Override
    public void onError(Throwable e) {
      ended.countDown();
    }

    @Override
    public void onCompleted() {
      ended.countDown();
    }
  }

  /** Small messages that never end, of which each alone is nothing. */
  @Test
  void messagesThatDoNotEnd() throws Exception {
    List<UnfinishedCalls> connections = new ArrayList<>();
    try {
      for (int i = 0; i < 4; i++) {
        connections.add(UnfinishedCalls.open(server.address(), SEARCH_BATCH, 200, 250_000));
      }
      Await.until(
          Duration.ofMinutes(2),
          () -> "each call to have been sent or ended, but " + connections + server.describe(),
          () -> connections.stream().noneMatch(UnfinishedCalls::isUnderWay));
      assertSearches();
      long refused =
          connections.stream().mapToLong(one -> one.ended(Status.Code.RESOURCE_EXHAUSTED)).sum();
      assertTrue(refused > 400, () -> connections + " of which too few are refused");
    } finally {
      connections.forEach(UnfinishedCalls::close);
    }
    // What they took is given back.
    SearchBatchRequest request = batch(80, false);
    Await.until(
        Duration.ofMinutes(3),
        () -> "room for a message of the same length",
        () -> {
          try {
            return stub(0).searchBatch(request).getResultsCount() == 80;
          } catch (StatusRuntimeException e) {
            assertEquals(Status.Code.RESOURCE_EXHAUSTED, e.getStatus().getCode());
            return false;
          }
        });
  }

  /** Those beyond the limit are closed as they come, and go on being so when some have gone. */
  @Test
  void moreConnectionsThanThereMayBe(@TempDir Path other) throws IOException {
    try (ServerProcess limited =
        ServerProcess.start(
            ServerProcess.Options.defaults(other).withArguments("--max-connections", "20"))) {
      assertEquals(20, greeted(limited), limited::describe);
      // Those are closed; the server may still be learning it.
      Await.until(Duration.ofMinutes(3), limited::describe, () -> greeted(limited) == 20);
      try (Connection client = new Connection(limited.address())) {
        client.awaitServing(Duration.ofMinutes(3));
      }
    }
  }

  /** How many of sixty connections at once are kept. */
  private static int greeted(ServerProcess limited) {
    List<Socket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < 60; i++) {
        Socket socket = new Socket();
        socket.connect(limited.address(), 5_000);
        socket.setSoTimeout(5_000);
        sockets.add(socket);
      }
      int greeted = 0;
      for (Socket socket : sockets) {
        greeted += greets(socket) ? 1 : 0;
      }
      for (Socket socket : sockets) {
        socket.close();
      }
      return greeted;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the server's first bytes came: its settings. */
  private static boolean greets(Socket socket) throws IOException {
    try {
      return socket.getInputStream().read() >= 0;
    } catch (SocketException reset) {
      return false;
    }
  }

  /** Opened and reset: what was accepted must not pile up. */
  @Test
  void connectionsThatAreReset() throws Exception {
    for (int i = 0; i < 40_000; i++) {
      try (Socket socket = new Socket()) {
        socket.setSoLinger(true, 0);
        socket.connect(server.address(), 5_000);
      } catch (IOException refused) {
        // one more than the server takes
      }
    }
    assertSearches();
  }
}
