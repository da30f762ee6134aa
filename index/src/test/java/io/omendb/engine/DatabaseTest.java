package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.CollectionExistsException;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.LockedException;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DatabaseTest {
  private static final int DIMENSION = 24;
  private static final int ROWS = 3_000;

  private final Random random = TestEngine.random(DatabaseTest.class);
  private final float[][] vectors = TestEngine.clustered(random, ROWS, DIMENSION);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  private static CollectionConfig config(String name) {
    return CollectionConfig.of(name, DIMENSION, Similarity.L2);
  }

  private void build(Collection collection) throws Exception {
    collection.beginBuild();
    for (int from = 0; from < ROWS; from += 500) {
      TestEngine.append(
          collection,
          TestRows.of(vectors, from, from + 500, from),
          WriteMode.UPSERT,
          Visibility.AFTER_BUILD);
    }
    collection.endBuild();
    TestEngine.awaitLinked(collection);
  }

  /** Asserts that the rows but the dead are there, each of them found by a search for itself. */
  private void assertFinds(Collection collection, Set<Integer> dead) {
    assertEquals(ROWS - dead.size(), collection.rows().liveCount());
    for (int id = 0; id < ROWS; id++) {
      SearchRequest request = TestEngine.nearest(vectors[id], 1);
      request.ef = 200;
      List<Long> found = TestEngine.searchIds(collection, request);
      if (dead.contains(id)) {
        assertNotEquals(List.of((long) id), found);
        assertEquals(-1, collection.rows().find(id));
      } else {
        assertEquals(List.of((long) id), found);
      }
    }
  }

  // ---- Restarts ------------------------------------------------------------------------------

  @Test
  void aRestartKeepsRowsDeletesTheDefaultBeamAndTheGraph() throws Exception {
    CollectionStats before;
    long created;
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.create(config("things"));
      created = collection.createdMillis();
      build(collection);
      TestEngine.delete(collection, 3, 2_999);
      before = collection.stats(true);
    }
    for (int restart = 0; restart < 2; restart++) {
      try (Database database = TestEngine.open(directory)) {
        Collection collection = database.collection("things");
        CollectionStats after = collection.stats(true);
        assertEquals(ROWS - 2, after.linkedCount(), "the graph was loaded, not built");
        assertEquals(0, after.unlinkedCount());
        assertEquals(before.graphHash(), after.graphHash());
        assertEquals(before.calibration(), after.calibration());
        assertEquals(before.visibleSequence(), after.visibleSequence());
        assertEquals(config("things"), collection.config());
        assertEquals(created, collection.createdMillis());
        assertFinds(collection, Set.of(3, 2_999));
        TestEngine.awaitSound(collection);
      }
    }
  }

  @Test
  void rowsWrittenAfterARestartJoinTheGraph() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.create(config("things"));
      TestEngine.insert(collection, TestRows.of(vectors, 0, 2_000, 0));
      TestEngine.awaitLinked(collection);
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      TestEngine.insert(collection, TestRows.of(vectors, 2_000, ROWS, 2_000));
      TestEngine.awaitLinked(collection);
      assertFinds(collection, Set.of());
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      assertEquals(ROWS, collection.stats(false).linkedCount());
      assertFinds(collection, Set.of());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"missing", "first byte", "middle", "last byte", "short"})
  void aLostImageIsBuiltAnew(String damage) throws Exception {
    try (Database database = TestEngine.open(directory)) {
      build(database.create(config("things")));
      TestEngine.delete(database.collection("things"), 42);
    }
    List<Path> images = TestEngine.images(directory);
    assertFalse(images.isEmpty());
    for (Path image : images) {
      long size = Files.size(image);
      switch (damage) {
        case "missing" -> Files.delete(image);
        case "first byte" -> TestEngine.flip(image, 0);
        case "middle" -> TestEngine.flip(image, size / 2);
        case "last byte" -> TestEngine.flip(image, size - 1);
        default -> {
          byte[] half = Arrays.copyOf(Files.readAllBytes(image), (int) size / 2);
          Files.write(image, half);
        }
      }
    }
    try (Database database = TestEngine.open(directory)) {
      assertTrue(database.quarantined().isEmpty(), "rows are whole, so they are served");
      Collection collection = database.collection("things");
      assertFinds(collection, Set.of(42));
      TestEngine.awaitLinked(collection);
      assertFinds(collection, Set.of(42));
      TestEngine.awaitSound(collection);
    }
    try (Database database = TestEngine.open(directory)) {
      CollectionStats stats = database.collection("things").stats(false);
      assertEquals(ROWS - 1, stats.linkedCount(), "the new image was kept");
    }
  }

  /** A directory where a file should be stands for whatever else keeps one from being read. */
  @ParameterizedTest
  @ValueSource(strings = {"MANIFEST", "vectors", "tombstones", "wal/"})
  void aCollectionThatCannotBeOpenedLeavesTheOthers(String kind) throws Exception {
    try (Database database = TestEngine.open(directory)) {
      build(database.create(config("broken")));
      TestEngine.insert(database.create(config("whole")), TestRows.of(vectors, 0, 10, 0));
    }
    Path broken = directory.resolve("collections/000001");
    for (Path file : TestEngine.files(broken)) {
      if (broken.relativize(file).toString().startsWith(kind)) {
        Files.delete(file);
        Files.createDirectory(file);
      }
    }
    try (Database database = TestEngine.open(directory)) {
      assertEquals(Set.of("broken"), database.quarantined().keySet());
      assertThrows(CollectionQuarantinedException.class, () -> database.collection("broken"));
      assertEquals(10, database.collection("whole").rows().liveCount());
      database.drop("broken");
      assertTrue(database.quarantined().isEmpty());
      assertEquals(0, database.create(config("broken")).rows().liveCount());
    }
  }

  @Test
  void anImageThatCannotBeReadIsBuiltAnew() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      build(database.create(config("things")));
    }
    for (Path image : TestEngine.images(directory)) {
      Files.delete(image);
      Files.createDirectory(image);
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      TestEngine.awaitLinked(collection);
      assertFinds(collection, Set.of());
    }
  }

  @Test
  void unlinkedRowsAreServedRightAfterACrash() throws Exception {
    Path live = directory.resolve("live");
    Path copy = directory.resolve("copy");
    try (Database database = TestEngine.open(live)) {
      Collection collection = database.create(config("things"));
      TestEngine.insert(collection, TestRows.of(vectors, 0, 500, 0));
      collection.beginBuild(); // keeps the rest unlinked
      TestEngine.append(
          collection,
          TestRows.of(vectors, 500, ROWS, 500),
          WriteMode.UPSERT,
          Visibility.AFTER_BUILD);
      TestEngine.delete(collection, 7, 1_000);
      TestEngine.copy(live, copy);
    }
    try (Database database = TestEngine.open(copy)) {
      Collection collection = database.collection("things");
      SearchResult first =
          TestEngine.search(collection, TestEngine.exactNearest(vectors[2_000], 1));
      assertEquals(List.of(2_000L), TestEngine.ids(collection, first));
      assertEquals(collection.visibleSequence(), collection.searchableSequence());
      assertFinds(collection, Set.of(7, 1_000));
      TestEngine.awaitLinked(collection);
      assertFinds(collection, Set.of(7, 1_000));
    }
  }

  @Test
  void everythingAcknowledgedSurvivesACrash() throws Exception {
    Path live = directory.resolve("live");
    Path copy = directory.resolve("copy");
    try (Database database = TestEngine.open(live)) {
      Collection collection = database.create(config("things"));
      for (int from = 0; from < ROWS; from += 100) {
        TestEngine.insert(collection, TestRows.of(vectors, from, from + 100, from));
      }
      TestEngine.delete(collection, 1, 2, 3);
      TestEngine.copy(live, copy); // in the midst of linking
    }
    try (Database database = TestEngine.open(copy)) {
      assertFinds(database.collection("things"), Set.of(1, 2, 3));
    }
  }

  @Test
  void equalInputMakesEqualGraphs() throws Exception {
    List<String> hashes = new ArrayList<>();
    for (int threads : new int[] {1, 2, 2}) {
      Path path = directory.resolve("run" + hashes.size());
      try (Database database = TestEngine.open(path, threads)) {
        Collection collection = database.create(config("things"));
        build(collection);
        hashes.add(TestEngine.graphHash(collection));
      }
    }
    assertEquals(hashes.get(0), hashes.get(1), "1 and 2 threads");
    assertEquals(hashes.get(1), hashes.get(2), "2 threads, twice");
    try (Database database = TestEngine.open(directory.resolve("other"))) {
      Collection collection = database.create(config("things"));
      vectors[17][3] += 1;
      build(collection);
      assertNotEquals(hashes.get(0), TestEngine.graphHash(collection));
    }
  }

  // ---- Damage --------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"vectors-00000", "rows-00000", "heap-00000"})
  void aDamagedCollectionIsQuarantinedAndTheOthersServe(String file) throws Exception {
    try (Database database = TestEngine.open(directory)) {
      byte[] payload = {1, 2, 3, 4, 5, 6, 7, 8};
      for (String name : List.of("bad", "good")) {
        Collection collection = database.create(config(name));
        TestRows rows = new TestRows();
        for (int id = 0; id < 200; id++) {
          rows.addWithPayload(id, payload, vectors[id]);
        }
        TestEngine.insert(collection, rows);
      }
    }
    Path damaged = TestEngine.collectionDirectory(directory, 0).resolve(file);
    TestEngine.flip(damaged, 150);
    for (int restart = 0; restart < 2; restart++) {
      try (Database database = TestEngine.open(directory)) {
        CollectionQuarantinedException e =
            assertThrows(CollectionQuarantinedException.class, () -> database.collection("bad"));
        CorruptFileException damage = assertInstanceOf(CorruptFileException.class, e.damage());
        assertEquals(damaged.toString(), damage.file());
        assertEquals(0, damage.offset(), "the block of 1 MiB");
        String message = String.valueOf(e.getMessage());
        assertTrue(message.contains(damaged + " at offset 0"), message);
        assertEquals(Set.of("bad"), database.quarantined().keySet());

        Collection good = database.collection("good");
        assertEquals(List.of(good), database.collections());
        assertEquals(List.of(77L), TestEngine.searchIds(good, TestEngine.nearest(vectors[77], 1)));
        TestEngine.insert(good, TestRows.of(vectors, 0, 10, 1_000 + restart * 10));
        assertThrows(CollectionExistsException.class, () -> database.create(config("bad")));
      }
    }
    try (Database database = TestEngine.open(directory)) {
      database.drop("bad");
      assertTrue(database.quarantined().isEmpty());
      assertFalse(Files.exists(damaged.getParent()));
      database.create(config("bad"));
      assertEquals(0, database.collection("bad").rows().liveCount());
    }
  }

  // ---- Collections ---------------------------------------------------------------------------

  @Test
  void aDroppedCollectionIsGone() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection dropped = database.create(config("dropped"));
      Collection kept = database.create(config("kept"));
      TestEngine.insert(dropped, TestRows.of(vectors, 0, 2_000, 0));
      TestEngine.insert(kept, TestRows.of(vectors, 0, 10, 0));
      assertEquals(2, TestEngine.list(directory.resolve("collections")).size());
      database.drop("dropped"); // while it is being linked

      assertEquals(1, TestEngine.list(directory.resolve("collections")).size());
      assertEquals(List.of(kept), database.collections());
      assertThrows(CollectionNotFoundException.class, () -> database.collection("dropped"));
      assertThrows(CollectionNotFoundException.class, () -> database.drop("dropped"));
      assertThrows(CollectionNotFoundException.class, () -> database.drop("never"));
      assertFalse(dropped.acquire());
      assertThrows(CollectionNotFoundException.class, () -> dropped.stats(true));
      assertThrows(CollectionNotFoundException.class, () -> dropped.delete(new long[] {1}));
      assertThrows(
          CollectionNotFoundException.class,
          () ->
              dropped.append(
                  TestRows.of(vectors, 0, 1, 0),
                  WriteMode.UPSERT,
                  Visibility.AFTER_BUILD,
                  new AppendResult()));
      CollectionNotFoundException e =
          assertThrows(
              CollectionNotFoundException.class,
              () ->
                  dropped.append(
                      TestRows.of(vectors, 0, 1, 0),
                      WriteMode.UPSERT,
                      Visibility.IMMEDIATE,
                      new AppendResult()));
      assertEquals("collection dropped does not exist", e.getMessage());
      assertEquals(10, kept.rows().liveCount());

      Collection again = database.create(config("dropped"));
      assertEquals(0, again.rows().liveCount());
    }
    try (Database database = TestEngine.open(directory)) {
      assertEquals(2, database.collections().size());
      assertEquals(0, database.collection("dropped").rows().liveCount());
    }
  }

  @Test
  void aNameIsTakenOnce() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection first = database.create(config("things"));
      TestEngine.insert(first, TestRows.of(vectors, 0, 10, 0));
      assertThrows(
          CollectionExistsException.class,
          () -> database.create(CollectionConfig.of("things", 8, Similarity.COSINE)));
      assertEquals(first, database.collection("things"));
      assertEquals(DIMENSION, database.collection("things").config().dimension());
      assertEquals(10, first.rows().liveCount());
    }
  }

  @Test
  void aDirectoryIsOpenOnce() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      assertThrows(LockedException.class, () -> TestEngine.open(directory));
      assertEquals(List.of(), database.collections());
    }
    TestEngine.open(directory).close();
  }

  @Test
  void closeWaitsForLeases() throws Exception {
    Database database = TestEngine.open(directory);
    Collection collection = database.create(config("things"));
    TestEngine.insert(collection, TestRows.of(vectors, 0, 100, 0));
    assertTrue(collection.acquire());
    Thread closer =
        Thread.ofPlatform()
            .start(() -> {
              try {
                database.close();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    TestEngine.await(
        "no more leases",
        () -> {
          boolean leased = collection.acquire();
          if (leased) {
            collection.release();
          }
          return !leased;
        });
    SearchResult result = new SearchResult();
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(500); // a close takes less
    for (int i = 0; System.nanoTime() < end; i++) {
      int id = i % 100;
      collection.search(TestEngine.nearest(vectors[id], 1), new SearchScratch(), result);
      assertEquals(id, collection.rows().numericId(result.slot(0)));
    }
    assertTrue(closer.isAlive(), "closed under a lease");
    collection.release();
    closer.join(60_000);
    assertFalse(closer.isAlive());
    assertFalse(collection.acquire());
    database.close(); // twice is once
  }

  @Test
  void closesWhileThreadsSearchAndWrite() throws Exception {
    Database database = TestEngine.open(directory);
    Collection collection = database.create(config("things"));
    TestEngine.insert(collection, TestRows.of(vectors, 0, 2_000, 0));
    AtomicInteger searches = new AtomicInteger();
    AtomicInteger acknowledged = new AtomicInteger(2_000);
    Callable<Void> searcher =
        () -> {
          SearchScratch scratch = new SearchScratch();
          SearchResult result = new SearchResult();
          while (collection.acquire()) {
            try {
              int id = searches.getAndIncrement() % 2_000;
              SearchRequest request = TestEngine.nearest(vectors[id], 1);
              request.ef = 200;
              collection.search(request, scratch, result);
              assertEquals(id, collection.rows().numericId(result.slot(0)));
            } finally {
              collection.release();
            }
          }
          return null;
        };
    Callable<Void> writer =
        () -> {
          AppendResult result = new AppendResult();
          for (int id = 2_000; id < ROWS; id++) {
            try {
              collection.append(
                  TestRows.of(vectors, id, id + 1, id),
                  WriteMode.UPSERT,
                  Visibility.IMMEDIATE,
                  result);
            } catch (CollectionNotFoundException closed) {
              return null;
            }
            acknowledged.set(id + 1);
          }
          return null;
        };
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<Void>> running = new ArrayList<>();
      for (Callable<Void> task : List.of(searcher, searcher, writer)) {
        running.add(threads.submit(task));
      }
      TestEngine.await(
          "searches and writes", () -> searches.get() > 200 && acknowledged.get() > 2_050);
      database.close();
      for (Future<Void> task : running) {
        task.get();
      }
    }
    try (Database again = TestEngine.open(directory)) {
      long live = again.collection("things").rows().liveCount();
      assertEquals(acknowledged.get(), live, "what append accepted before the close is kept");
    }
  }

  @Test
  void aClosedDatabaseRefusesToCreateAndToDrop() throws Exception {
    Database database = TestEngine.open(directory);
    database.create(config("things"));
    database.close();
    assertThrows(CollectionNotFoundException.class, () -> database.collection("things"));
    assertThrows(IllegalStateException.class, () -> database.create(config("others")));
    assertThrows(IllegalStateException.class, () -> database.drop("things"));
    try (Database again = TestEngine.open(directory)) {
      assertEquals(1, again.collections().size());
    }
  }

  @Test
  void linkerThreadsHaveBounds() {
    for (int threads : new int[] {0, 257}) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> TestEngine.open(directory, threads));
      assertEquals("linkerThreads=" + threads + ", expected 1..256", e.getMessage());
    }
  }
}
