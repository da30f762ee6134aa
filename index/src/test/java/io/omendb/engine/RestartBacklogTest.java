package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.WriteMode;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A start that finds more rows without an image than writers may leave unlinked. */
class RestartBacklogTest {
  private static final int DIMENSION = 8_192;
  private static final int ROWS = 2 * 5_000_000 / DIMENSION;

  private final Random random = TestEngine.random(RestartBacklogTest.class);

  @Test
  void writersDoNotWaitForIt(@TempDir Path first, @TempDir Path crashed) throws Exception {
    float[][] vectors = TestEngine.clustered(random, ROWS + 20, DIMENSION);
    try (Database database = TestEngine.open(first)) {
      Collection collection =
          database.create(
              new CollectionConfig(
                  "things", DIMENSION, Similarity.L2, IdKind.NUMERIC, 16, 400, 0.5, 0));
      collection.beginBuild(); // so that nothing is linked
      TestEngine.append(
          collection, TestRows.of(vectors, 0, ROWS, 0), WriteMode.UPSERT, Visibility.AFTER_BUILD);
      TestEngine.delete(collection, 0, 5, 6, ROWS - 1);
      TestEngine.copy(first, crashed);
      collection.endBuild();
    }
    try (Database database = TestEngine.open(crashed, 1)) {
      Collection collection = database.collection("things");
      assertFalse(collection.unlinkedBufferFull());
      TestEngine.insert(collection, TestRows.of(vectors, ROWS, ROWS + 20, ROWS));
      for (int id : new int[] {1, 7, ROWS / 2, ROWS - 2, ROWS, ROWS + 19}) {
        assertEquals(
            List.of((long) id),
            TestEngine.searchIds(collection, TestEngine.nearest(vectors[id], 1)));
      }
      long unlinked = collection.stats(false).unlinkedCount();
      assertTrue(unlinked > ROWS / 2, "linked before anything was tried: " + unlinked);
      TestEngine.awaitLinked(collection);
      TestEngine.awaitSound(collection);
      assertEquals(ROWS + 16, collection.stats(false).linkedCount());
    }
  }
}
