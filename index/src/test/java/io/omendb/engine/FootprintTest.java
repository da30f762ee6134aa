package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.memory.AddressSpace;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.WriteMode;
import io.omendb.storage.file.DurableFiles;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a collection is told to take, and what it takes. */
class FootprintTest {
  /** Memory grows in steps of an eighth, of which the estimate knows nothing. */
  private static final double STEP = 1.13;

  private static final long POLL_NANOS = 200_000;

  private final Random random = TestEngine.random(FootprintTest.class);

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @ParameterizedTest
  @CsvSource({
    "12_000, 24, L2, MEMORY",
    "12_000, 160, INNER_PRODUCT, MEMORY",
    "30_000, 24, COSINE, SPEED",
    "30_000, 160, L2, MEMORY",
    "90_000, 24, L2, MEMORY",
    "90_000, 160, L2, SPEED"
  })
  void theEstimateIsWhatIsTaken(String rows, int dimension, Similarity similarity, Profile profile)
      throws Exception {
    int count = Integer.parseInt(rows.replace("_", ""));
    CollectionConfig config =
        new CollectionConfig(
            "things", dimension, similarity, IdKind.NUMERIC, 16, 40, 0.9, 0, profile);
    Footprint estimate = Footprint.of(config, count, 0, 0);
    float[][] vectors = TestEngine.clustered(random, count, dimension);
    CompletableFuture<Long> most;
    AtomicBoolean done = new AtomicBoolean();
    Footprint taken;
    try (Database database = TestEngine.open(directory)) {
      long before = AddressSpace.committedInAll();
      Collection collection = database.create(config);
      most = CompletableFuture.supplyAsync(() -> mostCommitted(done));
      collection.beginBuild();
      TestEngine.append(
          collection, TestRows.of(vectors, 0, count, 0), WriteMode.UPSERT, Visibility.AFTER_BUILD);
      collection.endBuild();
      TestEngine.awaitLinked(collection);
      TestEngine.await(
          "blocks",
          () -> collection.stats(false).footprint().index().blocks() >= estimate.index().blocks());
      done.set(true);
      taken = collection.stats(false).footprint();
      assertEquals(estimate.storage().vectors(), taken.storage().vectors());
      assertEquals(estimate.storage().rows(), taken.storage().rows());
      within(estimate.index().codes(), taken.index().codes(), STEP);
      within(estimate.index().graph(), taken.index().graph(), STEP);
      within(estimate.index().blocks(), taken.index().blocks(), STEP);
      within(estimate.memoryBytes(), taken.memoryBytes(), 1.1);
      long files = taken.storage().vectors() + taken.storage().rows();
      within(estimate.peakMemoryBytes(config, count), files + most.join() - before, 1.1);
    } finally {
      done.set(true);
    }
    long disk = DurableFiles.treeBytes(directory.resolve("collections/000001"));
    within(estimate.diskBytes(), disk, 1.1);
  }

  private static long mostCommitted(AtomicBoolean done) {
    long most = 0;
    while (!done.get()) {
      most = Math.max(most, AddressSpace.committedInAll());
      LockSupport.parkNanos(POLL_NANOS);
    }
    return most;
  }

  private static void within(long told, long taken, double factor) {
    System.err.printf("told %,d, taken %,d (%.3f)%n", told, taken, (double) taken / told);
    assertTrue(
        taken <= told * factor && told <= taken * factor,
        () -> "told " + told + ", taken " + taken + ", expected within " + factor);
  }
}
