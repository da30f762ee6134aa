package io.omendb.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.omendb.proto.v1.CollectionInfo;
import io.omendb.proto.v1.CollectionState;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.GetCollectionRequest;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.service.config.Option;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// One collection that cannot be opened: it is told wherever an operator looks, and the others
/// serve.
class QuarantineTest {
  private static final Map<Option, String> METRICS = Map.of(Option.METRICS_LISTEN, "127.0.0.1:0");

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path data;

  private static ServingStatus health(ServerFixture fixture, String service) {
    return HealthGrpc.newBlockingStub(fixture.channel())
        .check(HealthCheckRequest.newBuilder().setService(service).build())
        .getStatus();
  }

  private static String scrape(ServerFixture fixture) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI metrics = URI.create("http://127.0.0.1:" + fixture.server.metricsPort() + "/metrics");
      return client
          .send(HttpRequest.newBuilder(metrics).build(), HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }

  private void breakFirst() throws IOException {
    try (Stream<Path> files = Files.list(data.resolve("collections/000001"))) {
      for (Path file : files.filter(path -> path.toString().contains("MANIFEST")).toList()) {
        Files.delete(file);
        Files.createDirectory(file);
      }
    }
  }

  @Test
  void itIsToldAndTheOthersServe() throws Exception {
    try (ServerFixture fixture = ServerFixture.start(data, METRICS)) {
      for (String name : new String[] {"broken", "whole"}) {
        fixture.create(name, Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
        var unused = fixture.vectors().insert(ServerFixture.rows(name, 1, 10));
      }
      ServerFixture.await("health", () -> isHealthy(fixture, "collection/whole"));
      assertTrue(scrape(fixture).contains("omendb_collections_quarantined 0.0"));
    }
    breakFirst();
    try (ServerFixture fixture = ServerFixture.start(data, METRICS)) {
      assertEquals(10, fixture.count("whole"));
      ServerFixture.Failure failure = ServerFixture.failureOf(() -> fixture.count("broken"));
      assertEquals(Status.Code.FAILED_PRECONDITION, failure.code());
      assertEquals("COLLECTION_QUARANTINED", failure.reason());
      assertEquals(ServingStatus.SERVING, health(fixture, ""));
      assertEquals(ServingStatus.SERVING, health(fixture, "collection/whole"));
      assertEquals(ServingStatus.NOT_SERVING, health(fixture, "collection/broken"));
      assertTrue(scrape(fixture).contains("omendb_collections_quarantined 1.0"));
      CollectionInfo info =
          fixture
              .collections()
              .getCollection(GetCollectionRequest.newBuilder().setCollection("broken").build())
              .getCollection();
      assertEquals(CollectionState.COLLECTION_STATE_QUARANTINED, info.getState());
      assertTrue(info.getStateMessage().contains("MANIFEST"), info.getStateMessage());
      var stats = fixture.admin().stats(StatsRequest.getDefaultInstance());
      assertEquals(1, stats.getServer().getQuarantinedCount());
      var dropped =
          fixture
              .collections()
              .dropCollection(DropCollectionRequest.newBuilder().setCollection("broken").build());
      assertTrue(dropped.getDropped());
      ServerFixture.await("the drop to show", () -> !isKnown(fixture, "collection/broken"));
      assertTrue(scrape(fixture).contains("omendb_collections_quarantined 0.0"));
    }
  }

  /// How a file may be when a device or an administrator is at fault.
  private enum Fault {
    DIRECTORY {
      @Override
      void putAt(Path file) throws IOException {
        Files.createDirectory(file);
      }
    },
    /// Reading fails with EIO.
    UNREADABLE {
      @Override
      void putAt(Path file) throws IOException {
        Files.createSymbolicLink(file, Path.of("/proc/self/mem"));
      }
    },
    /// Opening fails with ELOOP, which is neither missing nor denied.
    LOOP {
      @Override
      void putAt(Path file) throws IOException {
        Files.createSymbolicLink(file, file);
      }
    },
    MISSING {
      @Override
      void putAt(Path file) {}
    },
    EMPTY {
      @Override
      void putAt(Path file) throws IOException {
        Files.createFile(file);
      }
    };

    abstract void putAt(Path file) throws IOException;
  }

  /// Whatever is wrong with whichever file of a collection: it is the collection's fault alone, and
  /// either the collection is told to be broken or all its rows are there.
  @ParameterizedTest
  @EnumSource(Fault.class)
  void whateverIsWrongWithAFileTheOthersServe(Fault fault) throws Exception {
    try (ServerFixture fixture = ServerFixture.start(data, Map.of())) {
      for (String name : new String[] {"broken", "whole"}) {
        fixture.create(name, Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
        var unused = fixture.vectors().insert(ServerFixture.rows(name, 1, 1_000));
      }
    }
    Path broken = data.resolve("collections/000001");
    List<Path> files;
    try (Stream<Path> walk = Files.walk(broken)) {
      files = walk.filter(Files::isRegularFile).map(broken::relativize).sorted().toList();
    }
    assertTrue(files.size() >= 5, files::toString);
    Path kept = data.resolveSibling(data.getFileName() + "-kept");
    copy(broken, kept);
    int quarantined = 0;
    for (Path name : files) {
      Path file = broken.resolve(name);
      Files.delete(file);
      fault.putAt(file);
      try (ServerFixture fixture = ServerFixture.start(data, Map.of())) {
        assertEquals(1_000, fixture.count("whole"), name::toString);
        try {
          assertEquals(1_000, fixture.count("broken"), name::toString);
        } catch (StatusRuntimeException e) {
          assertEquals("COLLECTION_QUARANTINED", ServerFixture.failure(e).reason());
          assertTrue(e.toString().contains(broken.getFileName().toString()), e::toString);
          quarantined++;
        }
      }
      delete(broken);
      copy(kept, broken);
    }
    assertTrue(quarantined > 0, "no file is needed");
    try (ServerFixture fixture = ServerFixture.start(data, Map.of())) {
      assertEquals(1_000, fixture.count("broken"), "put back");
    }
    delete(kept);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> walk = Files.walk(from)) {
      for (Path file : walk.toList()) {
        Files.copy(file, to.resolve(from.relativize(file)));
      }
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      for (Path file : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static boolean isKnown(ServerFixture fixture, String service) {
    try {
      var unused = health(fixture, service);
      return true;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode() != Status.Code.NOT_FOUND;
    }
  }

  private static boolean isHealthy(ServerFixture fixture, String service) {
    return isKnown(fixture, service) && health(fixture, service) == ServingStatus.SERVING;
  }

  /// What Stats says of the disk is what the disk says.
  @Test
  void diskBytesAreThoseOfTheFiles() throws Exception {
    try (ServerFixture fixture = ServerFixture.start(data, METRICS)) {
      fixture.create("things", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
      for (int batch = 0; batch < 20; batch++) {
        var unused = fixture.vectors().insert(ServerFixture.rows("things", batch * 500L, 500));
      }
      Process du =
          new ProcessBuilder("du", "-s", "-B1", data.resolve("collections/000001").toString())
              .start();
      String output = new String(du.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      long used = Long.parseLong(output.substring(0, output.indexOf('\t')));
      long told =
          fixture
              .admin()
              .stats(StatsRequest.newBuilder().setCollection("things").build())
              .getCollections(0)
              .getFootprint()
              .getDiskBytes();
      assertTrue(Math.abs(told - used) <= used / 50, () -> "told " + told + ", used " + used);
    }
  }
}
