package io.omendb.service;

import static io.omendb.service.ServerFixture.failureOf;
import static io.omendb.service.ServerFixture.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.ListCollectionsRequest;
import io.omendb.proto.v1.Pressure;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.service.config.Option;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A server from its start to its end: health, reflection, metrics, drain.
class LifecycleTest {
  private static final List<String> HEALTH_NAMES =
      List.of(
          "", "omendb.v1.VectorService", "omendb.v1.CollectionService", "omendb.v1.AdminService");

  private final Path data;

  LifecycleTest(@TempDir Path data) {
    this.data = data;
  }

  @Test
  void healthFollowsRecovery() throws IOException {
    try (ServerFixture fixture = ServerFixture.unrecovered(data, Map.of())) {
      assertHealth(fixture, ServingStatus.NOT_SERVING);
      var failure =
          failureOf(
              () -> fixture.vectors().count(CountRequest.newBuilder().setCollection("c").build()));
      assertEquals(Status.Code.UNAVAILABLE, failure.code());
      assertEquals("RECOVERING", failure.reason());
      assertEquals(
          "RECOVERING", failureOf(() -> fixture.vectors().insert(rows("c", 0, 1))).reason());
      fixture.server.recover();
      assertHealth(fixture, ServingStatus.SERVING);
      fixture.create("c", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    }
  }

  private static void assertHealth(ServerFixture fixture, ServingStatus status) {
    var stub = HealthGrpc.newBlockingStub(fixture.channel());
    for (String name : HEALTH_NAMES) {
      assertEquals(
          status,
          stub.check(HealthCheckRequest.newBuilder().setService(name).build()).getStatus(),
          name);
    }
  }

  @Test
  void drainingTellsStreamsAndWatchersAndThenEnds() throws Exception {
    ServerFixture fixture = ServerFixture.start(data, Map.of());
    fixture.create("c", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    BlockingQueue<ServingStatus> statuses = new LinkedBlockingQueue<>();
    HealthGrpc.newStub(fixture.channel())
        .watch(HealthCheckRequest.getDefaultInstance(), new Statuses(statuses));
    assertEquals(ServingStatus.SERVING, statuses.poll(10, TimeUnit.SECONDS));
    BulkClient willing = BulkClient.open(fixture.channel());
    willing.send(BulkClient.frame(rows("c", 0, 5)));
    BulkClient stubborn = BulkClient.open(fixture.channel());
    stubborn.send(BulkClient.frame(rows("c", 5, 5)));
    stubborn.await("its frame", next -> next.getReceivedFrameSequence() == 1);
    BulkClient late = BulkClient.open(fixture.channel());
    late.send(BulkInsertRequest.newBuilder().setCollection("c"));
    late.await("its opening", BulkInsertResponse::hasOpening);
    BulkClient silent = BulkClient.open(fixture.channel());
    ServerFixture.await("its call", () -> fixture.calls("BulkInsert") == 4);

    Thread drain =
        Thread.ofPlatform()
            .start(() -> {
              try {
                fixture.server.drain(Duration.ofSeconds(2));
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    assertEquals(ServingStatus.NOT_SERVING, statuses.poll(10, TimeUnit.SECONDS));
    willing.await("told to stop", next -> next.getPressure() == Pressure.PRESSURE_DRAINING);
    // A call that was there before, and begins only now.
    silent.send(BulkClient.frame(rows("c", 90, 5)));
    assertEquals("DRAINING", silent.fail().reason());
    late.finish();
    BulkInsertResponse summary = willing.finish();
    assertEquals(5, summary.getSummary().getInsertedCount());
    var failure = stubborn.fail();
    assertEquals(Status.Code.UNAVAILABLE, failure.code());
    assertEquals("DRAINING", failure.reason());
    drain.join(TimeUnit.SECONDS.toMillis(20));
    assertTrue(!drain.isAlive());

    try (ServerFixture again = ServerFixture.start(data, Map.of())) {
      assertEquals(10, again.count("c"));
    }
  }

  private record Statuses(BlockingQueue<ServingStatus> statuses)
      implements StreamObserver<io.grpc.health.v1.HealthCheckResponse> {
    @Override
    public void onNext(io.grpc.health.v1.HealthCheckResponse response) {
      statuses.add(response.getStatus());
    }

    @Override
    public void onError(Throwable e) {
      // The server ends the watch when it stops.
      statuses.add(ServingStatus.UNKNOWN);
    }

    @Override
    public void onCompleted() {
      statuses.add(ServingStatus.UNKNOWN);
    }
  }

  /** With these a client prints the details of an error, which are packed as Any. */
  @Test
  void reflectionKnowsTheDetailsOfErrors() throws InterruptedException, IOException {
    try (ServerFixture fixture = ServerFixture.start(data, Map.of())) {
      BlockingQueue<ServerReflectionResponse> responses = new LinkedBlockingQueue<>();
      StreamObserver<ServerReflectionRequest> requests =
          ServerReflectionGrpc.newStub(fixture.channel())
              .serverReflectionInfo(new Collector(responses));
      for (String name : List.of("ErrorInfo", "BadRequest", "RetryInfo")) {
        requests.onNext(
            ServerReflectionRequest.newBuilder()
                .setFileContainingSymbol("google.rpc." + name)
                .build());
        FileDescriptorProto file =
            FileDescriptorProto.parseFrom(
                take(responses).getFileDescriptorResponse().getFileDescriptorProto(0));
        assertTrue(
            file.getMessageTypeList().stream().anyMatch(type -> type.getName().equals(name)),
            file::toString);
      }
      requests.onNext(
          ServerReflectionRequest.newBuilder().setFileContainingSymbol("google.rpc.None").build());
      assertEquals(
          Status.Code.NOT_FOUND.value(), take(responses).getErrorResponse().getErrorCode());
      requests.onNext(
          ServerReflectionRequest.newBuilder()
              .setFileContainingSymbol("omendb.v1.VectorService")
              .build());
      assertTrue(take(responses).hasFileDescriptorResponse());
      requests.onCompleted();
    }
  }

  @Test
  void reflectionListsTheServicesAndTheirMessages() throws InterruptedException {
    try (ServerFixture fixture = ServerFixture.start(data, Map.of())) {
      BlockingQueue<ServerReflectionResponse> responses = new LinkedBlockingQueue<>();
      StreamObserver<ServerReflectionRequest> requests =
          ServerReflectionGrpc.newStub(fixture.channel())
              .serverReflectionInfo(new Collector(responses));
      requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
      List<String> services =
          take(responses).getListServicesResponse().getServiceList().stream()
              .map(service -> service.getName())
              .toList();
      assertTrue(services.containsAll(HEALTH_NAMES.subList(1, 4)), services.toString());
      assertTrue(services.contains("grpc.health.v1.Health"));
      assertTrue(services.contains("grpc.reflection.v1.ServerReflection"));
      assertTrue(services.contains("grpc.reflection.v1alpha.ServerReflection"));
      for (String symbol :
          List.of("omendb.v1.VectorService.BulkInsert", "omendb.v1.BulkInsertRequest")) {
        requests.onNext(
            ServerReflectionRequest.newBuilder().setFileContainingSymbol(symbol).build());
        assertTrue(take(responses).hasFileDescriptorResponse(), symbol);
      }
      requests.onCompleted();
    }
  }

  private static ServerReflectionResponse take(BlockingQueue<ServerReflectionResponse> responses)
      throws InterruptedException {
    ServerReflectionResponse response = responses.poll(10, TimeUnit.SECONDS);
    if (response == null) {
      throw new AssertionError("no response");
    }
    return response;
  }

  private record Collector(BlockingQueue<ServerReflectionResponse> responses)
      implements StreamObserver<ServerReflectionResponse> {
    @Override
    public void onNext(ServerReflectionResponse response) {
      responses.add(response);
    }

    @Override
    public void onError(Throwable e) {
      responses.add(ServerReflectionResponse.getDefaultInstance());
    }

    @Override
    public void onCompleted() {}
  }

  @Test
  void metricsAndStatsTellWhatHappened() throws Exception {
    try (ServerFixture fixture =
        ServerFixture.start(data, Map.of(Option.METRICS_LISTEN, "127.0.0.1:0"))) {
      fixture.create("c", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
      var unused = fixture.vectors().insert(rows("c", 0, 10));
      var stats = fixture.admin().stats(StatsRequest.getDefaultInstance());
      assertEquals(10, stats.getCollections(0).getLiveCount());
      assertEquals("c", stats.getCollections(0).getCollection());
      assertTrue(stats.getServer().getHeapMaxBytes() > 0);
      assertTrue(stats.getServer().getResidentBytes() > 0);
      try (HttpClient client = HttpClient.newHttpClient()) {
        URI uri = URI.create("http://127.0.0.1:" + fixture.server.metricsPort() + "/metrics");
        String text =
            client
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
        for (String line :
            List.of(
                "omendb_collection_live{collection=\"c\"} 10.0",
                "omendb_vector_bytes_total{path=\"direct\"} 160.0",
                "grpc_server_call_started_total{grpc_method=\"omendb.v1.VectorService/Insert\"}"
                    + " 1.0",
                "grpc_server_call_duration_seconds_count{grpc_method=\"omendb.v1.VectorService/Insert\",grpc_status=\"OK\"}"
                    + " 1")) {
          assertTrue(text.contains(line), () -> line + " is not in\n" + text);
        }
      }
    }
  }

  @Test
  void collectionsAreListedInPages() {
    try (ServerFixture fixture = ServerFixture.start(data, Map.of(Option.MAX_COLLECTIONS, "5"))) {
      for (String name : List.of("d", "b", "a", "e", "c")) {
        fixture.create(name, Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
      }
      var tooMany =
          failureOf(() -> fixture.create("f", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC));
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, tooMany.code());
      assertEquals("TOO_MANY", tooMany.reason());
      StringBuilder names = new StringBuilder();
      String token = "";
      int pages = 0;
      do {
        var page =
            fixture
                .collections()
                .listCollections(
                    ListCollectionsRequest.newBuilder().setPageSize(2).setPageToken(token).build());
        page.getCollectionsList().forEach(info -> names.append(info.getConfig().getName()));
        token = page.getNextPageToken();
        pages++;
      } while (!token.isEmpty());
      assertEquals("abcde", names.toString());
      assertEquals(3, pages);
      var failure =
          failureOf(() ->
              fixture
                  .collections()
                  .listCollections(ListCollectionsRequest.newBuilder().setPageToken("!").build()));
      assertEquals("INVALID_PAGE_TOKEN", failure.reason());
    }
  }
}
