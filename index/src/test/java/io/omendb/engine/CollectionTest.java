package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CollectionTest {
  private static final byte[] NOTHING = {};

  private final Random random = TestEngine.random(CollectionTest.class);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @SuppressWarnings("NullAway.Init") // by open
  private Database database;

  @BeforeEach
  void open() throws IOException {
    database = TestEngine.open(directory);
  }

  @AfterEach
  void close() throws IOException {
    database.close();
  }

  private Collection create(int dimension, Similarity similarity) throws IOException {
    return database.create(CollectionConfig.of("things", dimension, similarity));
  }

  private Collection createWithStringIds(int dimension) throws IOException {
    return database.create(
        new CollectionConfig(
            "things", dimension, Similarity.L2, IdKind.STRING, 16, 100, 0.99, 0, Profile.MEMORY));
  }

  // ---- What writes do ------------------------------------------------------------------------

  @Test
  void aRowIsFoundOnceItIsAcknowledged() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 3_000, 16);
    Collection collection = create(16, Similarity.L2);
    for (int id = 0; id < 50; id++) {
      TestEngine.insert(collection, TestRows.of(vectors, id, id + 1, id));
      SearchResult result = TestEngine.search(collection, TestEngine.nearest(vectors[id], 1));
      assertEquals(List.of((long) id), TestEngine.ids(collection, result));
      assertEquals(0f, result.distance(0));
    }
    for (int id = 50; id < 3_000; id += 50) {
      TestEngine.insert(collection, TestRows.of(vectors, id, id + 50, id));
      int any = id + random.nextInt(50);
      assertEquals(
          List.of((long) any),
          TestEngine.searchIds(collection, TestEngine.nearest(vectors[any], 1)));
    }
    TestEngine.awaitLinked(collection);
    SearchResult linked = TestEngine.search(collection, TestEngine.nearest(vectors[7], 10));
    assertEquals(SearchStrategy.GRAPH, linked.strategy);
    assertEquals(0, linked.unlinkedRows);
    assertTrue(linked.ef >= 10 && linked.nodesVisited > 0 && linked.reranked >= 10);
    assertEquals(7, TestEngine.ids(collection, linked).getFirst());
    TestEngine.awaitSound(collection);
  }

  /** Its client's deadline has passed, or its client is gone. */
  @Test
  void aScanThatNobodyWaitsForIsGivenUp() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 50_000, 2);
    Collection collection = create(2, Similarity.L2);
    TestEngine.append(collection, TestRows.of(vectors), WriteMode.UPSERT, Visibility.IMMEDIATE);
    SearchRequest request = TestEngine.exactNearest(vectors[9], 1);
    assertFalse(TestEngine.search(collection, request).abandoned);
    request.abandoned = () -> true;
    SearchResult result = TestEngine.search(collection, request);
    assertTrue(result.abandoned);
    assertTrue(result.distanceComputations < vectors.length, "it scanned all");
  }

  @Test
  void beforeAnyRowIsLinkedAllAreCompared() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 200, 16);
    Collection collection = create(16, Similarity.L2);
    assertEquals(0, TestEngine.search(collection, TestEngine.nearest(vectors[0], 5)).count());
    // Rows that wait for a build keep the graph empty: neither found nor linked.
    collection.beginBuild();
    TestEngine.append(collection, TestRows.of(vectors), WriteMode.UPSERT, Visibility.AFTER_BUILD);
    SearchResult result = TestEngine.search(collection, TestEngine.nearest(vectors[0], 5));
    assertEquals(SearchStrategy.FLAT, result.strategy);
    assertEquals(0, result.ef);
    collection.endBuild();
  }

  @Test
  void anUpsertReplacesTheRow() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 1_000, 16);
    float[] far = new float[16];
    Arrays.fill(far, 100f);
    Collection collection = create(16, Similarity.L2);
    TestEngine.insert(collection, TestRows.of(vectors));
    for (boolean linked : new boolean[] {false, true}) {
      long id = linked ? 500 : 3;
      float[] old = vectors[(int) id];
      if (linked) {
        TestEngine.awaitLinked(collection);
      }
      AppendResult replaced = TestEngine.insert(collection, new TestRows().add(id, far));
      assertEquals(1, replaced.updated);
      assertEquals(0, replaced.inserted);
      for (SearchRequest request :
          List.of(TestEngine.nearest(old, 1_000), TestEngine.exactNearest(old, 1_000))) {
        List<Long> ids = TestEngine.searchIds(collection, request);
        assertEquals(1_000, ids.size());
        assertEquals(1_000, new HashSet<>(ids).size(), "a row and its replacement were found");
        assertEquals(id, ids.getLast(), "the row is where its replacement lies: far off");
      }
      SearchResult moved = TestEngine.search(collection, TestEngine.nearest(far, 1));
      assertEquals(List.of(id), TestEngine.ids(collection, moved));
      assertEquals(0f, moved.distance(0));
      assertEquals(moved.slot(0), collection.rows().find(id));
      TestEngine.insert(collection, new TestRows().add(id, old));
      assertEquals(List.of(id), TestEngine.searchIds(collection, TestEngine.nearest(old, 1)));
    }
    assertEquals(1_000, collection.rows().liveCount());
    assertEquals(4, collection.stats(false).deletedCount());
  }

  @Test
  void aDeletedRowIsNeverFoundAgain() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 3_000, 16);
    Collection collection = create(16, Similarity.L2);
    TestEngine.insert(collection, TestRows.of(vectors));
    TestEngine.delete(collection, 5, 6, 7); // probably not linked yet
    TestEngine.awaitLinked(collection);
    // From a few to almost all: the beam must widen past ever more dead rows.
    Set<Long> dead = new HashSet<>(List.of(5L, 6L, 7L));
    List<Long> order = new ArrayList<>();
    for (long id = 0; id < 3_000; id++) {
      order.add(id);
    }
    Collections.shuffle(order, random);
    for (int deleted : new int[] {50, 1_500, 2_700, 2_950, 2_998}) {
      long[] ids = order.subList(0, deleted).stream().mapToLong(id -> id).toArray();
      TestEngine.delete(collection, ids);
      order.subList(0, deleted).forEach(dead::add);
      List<float[]> live = new ArrayList<>();
      for (int id = 0; id < 3_000; id++) {
        if (!dead.contains((long) id)) {
          live.add(vectors[id]);
        }
      }
      assertEquals(live.size(), collection.rows().liveCount());
      for (int query = 0; query < 10; query++) {
        float[] vector = vectors[order.get(random.nextInt(deleted)).intValue()];
        SearchRequest request = TestEngine.nearest(vector, 5);
        request.ef = 400;
        SearchResult result = TestEngine.search(collection, request);
        TestEngine.assertNearest(collection, vector, live, vectors, 5, result);
        assertTrue(dead.stream().noneMatch(TestEngine.ids(collection, result)::contains));
      }
    }
    for (long id : dead) {
      assertEquals(-1, collection.rows().find(id));
    }
    assertEquals(0, collection.stats(false).fallbackCount());
  }

  @Test
  void aDeletedIdCanBeWrittenAgain() throws Exception {
    Collection collection = create(2, Similarity.L2);
    TestEngine.insert(collection, new TestRows().add(1, 1, 1).add(2, 2, 2));
    assertEquals(1, collection.delete(new long[] {1, 1, 99}).deleted());
    TestEngine.insert(collection, new TestRows().add(1, 9, 9));
    assertEquals(
        List.of(2L, 1L),
        TestEngine.searchIds(collection, TestEngine.nearest(new float[] {1, 1}, 10)));
  }

  @Test
  void writeModesLeaveConflictingRowsOut() throws Exception {
    Collection collection = create(2, Similarity.L2);
    TestEngine.insert(collection, new TestRows().add(1, 1, 0).add(2, 2, 0));
    AppendResult inserted =
        TestEngine.append(
            collection,
            new TestRows().add(2, 50, 0).add(3, 3, 0).add(1, 50, 0),
            WriteMode.INSERT_ONLY,
            Visibility.IMMEDIATE);
    assertEquals(1, inserted.inserted);
    assertArrayEquals(
        new int[] {0, 2}, Arrays.copyOf(inserted.conflictRows, inserted.conflictCount));
    AppendResult updated =
        TestEngine.append(
            collection,
            new TestRows().add(4, 50, 0).add(2, 20, 0),
            WriteMode.UPDATE_ONLY,
            Visibility.IMMEDIATE);
    assertEquals(1, updated.updated);
    assertArrayEquals(new int[] {0}, Arrays.copyOf(updated.conflictRows, updated.conflictCount));
    SearchResult all = TestEngine.search(collection, TestEngine.nearest(new float[2], 10));
    assertEquals(List.of(1L, 3L, 2L), TestEngine.ids(collection, all));
    assertEquals(1f, all.distance(0));
    assertEquals(9f, all.distance(1));
    assertEquals(400f, all.distance(2));
  }

  private void refuses(
      Collection collection, String reason, int component, float value, float... bad)
      throws IOException {
    long sequence = collection.lastSequence();
    TestRows rows = new TestRows().add(100, 1, 1, 1).add(101, bad).add(102, 1, 1, 1);
    InvalidRowsException e =
        assertThrows(
            InvalidRowsException.class,
            () ->
                collection.append(
                    rows, WriteMode.UPSERT, Visibility.IMMEDIATE, new AppendResult()));
    assertEquals(1, e.total());
    assertEquals(new InvalidRowsException.Item(1, component, value, reason), e.items().getFirst());
    assertEquals(sequence, collection.lastSequence());
    assertEquals(1, collection.rows().liveCount());
    assertEquals(-1, collection.rows().find(100));
    assertEquals(-1, collection.rows().find(102));
    assertEquals(
        List.of(1L),
        TestEngine.searchIds(collection, TestEngine.exactNearest(new float[] {1, 1, 1}, 10)));
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void refusesVectorsThatHaveNoDistance(Similarity similarity) throws Exception {
    Collection collection = create(3, similarity);
    TestEngine.insert(collection, new TestRows().add(1, 1, 2, 3));
    refuses(collection, "not finite", 2, Float.NaN, 1, 2, Float.NaN);
    refuses(collection, "not finite", 0, Float.POSITIVE_INFINITY, Float.POSITIVE_INFINITY, 1, 1);
    refuses(collection, "not finite", 1, Float.NEGATIVE_INFINITY, 0, Float.NEGATIVE_INFINITY, 1);
    refuses(collection, "distances overflow float32", 1, -3e19f, 1, -3e19f, 2e18f);
    if (similarity == Similarity.COSINE) {
      refuses(collection, "zero norm under cosine", -1, 0, 0, -0f, 0);
      refuses(collection, "zero norm under cosine", -1, 0, 1e-30f, 1e-30f, 0);
    } else {
      TestEngine.insert(collection, new TestRows().add(2, 0, 0, 0));
      assertEquals(2, collection.rows().liveCount());
    }
  }

  @Test
  void aRefusedFrameUsesUpItsSequence() throws Exception {
    Collection collection = create(2, Similarity.L2);
    TestRows bad = new TestRows().add(1, Float.NaN, 0);
    assertThrows(
        InvalidRowsException.class,
        () ->
            collection.appendFrame(
                bad,
                WriteMode.UPSERT,
                Visibility.IMMEDIATE,
                new StreamFrame("s", 7),
                new AppendResult()));
    TestEngine.await("the mark", () -> collection.visibleSequence() == 1);
    assertNotNull(collection.stream("s"));
    assertEquals(0, collection.rows().liveCount());
  }

  @Test
  void writesAreRefusedWhileTheUnlinkedBufferIsFull() throws Exception {
    int dimension = 8_192;
    int limit = 5_000_000 / dimension;
    Collection collection =
        database.create(
            new CollectionConfig(
                "things",
                dimension,
                Similarity.L2,
                IdKind.NUMERIC,
                4,
                200,
                0.5,
                0,
                Profile.MEMORY));
    float[][] vectors = TestEngine.clustered(random, limit + 400, dimension);
    TestEngine.insert(collection, TestRows.of(vectors));
    SearchResult flat = TestEngine.search(collection, TestEngine.nearest(vectors[900], 1));
    assertEquals(List.of(900L), TestEngine.ids(collection, flat));
    assertTrue(flat.unlinkedRows > limit, "rows compared one by one: " + flat.unlinkedRows);
    long sequence = collection.lastSequence();
    TestRows one = TestRows.of(vectors, 0, 1, 1_000_000);
    AppendResult result = new AppendResult();
    UnlinkedBufferFullException e =
        assertThrows(
            UnlinkedBufferFullException.class,
            () -> collection.append(one, WriteMode.UPSERT, Visibility.IMMEDIATE, result));
    assertTrue(collection.unlinkedBufferFull());
    String message = String.valueOf(e.getMessage());
    assertTrue(message.endsWith("rows wait to be linked, limit " + limit), message);
    assertEquals(sequence, collection.lastSequence());
    assertEquals(-1, collection.rows().find(1_000_000));
    // Rows that no search compares one by one are welcome, and so are a stream's, held before.
    TestRows hidden = TestRows.of(vectors, 0, 1, 1_000_001);
    TestEngine.append(collection, hidden, WriteMode.UPSERT, Visibility.AFTER_BUILD);
    collection.appendFrame(
        TestRows.of(vectors, 0, 1, 1_000_002),
        WriteMode.UPSERT,
        Visibility.IMMEDIATE,
        new StreamFrame("s", 1),
        result);
    TestEngine.await("room in the unlinked buffer", () -> !collection.unlinkedBufferFull());
    TestEngine.insert(collection, one);
    assertTrue(collection.rows().find(1_000_000) >= 0);
  }

  // ---- AFTER_BUILD ---------------------------------------------------------------------------

  @Test
  void afterBuildRowsAreHiddenUntilTheBuildIsDone() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 1_500, 16);
    Collection collection = create(16, Similarity.L2);
    collection.beginBuild();
    TestEngine.insert(collection, TestRows.of(vectors, 0, 100, 0));
    long before = collection.searchableSequence();
    TestRows hidden = TestRows.of(vectors, 100, 1_400, 100);
    long sequence =
        TestEngine.append(collection, hidden, WriteMode.UPSERT, Visibility.AFTER_BUILD).lsn;
    TestEngine.insert(collection, TestRows.of(vectors, 1_400, 1_500, 1_400));
    TestEngine.await("the visible rows linked", () -> collection.stats(false).unlinkedCount() == 0);

    assertEquals(before, collection.searchableSequence());
    assertTrue(collection.visibleSequence() > sequence);
    List<float[]> visible = new ArrayList<>(TestEngine.listOf(vectors).subList(0, 100));
    visible.addAll(TestEngine.listOf(vectors).subList(1_400, 1_500));
    for (SearchRequest request :
        List.of(
            TestEngine.nearest(vectors[700], 1_000),
            TestEngine.exactNearest(vectors[700], 1_000))) {
      SearchResult result = TestEngine.search(collection, request);
      TestEngine.assertNearest(collection, vectors[700], visible, vectors, 1_000, result);
    }
    CollectionStats stats = collection.stats(true);
    assertEquals(1_300, stats.unbuiltCount());
    assertEquals(200, stats.linkedCount());
    assertNull(stats.graphHash());

    collection.endBuild();
    TestEngine.await("searchable", () -> collection.searchableSequence() > sequence);
    SearchResult result = TestEngine.search(collection, TestEngine.nearest(vectors[700], 1));
    assertEquals(List.of(700L), TestEngine.ids(collection, result));
    assertEquals(SearchStrategy.GRAPH, result.strategy);
    assertEquals(0, result.unlinkedRows);
    SearchResult exact = TestEngine.search(collection, TestEngine.exactNearest(vectors[9], 2_000));
    TestEngine.assertNearest(
        collection, vectors[9], TestEngine.listOf(vectors), vectors, 2_000, exact);
    assertEquals(collection.visibleSequence(), collection.searchableSequence());
    assertEquals(0, collection.stats(false).fallbackCount());
  }

  @Test
  void withoutAnOpenBuildAfterBuildRowsAreLinkedAtOnce() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 600, 16);
    Collection collection = create(16, Similarity.L2);
    long sequence =
        TestEngine.append(
                collection, TestRows.of(vectors), WriteMode.UPSERT, Visibility.AFTER_BUILD)
            .lsn;
    TestEngine.await("searchable", () -> collection.searchableSequence() >= sequence);
    assertEquals(
        List.of(123L), TestEngine.searchIds(collection, TestEngine.nearest(vectors[123], 1)));
  }

  @Test
  void watermarkListenersHearOfRowsThatBecomeSearchable() throws Exception {
    Collection collection = create(2, Similarity.L2);
    List<Long> heard = Collections.synchronizedList(new ArrayList<>());
    Runnable listener = () -> heard.add(collection.searchableSequence());
    collection.addWatermarkListener(listener);
    collection.beginBuild();
    long sequence =
        TestEngine.append(
                collection, new TestRows().add(1, 1, 1), WriteMode.UPSERT, Visibility.AFTER_BUILD)
            .lsn;
    collection.endBuild();
    TestEngine.await("told", () -> heard.contains(sequence));
    collection.removeWatermarkListener(listener);
  }

  // ---- What searches find --------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void distancesAreAsDefined(Similarity similarity) throws Exception {
    Collection collection = create(2, similarity);
    TestEngine.insert(collection, new TestRows().add(1, 3, 5));
    float[] query = {1, 2};
    double expected =
        switch (similarity) {
          case L2 -> 4 + 9;
          case COSINE -> 1 - 13 / Math.sqrt(5 * 34);
          case INNER_PRODUCT -> -13;
        };
    assertEquals(
        expected, TestEngine.search(collection, TestEngine.nearest(query, 1)).distance(0), 1e-6);
    TestEngine.awaitLinked(collection);
    assertEquals(
        expected, TestEngine.search(collection, TestEngine.nearest(query, 1)).distance(0), 1e-6);
    assertEquals(
        expected,
        TestEngine.search(collection, TestEngine.exactNearest(query, 1)).distance(0),
        1e-6);
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void anExactSearchIsBruteForce(Similarity similarity) throws Exception {
    int dimension = 1 + 16 + random.nextInt(40);
    float[][] vectors = TestEngine.clustered(random, 1_200, dimension);
    Collection collection = create(dimension, similarity);
    for (int from = 0; from < 1_200; from += 400) {
      TestEngine.insert(collection, TestRows.of(vectors, from, from + 400, from));
      List<float[]> rows = TestEngine.listOf(vectors).subList(0, from + 400);
      for (int i = 0; i < 20; i++) {
        float[] query = TestEngine.clustered(random, 1, dimension)[0];
        SearchResult result =
            TestEngine.search(collection, TestEngine.exactNearest(query, 1 + i * 3));
        assertEquals(SearchStrategy.EXACT, result.strategy);
        TestEngine.assertNearest(collection, query, rows, vectors, 1 + i * 3, result);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void theDefaultSearchFindsTheNearest(Similarity similarity) throws Exception {
    int rows = 5_000;
    int queries = 200;
    float[][] all = TestEngine.clustered(random, rows + queries, 32);
    float[][] vectors = Arrays.copyOf(all, rows);
    Collection collection = create(32, similarity);
    TestEngine.append(collection, TestRows.of(vectors), WriteMode.UPSERT, Visibility.AFTER_BUILD);
    TestEngine.awaitLinked(collection);
    int hits = 0;
    long distances = 0;
    for (int i = 0; i < queries; i++) {
      float[] query = all[rows + i];
      SearchResult result = TestEngine.search(collection, TestEngine.nearest(query, 10));
      assertEquals(SearchStrategy.GRAPH, result.strategy);
      assertEquals(10, result.count());
      double kth = TestEngine.bruteForce(similarity, query, TestEngine.listOf(vectors), 10)[9];
      for (int j = 0; j < 10; j++) {
        hits += result.distance(j) <= kth + 1e-5 * (1 + Math.abs(kth)) ? 1 : 0;
      }
      distances += result.distanceComputations;
    }
    double recall = hits / (10.0 * queries);
    double share = (double) distances / queries / rows;
    System.err.println(
        similarity
            + ": recall@10 "
            + recall
            + ", share of distances "
            + share
            + ", ef "
            + collection.stats(false).defaultEf());
    assertTrue(recall >= 0.98, "recall@10 " + recall);
    assertTrue(share <= 0.2, "share of distances " + share);
    assertEquals(0, collection.stats(false).fallbackCount());
  }

  @Test
  void equalDistancesAreInOrderOfUnsignedId() throws Exception {
    Collection collection = create(2, Similarity.L2);
    TestEngine.insert(
        collection,
        new TestRows()
            .add(-1, 1, 1)
            .add(5, 1, 1)
            .add(Long.MIN_VALUE, 1, 1)
            .add(1, -1, 1)
            .add(Long.MAX_VALUE, 1, -1)
            .add(3, 0, 0));
    List<Long> expected = List.of(3L, 1L, 5L, Long.MAX_VALUE, Long.MIN_VALUE, -1L);
    float[] origin = new float[2];
    assertEquals(expected, TestEngine.searchIds(collection, TestEngine.nearest(origin, 6)));
    assertEquals(expected, TestEngine.searchIds(collection, TestEngine.exactNearest(origin, 9)));
    TestEngine.awaitLinked(collection);
    assertEquals(expected, TestEngine.searchIds(collection, TestEngine.nearest(origin, 9)));
  }

  @Test
  void equalDistancesAreInOrderOfIdBytes() throws Exception {
    Collection collection = createWithStringIds(2);
    TestRows rows = new TestRows();
    for (String id : List.of("é", "b", "ab", "a", "B", "\uD83D\uDE00", "\uFFFD")) {
      rows.addString(id, NOTHING, 1, 1);
    }
    TestEngine.insert(collection, rows);
    // Bytes of UTF-8, not UTF-16 units: U+FFFD comes before U+1F600.
    List<String> expected = List.of("B", "a", "ab", "b", "é", "\uFFFD", "\uD83D\uDE00");
    for (int round = 0; round < 2; round++) {
      SearchResult result =
          TestEngine.search(collection, TestEngine.nearest(new float[] {1, 1}, 10));
      List<String> ids = new ArrayList<>();
      for (int i = 0; i < result.count(); i++) {
        ids.add(TestEngine.stringId(collection, result.slot(i)));
      }
      assertEquals(expected, ids);
      TestEngine.awaitLinked(collection);
    }
  }

  @Test
  void maxDistanceCutsTheResult() throws Exception {
    Collection collection = create(2, Similarity.L2);
    TestRows rows = new TestRows();
    for (int id = 0; id < 20; id++) {
      rows.add(id, id, 0);
    }
    TestEngine.insert(collection, rows);
    TestEngine.awaitLinked(collection);
    for (boolean exact : new boolean[] {false, true}) {
      SearchRequest request = TestEngine.nearest(new float[2], 10);
      request.exact = exact;
      request.maxDistance = 9;
      assertEquals(List.of(0L, 1L, 2L, 3L), TestEngine.searchIds(collection, request));
      request.maxDistance = Math.nextDown(9f);
      assertEquals(List.of(0L, 1L, 2L), TestEngine.searchIds(collection, request));
      request.maxDistance = -1;
      assertEquals(List.of(), TestEngine.searchIds(collection, request));
    }
  }

  @Test
  void moreThanThereIsGivesAllThereIs() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 300, 8);
    Collection collection = create(8, Similarity.L2);
    TestEngine.insert(collection, TestRows.of(vectors));
    TestEngine.awaitLinked(collection);
    for (int k : new int[] {299, 300, 301, 5_000}) {
      SearchResult result = TestEngine.search(collection, TestEngine.nearest(vectors[0], k));
      TestEngine.assertNearest(
          collection, vectors[0], TestEngine.listOf(vectors), vectors, k, result);
    }
    TestEngine.delete(collection, 0, 1, 2, 3);
    SearchResult rest = TestEngine.search(collection, TestEngine.nearest(vectors[0], 5_000));
    TestEngine.assertNearest(
        collection, vectors[0], TestEngine.listOf(vectors).subList(4, 300), vectors, 5_000, rest);
    assertEquals(0, collection.stats(false).fallbackCount());
  }

  // ---- What is read back ---------------------------------------------------------------------

  @Test
  void stringIdsAndPayloadsComeBackByteForByte() throws Exception {
    Collection collection = createWithStringIds(2);
    List<String> ids = List.of("a", "é\u0000\uD83D\uDE00", "x".repeat(256));
    byte[] payload = new byte[65_536];
    random.nextBytes(payload);
    List<byte[]> payloads = List.of(NOTHING, payload, new byte[] {0});
    TestRows rows = new TestRows();
    for (int i = 0; i < 3; i++) {
      rows.addString(ids.get(i), payloads.get(i), i, i);
    }
    TestEngine.insert(collection, rows);
    for (int i = 0; i < 3; i++) {
      byte[] utf8 = ids.get(i).getBytes(StandardCharsets.UTF_8);
      int slot = collection.rows().find(utf8, 0, utf8.length);
      assertEquals(ids.get(i), TestEngine.stringId(collection, slot));
      byte[] read = new byte[collection.rows().payloadLength(slot)];
      assertEquals(read.length, collection.rows().copyPayload(slot, read, 0));
      assertArrayEquals(payloads.get(i), read);
    }
    byte[] unknown = {'b'};
    assertEquals(-1, collection.rows().find(unknown, 0, 1));
    assertEquals(1, collection.delete(new byte[][] {{'a'}, unknown}).deleted());
    TestEngine.await("deleted", () -> collection.rows().find(new byte[] {'a'}, 0, 1) < 0);
  }

  @Test
  void vectorsComeBackBitForBit() throws Exception {
    float[] vector = new float[19];
    for (int d = 0; d < vector.length; d++) {
      vector[d] = random.nextFloat() - 0.5f;
    }
    vector[0] = -0f;
    vector[1] = Float.MIN_VALUE;
    vector[2] = -1e18f;
    vector[18] = Math.nextUp(1f);
    byte[] payload = {1, 2, 3};
    Collection collection = create(19, Similarity.L2);
    TestEngine.insert(collection, new TestRows().addWithPayload(9, payload, vector));
    byte[] read = new byte[19 * 4 + 2];
    collection.rows().copyVector(collection.rows().find(9), read, 1);
    ByteBuffer floats = ByteBuffer.wrap(read, 1, 19 * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (float component : vector) {
      assertEquals(Float.floatToRawIntBits(component), floats.getInt());
    }
    assertEquals(0, read[0]);
    assertEquals(0, read[77]);
    assertThrows(IndexOutOfBoundsException.class, () -> collection.rows().copyVector(1, read, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> collection.rows().copyVector(-1, read, 0));
  }

  // ---- Figures -------------------------------------------------------------------------------

  private static CollectionStats checked(CollectionStats stats) {
    assertEquals(
        stats.liveCount(), stats.linkedCount() + stats.unlinkedCount() + stats.unbuiltCount());
    return stats;
  }

  @Test
  void statsCountEveryLiveRowOnce() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 700, 16);
    Collection collection = create(16, Similarity.L2);
    String empty = checked(collection.stats(true)).graphHash();
    assertNotNull(empty);
    collection.beginBuild();
    TestEngine.insert(collection, TestRows.of(vectors, 0, 300, 0));
    TestEngine.await("linked", () -> collection.stats(false).unlinkedCount() == 0);
    TestEngine.append(
        collection, TestRows.of(vectors, 300, 500, 300), WriteMode.UPSERT, Visibility.AFTER_BUILD);
    long[] dead = new long[70];
    Arrays.setAll(dead, i -> 250 + i);
    TestEngine.delete(collection, dead);
    CollectionStats stats = checked(collection.stats(true));
    assertEquals(430, stats.liveCount());
    assertEquals(70, stats.deletedCount());
    assertEquals(250, stats.linkedCount());
    assertEquals(0, stats.unlinkedCount());
    assertEquals(180, stats.unbuiltCount());
    assertNull(stats.graphHash(), "rows wait to be linked");
    assertEquals(3, stats.visibleSequence());
    assertEquals(3, stats.writtenSequence());

    collection.endBuild();
    TestEngine.awaitLinked(collection);
    stats = checked(collection.stats(true));
    assertEquals(430, stats.linkedCount());
    assertNotNull(stats.graphHash());
    assertFalse(empty.equals(stats.graphHash()));
    assertNull(collection.stats(false).graphHash(), "nobody asked");
    long searches = stats.searchCount();
    TestEngine.search(collection, TestEngine.nearest(vectors[0], 1));
    assertEquals(searches + 1, collection.stats(false).searchCount());
  }

  @Test
  void theDefaultBeamIsMeasured() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 3_000, 32);
    Collection collection = create(32, Similarity.L2);
    CollectionStats before = collection.stats(false);
    assertTrue(Double.isNaN(before.calibratedRecall()));
    assertEquals(128, before.defaultEf());
    TestEngine.insert(collection, TestRows.of(vectors, 0, 2_000, 0));
    TestEngine.awaitLinked(collection);
    CollectionStats stats = collection.stats(false);
    assertTrue(stats.calibratedRecall() >= 0.97, stats::toString);
    assertTrue(stats.defaultEf() >= 10 && stats.defaultEf() <= 1_280, stats::toString);
    SearchRequest request = TestEngine.nearest(vectors[0], 5);
    assertEquals(stats.defaultEf(), TestEngine.search(collection, request).ef);
    request.ef = 37;
    assertEquals(37, TestEngine.search(collection, request).ef);
  }
}
