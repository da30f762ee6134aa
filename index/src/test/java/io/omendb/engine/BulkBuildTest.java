package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A build of many rows at once beside whatever else goes on in its collection. */
class BulkBuildTest {
  private static final int DIMENSION = 16;
  private static final int OTHERS = 1_000;
  private static final int BUILT = 50_000;

  private final Random random = TestEngine.random(BulkBuildTest.class);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  private static boolean isFound(Collection collection, float[] vector) {
    SearchResult result = TestEngine.search(collection, TestEngine.nearest(vector, 1));
    return result.count() == 1 && result.distance(0) == 0;
  }

  /** Rows linked before, rows that come meanwhile, and rows that are deleted meanwhile. */
  @Test
  void noRowIsMissedWhileAGraphTakesThePlaceOfAnother() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 2 * OTHERS + BUILT, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
      TestEngine.insert(collection, TestRows.of(vectors, 0, OTHERS, 0));
      TestEngine.awaitLinked(collection);
      collection.beginBuild();
      int from = 2 * OTHERS;
      TestEngine.append(
          collection,
          TestRows.of(vectors, from, from + BUILT, from),
          WriteMode.UPSERT,
          Visibility.AFTER_BUILD);
      collection.endBuild();
      int arrived = OTHERS;
      int searches = 0;
      while (collection.stats(false).unbuiltCount() > 0 || arrived < 2 * OTHERS) {
        if (arrived < 2 * OTHERS) {
          TestEngine.insert(collection, TestRows.of(vectors, arrived, arrived + 20, arrived));
          arrived += 20;
          TestEngine.delete(collection, from + arrived);
        }
        for (int i = 0; i < 50; i++) {
          int row = random.nextInt(arrived);
          assertTrue(isFound(collection, vectors[row]), "row " + row + " of " + arrived);
          searches++;
        }
      }
      System.err.println(searches + " searches beside the build");
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      CollectionStats stats = collection.stats(false);
      int deleted = OTHERS / 20;
      assertEquals(2 * OTHERS + BUILT - deleted, stats.searchableCount());
      int missed = 0;
      for (int row = 0; row < vectors.length; row += 7) {
        boolean gone =
            row >= from + OTHERS + 20 && row <= from + 2 * OTHERS && (row - from) % 20 == 0;
        missed += isFound(collection, vectors[row]) == gone ? 1 : 0;
      }
      assertTrue(missed <= vectors.length / 7 / 200, missed + " of " + vectors.length / 7);
    }
  }

  /** Its rows are durable, and what was done for them is done again. */
  @Test
  void aBuildThatAStopCutsShortIsMadeAgain() throws Exception {
    float[][] vectors = TestEngine.clustered(random, BUILT, DIMENSION);
    try (Database database = TestEngine.open(directory)) {
      Collection collection =
          database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
      collection.beginBuild();
      TestEngine.append(collection, TestRows.of(vectors), WriteMode.UPSERT, Visibility.AFTER_BUILD);
      collection.endBuild();
    }
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.collection("things");
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      assertEquals(BUILT, collection.stats(false).linkedCount());
      assertTrue(isFound(collection, vectors[BUILT - 1]));
    }
  }
}
