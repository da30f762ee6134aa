package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.storage.StorageVerifier;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A start after a crash that finds rows which no image has. */
class RestartBacklogTest {
  private static final int DIMENSION = 8_192;

  /** Rows that searches may compare one by one. */
  private static final int LIMIT = 5_000_000 / DIMENSION;

  private final Random random = TestEngine.random(RestartBacklogTest.class);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path crashed;

  private static Collection create(Database database, int efConstruction) throws Exception {
    return database.create(
        new CollectionConfig(
            "things",
            DIMENSION,
            Similarity.L2,
            IdKind.NUMERIC,
            16,
            efConstruction,
            0.5,
            0,
            Profile.MEMORY));
  }

  private static void build(Collection collection, TestRows rows) throws Exception {
    TestEngine.append(collection, rows, WriteMode.UPSERT, Visibility.AFTER_BUILD);
  }

  /**
   * By a wide beam and by comparing all: the target recall is low here, so that little is
   * calibrated, and a default search may miss.
   */
  private static List<SearchRequest> searches(float[] vector) {
    SearchRequest wide = TestEngine.nearest(vector, 1);
    wide.ef = 1_000;
    return List.of(wide, TestEngine.exactNearest(vector, 1));
  }

  private static void assertFound(Collection collection, long id, float[] vector) {
    searches(vector).forEach(request -> assertFound(collection, id, request));
  }

  private static void assertFound(Collection collection, long id, SearchRequest request) {
    SearchResult result = TestEngine.search(collection, request);
    assertEquals(List.of(id), TestEngine.ids(collection, result));
    assertEquals(0, result.distance(0), 1e-3);
  }

  private static void assertNotFound(Collection collection, float[] vector) {
    for (SearchRequest request : searches(vector)) {
      SearchResult result = TestEngine.search(collection, request);
      assertTrue(result.count() == 0 || result.distance(0) > 1e-3, "a hidden row is found");
    }
  }

  @Test
  void rowsThatSearchesMayCompareAreFoundAtOnceAndWritersDoNotWaitForThem() throws Exception {
    float[][] vectors = TestEngine.clustered(random, LIMIT + 20, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database, 400);
      collection.beginBuild(); // so that nothing is linked
      build(collection, TestRows.of(vectors, 0, LIMIT, 0));
      TestEngine.delete(collection, 0, 5, 6, LIMIT - 1);
      TestEngine.copy(directory, crashed);
      collection.endBuild();
    }
    try (Database database = TestEngine.open(crashed, 1)) {
      Collection collection = database.collection("things");
      assertFalse(collection.unlinkedBufferFull());
      TestEngine.insert(collection, TestRows.of(vectors, LIMIT, LIMIT + 20, LIMIT));
      for (int id : new int[] {1, 7, LIMIT / 2, LIMIT - 2, LIMIT, LIMIT + 19}) {
        assertFound(collection, id, vectors[id]);
      }
      long unlinked = collection.stats(false).unlinkedCount();
      assertTrue(unlinked > LIMIT / 2, "linked before anything was tried: " + unlinked);
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      assertEquals(LIMIT + 16, collection.stats(false).linkedCount());
    }
  }

  /** Or each search would compare all of them, until they are built. */
  @Test
  void moreRowsOfABuildStayHiddenAndWhatTheyReplaceIsFound() throws Exception {
    int all = 2 * LIMIT;
    float[][] before = TestEngine.clustered(random, 40, DIMENSION);
    float[][] after = TestEngine.clustered(random, all, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database, 400);
      TestEngine.insert(collection, TestRows.of(before));
      TestEngine.delete(collection, 30, 31);
      collection.beginBuild();
      // The rows with ids below 10 are replaced twice.
      build(collection, TestRows.of(TestEngine.clustered(random, 10, DIMENSION)));
      build(collection, TestRows.of(after));
      TestEngine.delete(collection, 20, 21, all - 1);
      TestEngine.insert(collection, TestRows.of(after, 100, 110, 100)); // found at once
      TestEngine.copy(directory, crashed);
      collection.endBuild();
    }
    try (Database database = TestEngine.open(crashed, 1)) {
      Collection collection = database.collection("things");
      collection.beginBuild();
      assertTrue(collection.stats(false).unlinkedCount() <= LIMIT);
      for (int id : new int[] {0, 9, 10, 19, 39}) {
        assertFound(collection, id, before[id]);
        assertNotFound(collection, after[id]);
      }
      for (int gone : new int[] {20, 21, 30, 31}) {
        assertNotFound(collection, before[gone]);
      }
      assertFound(collection, 105, after[105]);
      assertNotFound(collection, after[99]);
      assertNotFound(collection, after[all - 1]);
      assertTrue(collection.searchableSequence() < collection.visibleSequence());
      collection.endBuild();
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      for (int id : new int[] {0, 9, 10, 30, 39, 99, 105, all - 2}) {
        assertFound(collection, id, after[id]);
      }
      assertNotFound(collection, before[9]);
      assertNotFound(collection, after[20]);
      assertEquals(all - 3, collection.stats(false).searchableCount());
      assertEquals(0, collection.stats(false).replacedCount());
      assertEquals(0, collection.stats(false).fallbackCount());
    }
  }

  /** A client that waited for its build finds it whatever happens then. */
  @Test
  void whatWasToldSearchableIsFoundAfterACrash() throws Exception {
    float[][] vectors = TestEngine.clustered(random, LIMIT + LIMIT / 2, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection = create(database, 40);
      AppendResult result = new AppendResult();
      collection.append(TestRows.of(vectors), WriteMode.UPSERT, Visibility.AFTER_BUILD, result);
      TestEngine.await("searchable", () -> collection.searchableSequence() >= result.lsn);
      TestEngine.copy(directory, crashed);
    }
    try (Database database = TestEngine.open(crashed, 1)) {
      Collection collection = database.collection("things");
      assertEquals(vectors.length, collection.stats(false).searchableCount());
      for (int id = 0; id < vectors.length; id += 50) {
        assertFound(collection, id, vectors[id]);
      }
    }
  }

  /** Or a start would find a share of the graph that searches must compare, however large it is. */
  @Test
  void whatIsLinkedIsAddedToTheImageBeforeItIsMoreThanSearchesMayCompare() throws Exception {
    int dimension = 2_048;
    int limit = 5_000_000 / dimension;
    int first = 12_000;
    int more = limit - 200; // less than a fifth of them
    float[][] vectors = TestEngine.clustered(random, first + more, dimension);
    String hash;
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(
              new CollectionConfig(
                  "things",
                  dimension,
                  Similarity.L2,
                  IdKind.NUMERIC,
                  8,
                  20,
                  0.5,
                  0,
                  Profile.MEMORY));
      build(collection, TestRows.of(vectors, 0, first, 0));
      TestEngine.awaitLinked(collection);
      collection.checkpoint();
      Path image = TestEngine.images(directory).getLast();
      long bytes = Files.size(image);
      TestEngine.insert(collection, TestRows.of(vectors, first, first + more, first));
      TestEngine.await("an addition to the image", () -> image.toFile().length() > bytes);
      TestEngine.awaitLinked(collection);
      collection.checkpoint(); // waits for one under way
      TestEngine.copy(directory, crashed);
      assertTrue(Files.size(image) < 1.5 * bytes, "the whole image was written again");
      TestEngine.awaitSound(collection);
      hash = TestEngine.graphHash(collection);
    }
    try (Database database = TestEngine.open(crashed, 1)) {
      Collection collection = database.collection("things");
      long unlinked = collection.stats(false).unlinkedCount();
      assertTrue(unlinked <= limit / 2, "rows without an image: " + unlinked);
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      // A graph of so few edges in so many dimensions misses one row in ten at ef 1,000.
      int last = first + more - 1;
      assertFound(collection, last, TestEngine.exactNearest(vectors[last], 1));
    }
    // An orderly stop adds the rest.
    try (Database database = TestEngine.open(directory, 1)) {
      Collection collection = database.collection("things");
      assertEquals(hash, collection.stats(true).graphHash());
      assertEquals(List.of(), collection.violations());
    }
  }

  @Test
  void aDamagedAdditionCostsOnlyWhatItAdded() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 1_000, 64);
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(
              new CollectionConfig(
                  "things", 64, Similarity.L2, IdKind.NUMERIC, 8, 40, 0.5, 0, Profile.MEMORY));
      build(collection, TestRows.of(vectors, 0, 900, 0));
      TestEngine.awaitLinked(collection);
    }
    long bytes = Files.size(TestEngine.images(directory).getLast());
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      TestEngine.insert(collection, TestRows.of(vectors, 900, 1_000, 900));
      TestEngine.awaitLinked(collection);
    }
    Path image = TestEngine.images(directory).getLast();
    assertTrue(Files.size(image) > bytes, "added to the same file");
    TestEngine.flip(image, bytes + 4_096 + 100);
    for (int start = 0; start < 2; start++) {
      try (Database database = TestEngine.open(directory)) {
        Collection collection = database.collection("things");
        TestEngine.awaitLinked(collection);
        TestEngine.awaitSound(collection);
        assertEquals(1_000, collection.stats(false).linkedCount());
        assertFound(collection, 950, vectors[950]);
      }
    }
    assertTrue(StorageVerifier.verify(directory).isClean(), "written anew");
  }
}
