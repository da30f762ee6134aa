package io.omendb.service;

import static io.omendb.service.ServerFixture.failureOf;
import static io.omendb.service.ServerFixture.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.EstimateFootprintRequest;
import io.omendb.proto.v1.EstimateFootprintResponse;
import io.omendb.proto.v1.ExportRequest;
import io.omendb.proto.v1.Filter;
import io.omendb.proto.v1.GetRequest;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.OptimizeRequest;
import io.omendb.proto.v1.Profile;
import io.omendb.proto.v1.SearchBatchRequest;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.ServerFixture.Failure;
import io.omendb.service.config.Option;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// Bad input over a real socket: the right code, the reason, the field, and nothing applied.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {
  private static final String NUMERIC = "numeric";
  private static final String STRING = "string";
  private static final String COSINE = "cosine";

  private ServerFixture fixture;

  @BeforeAll
  void start(@TempDir Path data) {
    fixture = ServerFixture.start(data, Map.of(Option.MAX_MESSAGE, "1MiB"));
    fixture.create(NUMERIC, Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    fixture.create(STRING, Similarity.SIMILARITY_L2, IdKind.ID_KIND_STRING);
    fixture.create(COSINE, Similarity.SIMILARITY_COSINE, IdKind.ID_KIND_NUMERIC);
  }

  @AfterAll
  void stop() {
    // Whatever was refused has left no trace.
    for (String collection : List.of(NUMERIC, STRING, COSINE)) {
      assertEquals(0, fixture.count(collection), collection);
    }
    fixture.close();
  }

  private void insertFails(InsertRequest request, String reason, String field) {
    Failure failure = failureOf(() -> fixture.vectors().insert(request));
    assertEquals(Status.Code.INVALID_ARGUMENT, failure.code());
    assertEquals(reason, failure.reason());
    assertEquals(field, failure.field());
    assertEquals(field, failure.metadata().get("field"));
  }

  private void searchFails(SearchRequest request, String reason, String field) {
    fails(() -> fixture.vectors().search(request), Status.Code.INVALID_ARGUMENT, reason, field);
  }

  private static Failure fails(Executable call, Status.Code code, String reason, String field) {
    Failure failure = failureOf(call);
    assertEquals(code, failure.code());
    assertEquals(reason, failure.reason());
    assertEquals(field, failure.field());
    return failure;
  }

  private static SearchRequest.Builder search(String collection) {
    return SearchRequest.newBuilder()
        .setCollection(collection)
        .setK(1)
        .addAllVector(List.of(1f, 2f, 3f, 4f));
  }

  @Test
  void wrongDimension() {
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder().addVectors(1).build(), "DIMENSION_MISMATCH", "vectors");
    insertFails(
        rows(NUMERIC, 0, 3).toBuilder().addNumericIds(9).build(),
        "COLUMN_LENGTH_MISMATCH",
        "vectors");
    searchFails(search(NUMERIC).addVector(1).build(), "DIMENSION_MISMATCH", "vector");
    fails(
        () ->
            fixture
                .vectors()
                .searchBatch(
                    SearchBatchRequest.newBuilder()
                        .setCollection(NUMERIC)
                        .setK(1)
                        .addAllVectors(Collections.nCopies(7, 1f))
                        .build()),
        Status.Code.INVALID_ARGUMENT,
        "DIMENSION_MISMATCH",
        "vectors");
  }

  @Test
  void componentsThatAreNotFinite() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      InsertRequest request = rows(NUMERIC, 0, 3).toBuilder().setVectors(4 + 2, bad).build();
      Failure failure =
          fails(
              () -> fixture.vectors().insert(request),
              Status.Code.INVALID_ARGUMENT,
              "NOT_FINITE",
              "vectors[1][2]");
      assertEquals("1", failure.metadata().get("index"));
      assertEquals(Float.toString(bad), failure.metadata().get("value"));
      searchFails(search(NUMERIC).setVector(3, bad).build(), "NOT_FINITE", "vector[3]");
    }
    searchFails(search(NUMERIC).setMaxDistance(Float.NaN).build(), "NOT_FINITE", "max_distance");
  }

  @Test
  void normZeroUnderCosine() {
    InsertRequest.Builder request = rows(COSINE, 0, 2).toBuilder();
    for (int i = 4; i < 8; i++) {
      request.setVectors(i, 0);
    }
    insertFails(request.build(), "ZERO_NORM", "vectors[1]");
    SearchRequest.Builder zero =
        search(COSINE).clearVector().addAllVector(List.of(0f, 0f, -0f, 0f));
    searchFails(zero.build(), "ZERO_NORM", "vector");
  }

  @Test
  void limitsOfKAndEf() {
    searchFails(search(NUMERIC).setK(0).build(), "OUT_OF_RANGE", "k");
    searchFails(search(NUMERIC).setK(1_001).build(), "OUT_OF_RANGE", "k");
    searchFails(search(NUMERIC).setK(-1).build(), "OUT_OF_RANGE", "k");
    searchFails(search(NUMERIC).setEf(4_097).build(), "OUT_OF_RANGE", "ef");
    searchFails(
        search(NUMERIC).setVectorFormatValue(9).build(), "UNKNOWN_ENUM_VALUE", "vector_format");
  }

  @Test
  void twins() {
    ByteString bytes = ByteString.copyFrom(new byte[16]);
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder().setVectorsLe(bytes).build(),
        "VECTORS_AMBIGUOUS",
        "vectors_le");
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder().clearVectors().build(), "FIELD_REQUIRED", "vectors");
    searchFails(search(NUMERIC).setVectorLe(bytes).build(), "VECTORS_AMBIGUOUS", "vector_le");
    searchFails(search(NUMERIC).clearVector().build(), "FIELD_REQUIRED", "vector");
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder()
            .clearVectors()
            .setVectorsLe(ByteString.copyFrom(new byte[15]))
            .build(),
        "DIMENSION_MISMATCH",
        "vectors_le");
  }

  @Test
  void collectionsThatAreNotThereOrAreAlready() {
    Failure unknown = failureOf(() -> fixture.vectors().insert(rows("nowhere", 0, 1)));
    assertEquals(Status.Code.NOT_FOUND, unknown.code());
    assertEquals("COLLECTION_NOT_FOUND", unknown.reason());
    assertEquals("nowhere", unknown.metadata().get("collection"));
    fails(
        () -> fixture.vectors().search(search("nowhere").build()),
        Status.Code.NOT_FOUND,
        "COLLECTION_NOT_FOUND",
        "");
    insertFails(rows("", 0, 1), "FIELD_REQUIRED", "collection");
    fails(
        () -> fixture.create(NUMERIC, Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC),
        Status.Code.ALREADY_EXISTS,
        "COLLECTION_EXISTS",
        "");
    fails(
        () ->
            fixture
                .collections()
                .dropCollection(
                    DropCollectionRequest.newBuilder().setCollection("nowhere").build()),
        Status.Code.NOT_FOUND,
        "COLLECTION_NOT_FOUND",
        "");
    assertEquals(
        false,
        fixture
            .collections()
            .dropCollection(
                DropCollectionRequest.newBuilder()
                    .setCollection("nowhere")
                    .setAllowMissing(true)
                    .build())
            .getDropped());
  }

  @Test
  void settingsOfACollection() {
    CollectionConfig good =
        CollectionConfig.newBuilder()
            .setName("ok")
            .setDimension(4)
            .setSimilarity(Similarity.SIMILARITY_L2)
            .build();
    createFails(good.toBuilder().setName("-no").build(), "INVALID_NAME", "config.name");
    createFails(good.toBuilder().setName("").build(), "INVALID_NAME", "config.name");
    createFails(good.toBuilder().setDimension(1).build(), "OUT_OF_RANGE", "config.dimension");
    createFails(good.toBuilder().setDimension(8_193).build(), "OUT_OF_RANGE", "config.dimension");
    createFails(good.toBuilder().clearSimilarity().build(), "FIELD_REQUIRED", "config.similarity");
    createFails(
        good.toBuilder().setSimilarityValue(9).build(), "UNKNOWN_ENUM_VALUE", "config.similarity");
    createFails(
        good.toBuilder().setProfileValue(7).build(), "UNKNOWN_ENUM_VALUE", "config.profile");
    createFails(good.toBuilder().setM(65).build(), "OUT_OF_RANGE", "config.m");
    createFails(
        good.toBuilder().setEfConstruction(7).build(), "OUT_OF_RANGE", "config.ef_construction");
    createFails(
        good.toBuilder().setTargetRecall(1).build(), "OUT_OF_RANGE", "config.target_recall");
    // Taken and not acted on, it would be a promise that is not kept.
    var unbuilt =
        failureOf(() ->
            fixture
                .collections()
                .createCollection(
                    CreateCollectionRequest.newBuilder()
                        .setConfig(good.toBuilder().setSearchP95TargetUs(500))
                        .build()));
    assertEquals(Status.Code.UNIMPLEMENTED, unbuilt.code());
    assertEquals("search_p95_target_us", unbuilt.metadata().get("feature"));
  }

  @Test
  void settingsComeBack() {
    for (Profile profile : new Profile[] {Profile.PROFILE_MEMORY, Profile.PROFILE_SPEED}) {
      CollectionConfig config =
          CollectionConfig.newBuilder()
              .setName("back-" + profile.getNumber())
              .setDimension(7)
              .setSimilarity(Similarity.SIMILARITY_COSINE)
              .setIdKind(IdKind.ID_KIND_STRING)
              .setM(12)
              .setEfConstruction(50)
              .setTargetRecall(0.97)
              .setProfile(profile)
              .build();
      CollectionConfig told =
          fixture
              .collections()
              .createCollection(CreateCollectionRequest.newBuilder().setConfig(config).build())
              .getCollection()
              .getConfig();
      assertEquals(config, told);
    }
  }

  /// At 128 dimensions and m 16, in bytes a vector: 512 of components, 32 of the row table, 128 of
  /// codes, 133 of lists with a sixteenth of 4 more; 64 and the length of each payload, rounded up
  /// to 4.
  @Test
  void footprintsAreEstimatedWithoutACollection() {
    CollectionConfig config =
        CollectionConfig.newBuilder()
            .setDimension(128)
            .setSimilarity(Similarity.SIMILARITY_L2)
            .build();
    EstimateFootprintRequest request =
        EstimateFootprintRequest.newBuilder()
            .setConfig(config)
            .setCount(1_000_000)
            .setPayloadBytes(99)
            .build();
    EstimateFootprintResponse told = fixture.admin().estimateFootprint(request);
    assertEquals(104, told.getFootprint().getPayloadBytes() / 1_000_000);
    assertEquals(809.27 + 104, told.getMemoryBytesPerVector(), 0.01);
    assertTrue(told.getPeakMemoryBytes() > told.getFootprint().getMemoryBytes());
    assertTrue(told.getPeakDiskBytes() > told.getFootprint().getDiskBytes());

    estimateFails(request.toBuilder().clearConfig(), "FIELD_REQUIRED", "config");
    estimateFails(request.toBuilder().clearCount(), "OUT_OF_RANGE", "count");
    estimateFails(request.toBuilder().setCount(1L << 31), "OUT_OF_RANGE", "count");
    estimateFails(request.toBuilder().setPayloadBytes(65_537), "OUT_OF_RANGE", "payload_bytes");
    estimateFails(request.toBuilder().setPayloadBytes(-1), "OUT_OF_RANGE", "payload_bytes");
    estimateFails(request.toBuilder().setStringIdBytes(257), "OUT_OF_RANGE", "string_id_bytes");
    estimateFails(
        request.toBuilder().setConfig(config.toBuilder().clearSimilarity()),
        "FIELD_REQUIRED",
        "config.similarity");
  }

  private void estimateFails(
      EstimateFootprintRequest.Builder request, String reason, String field) {
    fails(
        () -> fixture.admin().estimateFootprint(request.build()),
        Status.Code.INVALID_ARGUMENT,
        reason,
        field);
  }

  private void createFails(CollectionConfig config, String reason, String field) {
    fails(
        () ->
            fixture
                .collections()
                .createCollection(CreateCollectionRequest.newBuilder().setConfig(config).build()),
        Status.Code.INVALID_ARGUMENT,
        reason,
        field);
  }

  @Test
  void ids() {
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder().clearNumericIds().addStringIds("a").build(),
        "ID_KIND_MISMATCH",
        "string_ids");
    insertFails(rows(STRING, 0, 1), "ID_KIND_MISMATCH", "numeric_ids");
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder().clearNumericIds().build(), "FIELD_REQUIRED", "numeric_ids");
    insertFails(
        rows(STRING, 0, 2).toBuilder().clearNumericIds().addStringIds("a").addStringIds("").build(),
        "INVALID_ID",
        "string_ids[1]");
    insertFails(
        rows(STRING, 0, 1).toBuilder().clearNumericIds().addStringIds("x".repeat(257)).build(),
        "INVALID_ID",
        "string_ids[0]");
    insertFails(
        InsertRequest.newBuilder()
            .setCollection(NUMERIC)
            .addAllNumericIds(Collections.nCopies(65_537, 1L))
            .addVectors(1)
            .build(),
        "OUT_OF_RANGE",
        "numeric_ids");
    fails(
        () ->
            fixture
                .vectors()
                .get(GetRequest.newBuilder().setCollection(STRING).addNumericIds(1).build()),
        Status.Code.INVALID_ARGUMENT,
        "ID_KIND_MISMATCH",
        "numeric_ids");
  }

  @Test
  void payloads() {
    insertFails(
        rows(NUMERIC, 0, 2).toBuilder().addPayloads(ByteString.EMPTY).build(),
        "COLUMN_LENGTH_MISMATCH",
        "payloads");
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder().addPayloads(ByteString.copyFrom(new byte[65_537])).build(),
        "OUT_OF_RANGE",
        "payloads[0]");
    insertFails(
        rows(NUMERIC, 0, 1).toBuilder().setModeValue(9).build(), "UNKNOWN_ENUM_VALUE", "mode");
  }

  @Test
  void whatIsNotBuiltIsRefusedAndNotIgnored() {
    Failure filter =
        failureOf(() ->
            fixture
                .vectors()
                .search(search(NUMERIC).setFilter(Filter.getDefaultInstance()).build()));
    assertEquals(Status.Code.UNIMPLEMENTED, filter.code());
    assertEquals("NOT_IMPLEMENTED", filter.reason());
    assertEquals("filter", filter.metadata().get("feature"));
    for (Executable call :
        List.<Executable>of(
            () ->
                fixture
                    .vectors()
                    .count(
                        CountRequest.newBuilder()
                            .setCollection(NUMERIC)
                            .setFilter(Filter.getDefaultInstance())
                            .build()),
            () -> fixture.vectors().export(ExportRequest.getDefaultInstance()).next(),
            () -> fixture.admin().optimize(OptimizeRequest.getDefaultInstance()))) {
      fails(call, Status.Code.UNIMPLEMENTED, "NOT_IMPLEMENTED", "");
    }
  }

  @Test
  void aMessageThatIsTooLarge() {
    Failure failure = failureOf(() -> fixture.vectors().insert(rows(NUMERIC, 0, 65_536)));
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, failure.code());
  }

  @Test
  void garbageInsteadOfAMessage() {
    byte[] garbage = new byte[300];
    new SplittableRandom(3).nextBytes(garbage);
    garbage[0] = (byte) 0xff;
    for (var method : VectorServiceGrpc.getServiceDescriptor().getMethods()) {
      if (method.getType() == MethodDescriptor.MethodType.UNARY) {
        Failure failure = failureOf(() -> sendBytes(method, garbage));
        assertEquals(Status.Code.INVALID_ARGUMENT, failure.code(), method.getFullMethodName());
        assertEquals("MALFORMED_MESSAGE", failure.reason());
      }
    }
    Failure cut =
        failureOf(
            () -> sendBytes(VectorServiceGrpc.getInsertMethod(), new byte[] {10, 100, 'a', 'b'}));
    assertEquals("1", cut.metadata().get("offset"));
  }

  private void sendBytes(MethodDescriptor<?, ?> method, byte[] bytes) {
    MethodDescriptor.Marshaller<byte[]> raw =
        new MethodDescriptor.Marshaller<>() {
          @Override
          public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
          }

          @Override
          public byte[] parse(InputStream stream) {
            return new byte[0];
          }
        };
    byte[] reply =
        ClientCalls.blockingUnaryCall(
            fixture.channel(),
            method.toBuilder(raw, raw).build(),
            CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS),
            bytes);
    assertNotNull(reply);
  }

  @Test
  void garbageOnThePort() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 20; i++) {
      byte[] garbage = new byte[1 + random.nextInt(2_000)];
      random.nextBytes(garbage);
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), fixture.server.port())) {
        socket.setSoTimeout(20_000);
        OutputStream out = socket.getOutputStream();
        if (i % 2 == 0) {
          out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        }
        out.write(garbage);
        socket.shutdownOutput();
        socket.getInputStream().readAllBytes();
      } catch (SocketException e) {
        // The server may cut the connection as soon as it sees what it is.
        assertFalse(fixture.channel().isShutdown());
      }
    }
    assertEquals(0, fixture.count(NUMERIC));
  }

  @Test
  void aDeadlineThatHasPassed() {
    Failure failure =
        failureOf(() ->
            fixture
                .vectors()
                .withDeadlineAfter(0, TimeUnit.NANOSECONDS)
                .insert(rows(NUMERIC, 0, 1)));
    assertEquals(Status.Code.DEADLINE_EXCEEDED, failure.code());
  }

  @Test
  void methodsAreAllBound() {
    for (var method : VectorServiceGrpc.getServiceDescriptor().getMethods()) {
      if (method.getType() == MethodDescriptor.MethodType.UNARY) {
        Failure failure = failureOf(() -> sendBytes(method, new byte[0]));
        assertEquals("FIELD_REQUIRED", failure.reason(), method.getFullMethodName());
      }
    }
  }
}
