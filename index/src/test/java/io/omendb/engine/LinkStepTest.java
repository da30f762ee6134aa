package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.Workers;
import io.omendb.storage.DataDirectory;
import io.omendb.storage.Durability;
import io.omendb.storage.StorageOptions;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The linker's steps over one collection, taken one by one. */
class LinkStepTest {
  private static final int ROWS = 4_000;
  private static final long CHECKPOINT_WAL_BYTES = 64 << 10;

  private final Random random = TestEngine.random(LinkStepTest.class);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  /** Else the log of a collection that is written all the time would grow without end. */
  @Test
  void theLogIsCutAlsoWhileRowsWaitToBeLinked() throws Exception {
    float[][] vectors = TestEngine.clustered(random, ROWS, 16);
    StorageOptions options =
        StorageOptions.defaults()
            .withDurability(new Durability.Os())
            .withCheckpointWalBytes(CHECKPOINT_WAL_BYTES);
    Collection collection;
    try (DataDirectory data = DataDirectory.open(directory, options);
        Workers workers = new Workers(1, "link")) {
      CollectionConfig config = CollectionConfig.of("things", 16, Similarity.L2);
      collection = Collection.open(data.create(config.toSchema(0)), workers, () -> {});
      for (int from = 0; from < ROWS; from += 100) {
        TestEngine.insert(collection, TestRows.of(vectors, from, from + 100, from));
      }
      long unchecked = collection.stats(false).walBytes();
      assertTrue(unchecked > CHECKPOINT_WAL_BYTES, "walBytes=" + unchecked);
      assertTrue(collection.linkStep());
      CollectionStats stats = collection.stats(false);
      assertTrue(stats.tailCount() > 0, stats::toString);
      assertEquals(collection.acknowledgedSequence(), stats.checkpointSequence());
      assertTrue(stats.walBytes() < CHECKPOINT_WAL_BYTES, stats::toString);
      while (collection.linkStep()) {
        // until nothing is due
      }
      stats = collection.stats(false);
      assertEquals(ROWS, stats.linkedCount());
      collection.close(true);
    }
    collection.freeIndex();
    try (Database database = TestEngine.open(directory)) {
      assertEquals(ROWS, database.collection("things").stats(false).linkedCount());
    }
  }
}
