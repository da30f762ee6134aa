package io.omendb.loadtest.clients;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.omendb.client.BulkOptions;
import io.omendb.client.BulkResult;
import io.omendb.client.Hit;
import io.omendb.client.Hits;
import io.omendb.client.Ids;
import io.omendb.client.OmenClient;
import io.omendb.client.OmenCollection;
import io.omendb.client.OmenException;
import io.omendb.client.RefusedFrame;
import io.omendb.client.Rows;
import io.omendb.client.SearchOptions;
import io.omendb.client.StoredRecord;
import io.omendb.client.Vectors;
import io.omendb.loadtest.client.Await;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.InsertResponse;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.Visibility;
import io.omendb.proto.v1.WriteMode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The client for the JVM against the real server, which is killed and started again. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JavaClientTest {

  private static final int DIMENSION = 16;
  private static final long LARGEST_ID = -1; // 2^64 − 1

  private final Random random = new Random(7);
  private final ServerProcess.Options options;
  private final OmenClient client;
  private ServerProcess server;

  JavaClientTest(@TempDir Path directory) throws IOException {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String address = "127.0.0.1:" + port;
    options = ServerProcess.Options.defaults(directory).withArguments("--listen", address);
    client = OmenClient.connect(address);
    server = ServerProcess.start(options);
  }

  @BeforeAll
  void awaitServing() {
    assertEquals(0, client.collections().size());
  }

  @AfterEach
  void dropAll() {
    client.collections().forEach(info -> client.dropCollection(info.getConfig().getName()));
  }

  @AfterAll
  void stop() {
    client.close();
    server.close();
  }

  @Test
  void theWholeTask() {
    OmenCollection docs = client.createCollection("docs", DIMENSION, Similarity.SIMILARITY_COSINE);
    float[] rows = rows(20_000);
    BulkResult loaded =
        docs.bulkInsert(Rows.of(Ids.range(0, 20_000), vectors(rows)), BulkOptions.DEFAULT);
    assertEquals(20_000, loaded.rowCount());
    assertEquals(20_000, loaded.counts().orElseThrow().inserted());
    float[] nearEight = row(rows, 8);
    nearEight[0] += 0.1f;
    InsertResponse inserted = docs.insert(Rows.of(7, nearEight, "seven".getBytes(UTF_8)));
    assertEquals(1, inserted.getUpdatedCount());
    List<Hit> hits = docs.search(row(rows, 8), SearchOptions.k(2).withPayloads()).hits();
    assertEquals(List.of(8L, 7L), hits.stream().map(Hit::id).toList());
    assertEquals("seven", new String(hits.getLast().payload(), UTF_8));
    List<Hits> batch =
        docs.searchBatch(vectors(Arrays.copyOf(rows, 64 * DIMENSION)), SearchOptions.k(10));
    assertEquals(64, batch.size());
    assertTrue(batch.stream().allMatch(of -> of.hits().size() == 10));
    assertEquals(2, docs.delete(Ids.of(7, 8, 20_000)));
    assertEquals(19_998, docs.count());
    assertEquals(List.of(9L), docs.get(Ids.of(7, 9)).stream().map(StoredRecord::id).toList());
    assertEquals(19_998, docs.stats().getLiveCount());
  }

  @Test
  void vectorsOfAnyKindArriveBitByBit() {
    OmenCollection docs = client.createCollection("kinds", DIMENSION, Similarity.SIMILARITY_L2);
    float[] row = rows(1);
    FloatBuffer bigEndian =
        ByteBuffer.allocateDirect(row.length * Float.BYTES)
            .order(ByteOrder.BIG_ENDIAN)
            .asFloatBuffer();
    bigEndian.put(row).flip();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, row);
      List<Vectors> kinds =
          List.of(
              Vectors.of(row),
              Vectors.of(FloatBuffer.wrap(row), DIMENSION),
              Vectors.of(bigEndian, DIMENSION),
              Vectors.of(segment, DIMENSION));
      for (int kind = 0; kind < kinds.size(); kind++) {
        var unused = docs.insert(Rows.of(Ids.of(kind), kinds.get(kind)));
        assertArrayEquals(row, docs.get(Ids.of(kind)).getFirst().vector(), "kind " + kind);
      }
    }
    assertArrayEquals(
        row, docs.search(row, SearchOptions.k(1).withVectors()).hits().getFirst().vector());
  }

  @Test
  void idsAre64BitsWideOrStrings() {
    OmenCollection numbers =
        client.createCollection("numbers", DIMENSION, Similarity.SIMILARITY_L2);
    float[] rows = rows(3);
    var unused = numbers.insert(Rows.of(Ids.of(0, LARGEST_ID, Long.MIN_VALUE), vectors(rows)));
    assertEquals(LARGEST_ID, numbers.search(row(rows, 1), 1).getFirst().id());
    OmenCollection names =
        client.createCollection(
            CollectionConfig.newBuilder()
                .setName("names")
                .setDimension(DIMENSION)
                .setSimilarity(Similarity.SIMILARITY_L2)
                .setIdKind(IdKind.ID_KIND_STRING)
                .build());
    var unusedToo = names.insert(Rows.of(Ids.of("rot", "grün", "blau"), vectors(rows)));
    assertEquals("grün", names.search(row(rows, 1), 1).getFirst().name());
    assertEquals(1, names.delete(Ids.of("rot")));
  }

  @Test
  void anErrorNamesFieldValueAndExpectation() {
    OmenCollection docs = client.createCollection("errors", DIMENSION, Similarity.SIMILARITY_L2);
    OmenException wrong =
        assertThrows(OmenException.class, () -> docs.search(new float[] {1, 2, 3}, 1));
    assertEquals("DIMENSION_MISMATCH", wrong.reason());
    assertEquals(Status.Code.INVALID_ARGUMENT, wrong.code());
    assertEquals("vector_le", wrong.field());
    assertEquals("3 components", wrong.value());
    assertEquals("16 components", wrong.expected());
    OmenException missing =
        assertThrows(OmenException.class, () -> client.collection("nowhere").count());
    assertEquals("nowhere", missing.metadata().get("collection"));
    IllegalArgumentException columns =
        assertThrows(IllegalArgumentException.class, () -> Rows.of(Ids.of(1, 2), vectors(rows(3))));
    assertEquals("vectors is 3 rows, expected 2: one an id", columns.getMessage());
  }

  @Test
  void modesTellConflicts() {
    OmenCollection docs = client.createCollection("modes", DIMENSION, Similarity.SIMILARITY_L2);
    var unused = docs.insert(Rows.of(Ids.of(1, 2), vectors(rows(2))));
    InsertResponse second =
        docs.insert(Rows.of(Ids.of(2, 3), vectors(rows(2))), WriteMode.WRITE_MODE_INSERT_ONLY);
    assertEquals(1, second.getInsertedCount());
    assertEquals(0, second.getConflicts(0).getIndex());
  }

  @Test
  void largePayloadsMakeSmallFrames() {
    OmenCollection docs = client.createCollection("heavy", DIMENSION, Similarity.SIMILARITY_L2);
    byte[] payload = new byte[60_000]; // 400 of them are 24 MB: a message may have 16 MiB
    List<byte[]> payloads = Collections.nCopies(400, payload);
    BulkResult result =
        docs.bulkInsert(
            new Rows(Ids.range(0, 400), vectors(rows(400)), payloads), BulkOptions.DEFAULT);
    assertEquals(400, result.rowCount());
    assertArrayEquals(payload, docs.get(Ids.of(399)).getFirst().payload());
  }

  @Test
  void refusedRowsAreToldAndTheOthersAreThere() {
    OmenCollection docs = client.createCollection("refused", DIMENSION, Similarity.SIMILARITY_L2);
    float[] rows = rows(1_000);
    rows[437 * DIMENSION + 3] = Float.POSITIVE_INFINITY;
    BulkResult result =
        docs.bulkInsert(
            Rows.of(Ids.range(0, 1_000), vectors(rows)), BulkOptions.DEFAULT.withFrameRows(100));
    RefusedFrame frame = result.refused().getFirst();
    assertEquals(400, frame.start());
    assertEquals(100, frame.count());
    assertEquals("NOT_FINITE", frame.reason());
    assertEquals(437, frame.items().getFirst().row());
    assertEquals(900, docs.count());
  }

  @Test
  void aBulkInsertGoesOnAfterTheServerWasKilled() throws IOException {
    OmenCollection docs = client.createCollection("killed", DIMENSION, Similarity.SIMILARITY_L2);
    float[] rows = rows(60_000);
    Rows all = Rows.of(Ids.range(0, 60_000), vectors(rows));
    Iterator<Rows> blocks =
        IntStream.range(0, 60)
            .mapToObj(block -> all.slice(block * 1_000, block * 1_000 + 1_000))
            .peek(block -> killBefore(block, 30_000))
            .iterator();
    var loading =
        docs.bulkInsertAsync(
            blocks, BulkOptions.DEFAULT.withVisibility(Visibility.VISIBILITY_AFTER_BUILD));
    server.awaitEnd(Duration.ofMinutes(1));
    server = ServerProcess.start(options);
    BulkResult result = loading.join();
    assertTrue(result.reconnects() > 0, result::toString);
    assertEquals(60_000, result.rowCount());
    assertEquals(60_000, docs.count());
    for (int id : new int[] {0, 30_000, 59_999}) {
      assertArrayEquals(row(rows, id), docs.get(Ids.of(id)).getFirst().vector());
    }
  }

  private void killBefore(Rows block, long id) {
    if (block.ids() instanceof Ids.Numbers numbers && numbers.numbers()[numbers.from()] == id) {
      server.kill();
    }
  }

  @Test
  void aLaterCallGoesOnWithAStream() {
    OmenCollection docs = client.createCollection("resumed", DIMENSION, Similarity.SIMILARITY_L2);
    Rows rows = Rows.of(Ids.range(0, 5_000), vectors(rows(5_000)));
    BulkOptions stream = BulkOptions.DEFAULT.withStreamId("import").withFrameRows(500);
    Iterator<Rows> some =
        IntStream.range(0, 10)
            .mapToObj(block -> {
              if (block == 6) {
                Await.until(Duration.ofMinutes(1), () -> "1,000 rows", () -> docs.count() >= 1_000);
                throw new IllegalStateException("no more");
              }
              return rows.slice(block * 500, block * 500 + 500);
            })
            .iterator();
    var first = docs.bulkInsertAsync(some, stream);
    assertEquals(
        "no more", assertThrows(RuntimeException.class, first::join).getCause().getMessage());
    BulkResult result = docs.bulkInsert(rows, stream);
    assertTrue(result.skippedCount() >= 1_000 && result.skippedCount() <= 3_000, result::toString);
    assertEquals(5_000, docs.count());
    OmenException finished = assertThrows(OmenException.class, () -> docs.bulkInsert(rows, stream));
    assertEquals("STREAM_FINISHED", finished.reason());
  }

  @Test
  void aCallerMayBeSlowerThanTheServer() {
    OmenCollection docs = client.createCollection("slow", DIMENSION, Similarity.SIMILARITY_L2);
    Rows rows = Rows.of(Ids.range(0, 20), vectors(rows(20)));
    Iterator<Rows> blocks =
        IntStream.range(0, 2)
            .peek(block -> LockSupport.parkNanos(Duration.ofSeconds(4).toNanos()))
            .mapToObj(block -> rows.slice(block * 10, block * 10 + 10))
            .iterator();
    BulkOptions impatient = BulkOptions.DEFAULT.withStallTimeout(Duration.ofSeconds(3));
    assertEquals(20, docs.bulkInsertAsync(blocks, impatient).join().rowCount());
  }

  @Test
  void deadlinesAndCancelsHold() {
    OmenCollection docs = client.createCollection("limits", DIMENSION, Similarity.SIMILARITY_L2);
    OmenException late =
        assertThrows(
            OmenException.class,
            () -> client.withTimeout(Duration.ofNanos(1)).collection("limits").count());
    assertEquals(Status.Code.DEADLINE_EXCEEDED, late.code());
    var search = docs.searchAsync(row(rows(1), 0), SearchOptions.k(1));
    search.cancel(true);
    assertTrue(search.isCancelled());
    assertEquals(0, docs.count());
  }

  @Test
  void withoutAServerTheDeadlineHolds() {
    try (OmenClient nobody = OmenClient.connect("127.0.0.1:1")) {
      OmenException e =
          assertThrows(
              OmenException.class, () -> nobody.withTimeout(Duration.ofSeconds(1)).stats());
      assertFalse(e.code() == Status.Code.UNKNOWN, e::toString);
    }
  }

  private float[] rows(int count) {
    float[] rows = new float[count * DIMENSION];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    return rows;
  }

  private static Vectors vectors(float[] rows) {
    return Vectors.of(rows, DIMENSION);
  }

  private static float[] row(float[] rows, int row) {
    return Arrays.copyOfRange(rows, row * DIMENSION, (row + 1) * DIMENSION);
  }
}
