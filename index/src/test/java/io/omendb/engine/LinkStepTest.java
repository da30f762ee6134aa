package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.Workers;
import io.omendb.storage.CollectionStore;
import io.omendb.storage.DataDirectory;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.FailureHandler;
import io.omendb.storage.api.StorageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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
      assertTrue(stats.unlinkedCount() > 0, stats::toString);
      assertEquals(collection.visibleSequence(), stats.checkpointSequence());
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

  /** An image may have been written after a batch and before the sweep that follows it. */
  @Test
  @Timeout(30) // after a minute a checkpoint is due
  void aLoadedGraphIsSwept() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection collection = database.create(CollectionConfig.of("things", 16, Similarity.L2));
      TestEngine.insert(collection, TestRows.of(TestEngine.clustered(random, 500, 16)));
      TestEngine.awaitLinked(collection);
    }
    Collection collection;
    try (DataDirectory data = DataDirectory.open(directory, StorageOptions.defaults());
        Workers workers = new Workers(1, "link")) {
      collection = Collection.open(data.openCollection("things"), workers, () -> {});
      assertEquals(500, collection.stats(false).linkedCount());
      Collection loaded = collection;
      TestEngine.await("a sweep", () -> step(loaded));
      assertFalse(step(loaded));
      collection.close(true);
    }
    collection.freeIndex();
  }

  /**
   * What goes wrong with one collection, here that its threads are gone, is its own affair: it is
   * told, its rows are found all the same, and its log is cut.
   */
  @Test
  void aCollectionThatCannotBeLinkedDoesNotKeepOthersFromIt() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 600, 16);
    StorageOptions options =
        StorageOptions.defaults()
            .withDurability(new Durability.Os())
            .withCheckpointWalBytes(CHECKPOINT_WAL_BYTES);
    Collection broken;
    Collection sound;
    try (DataDirectory data = DataDirectory.open(directory, options);
        Workers workers = new Workers(2, "link")) {
      Linker linker = new Linker(FailureHandler.NONE);
      Workers none = closedWorkers();
      CollectionConfig config = CollectionConfig.of("broken", 16, Similarity.L2);
      broken = Collection.open(data.create(config.toSchema(0)), none, linker::signal);
      config = CollectionConfig.of("sound", 16, Similarity.L2);
      sound = Collection.open(data.create(config.toSchema(0)), workers, linker::signal);
      linker.add(broken);
      linker.add(sound);
      TestEngine.insert(broken, TestRows.of(vectors));
      linker.start();
      TestEngine.insert(sound, TestRows.of(vectors));
      TestEngine.awaitLinked(sound);
      assertNull(sound.fault());
      Collection it = broken;
      TestEngine.await("a fault", () -> it.fault() != null);
      List<Long> ids = TestEngine.searchIds(broken, TestEngine.nearest(vectors[9], 1));
      assertEquals(List.of(9L), ids, "what is not linked is still found");
      for (int round = 0; round < 20; round++) {
        TestEngine.insert(broken, TestRows.of(vectors));
      }
      TestEngine.await(
          "the log to be cut", () -> it.stats(false).walBytes() < 2 * CHECKPOINT_WAL_BYTES);
      linker.close();
      broken.close(false);
      sound.close(false);
    }
    broken.freeIndex();
    sound.freeIndex();
  }

  /** Rows of a batch that could not be linked are linked once that is possible. */
  @Test
  void whatCouldNotBeLinkedIsTriedAgain() {
    UnlinkedBuffer buffer = new UnlinkedBuffer(1_000);
    buffer.publish(0, 100);
    int[] batch = new int[64];
    assertEquals(64, buffer.take(batch, 64));
    buffer.giveBack();
    assertEquals(64, buffer.take(batch, 64));
    buffer.linked(batch, 64);
    assertEquals(36, buffer.take(batch, 64));
    assertEquals(64, batch[0]);
    buffer.giveBack();
    buffer.publish(100, 110);
    assertEquals(46, buffer.take(batch, 64));
    buffer.linked(batch, 46);
    assertFalse(buffer.hasWork());
  }

  /** An Error is everybody's: the handler is told, and nobody waits for a thread that is gone. */
  @Test
  void anErrorOfTheLinkerIsTold() throws Exception {
    CompletableFuture<Throwable> told = new CompletableFuture<>();
    Linker linker = new Linker((what, cause) -> told.complete(cause));
    AssertionError error = new AssertionError("on purpose");
    try (DataDirectory data = DataDirectory.open(directory, StorageOptions.defaults());
        Workers workers = new Workers(1, "link")) {
      CollectionConfig config = CollectionConfig.of("things", 16, Similarity.L2);
      Collection collection =
          Collection.open(data.create(config.toSchema(0)), workers, linker::signal);
      collection.addWatermarkListener(() -> {
        if (Thread.currentThread().getName().startsWith(Linker.NAME)) {
          throw error;
        }
      });
      linker.add(collection);
      linker.start();
      TestEngine.insert(collection, TestRows.of(TestEngine.clustered(random, 600, 16)));
      assertSame(error, told.get(30, TimeUnit.SECONDS));
      linker.close();
      collection.close(false);
      collection.freeIndex();
    }
  }

  /** A calibration, a sweep or an image takes seconds: the writers of others must not wait. */
  @Test
  void aLongStepOfOneCollectionHoldsUpNoOther() throws Exception {
    try (Database database = TestEngine.open(directory)) {
      Collection busy = database.create(CollectionConfig.of("busy", 16, Similarity.L2));
      Collection other = database.create(CollectionConfig.of("other", 16, Similarity.L2));
      CountDownLatch entered = new CountDownLatch(1);
      CountDownLatch over = new CountDownLatch(1);
      busy.addWatermarkListener(() -> {
        if (Thread.currentThread().getName().startsWith(Linker.NAME)) {
          entered.countDown();
          awaitUnchecked(over);
        }
      });
      try {
        TestEngine.insert(busy, TestRows.of(TestEngine.clustered(random, 600, 16)));
        assertTrue(entered.await(1, TimeUnit.MINUTES));
        TestEngine.insert(other, TestRows.of(TestEngine.clustered(random, 600, 16)));
        TestEngine.awaitLinked(other);
      } finally {
        over.countDown();
      }
      TestEngine.awaitLinked(busy);
    }
  }

  /**
   * An image of millions of rows takes seconds: the collection's own writers do not wait either.
   */
  @Test
  @Timeout(120)
  void rowsAreLinkedWhileACheckpointIsWritten() throws Exception {
    float[][] vectors = TestEngine.clustered(random, 2_000, 16);
    Collection collection;
    try (DataDirectory data = DataDirectory.open(directory, StorageOptions.defaults());
        Workers workers = new Workers(1, "link")) {
      CollectionStore store =
          data.create(CollectionConfig.of("things", 16, Similarity.L2).toSchema(0));
      collection = Collection.open(store, workers, () -> {});
      CountDownLatch begun = new CountDownLatch(1);
      CountDownLatch over = new CountDownLatch(1);
      Thread other =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  store.checkpoint(sink -> {
                    begun.countDown();
                    awaitUnchecked(over);
                  });
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      assertTrue(begun.await(1, TimeUnit.MINUTES));
      Collection it = collection;
      TestEngine.insert(it, TestRows.of(vectors, 0, 1_000, 0));
      // Its image is due and waits for the one that is held up here.
      Thread image = Thread.ofPlatform().start(() -> stepUntil(it, 1_000));
      TestEngine.await("linked", () -> it.stats(false).linkedCount() == 1_000);
      TestEngine.await("in the checkpoint", () -> image.getState() == Thread.State.WAITING);
      TestEngine.insert(it, TestRows.of(vectors, 1_000, 2_000, 1_000));
      stepUntil(it, 2_000);
      over.countDown();
      other.join();
      image.join();
      it.close(true);
    }
    collection.freeIndex();
    try (Database database = TestEngine.open(directory)) {
      Collection opened = database.collection("things");
      TestEngine.awaitLinked(opened);
      TestEngine.awaitSound(opened);
      assertEquals(2_000, opened.stats(false).linkedCount());
    }
  }

  private static void stepUntil(Collection collection, int linked) {
    while (collection.stats(false).linkedCount() < linked || step(collection)) {
      step(collection);
    }
  }

  private static void awaitUnchecked(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static Workers closedWorkers() {
    try (Workers workers = new Workers(2, "none")) {
      return workers;
    }
  }

  private static boolean step(Collection collection) {
    try {
      return collection.linkStep();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
