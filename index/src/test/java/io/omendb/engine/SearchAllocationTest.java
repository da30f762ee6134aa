package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.omendb.index.SiftSmall;
import io.omendb.index.Similarity;
import io.omendb.index.distance.ChildJvm;
import io.omendb.index.distance.KernelSelfTest;
import io.omendb.index.hnsw.Scoring;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.storage.api.IdKind;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A search of a collection allocates nothing, once its holders have grown to what is asked. */
class SearchAllocationTest {
  private static final int SEARCHES = 2_000;

  @Test
  void searchesAllocateNothing(@TempDir Path directory) throws Exception {
    ChildJvm.Ended child =
        ChildJvm.run(
            Probe.class,
            "--add-modules=jdk.incubator.vector",
            "--sun-misc-unsafe-memory-access=allow",
            "-Ddirectory=" + directory);
    for (String kind : new String[] {"unlinked", "graph", "exact", "vectors", "blocks"}) {
      long bytes = Long.parseLong(child.value(kind));
      assertTrue(bytes < SEARCHES, () -> "bytes in 2,000 searches: " + child.output());
    }
  }

  /** Prints the fewest bytes that 2,000 searches allocated, of some rounds. */
  static final class Probe {
    private static final int ROWS = 1_000;
    private static final int DIMENSION = 48;
    private static final int ROUNDS = 12;

    private Probe() {}

    public static void main(String[] args) throws Exception {
      KernelSelfTest.compile(() -> false); // as the server does before it serves
      float[][] vectors = TestEngine.clustered(new Random(7), ROWS, DIMENSION);
      try (Database database = TestEngine.open(Path.of(System.getProperty("directory")))) {
        Collection collection =
            database.create(CollectionConfig.of("things", DIMENSION, Similarity.L2));
        TestEngine.insert(collection, TestRows.of(vectors, 0, ROWS / 2, 0));
        System.out.println("unlinked=" + fewest(collection, vectors, false));
        TestEngine.insert(collection, TestRows.of(vectors, ROWS / 2, ROWS, ROWS / 2));
        TestEngine.awaitLinked(collection);
        System.out.println("graph=" + fewest(collection, vectors, false));
        System.out.println("exact=" + fewest(collection, vectors, true));
        float[][] close = Arrays.stream(vectors).map(float[]::clone).toArray(float[][]::new);
        for (int i = 0; i < ROWS; i++) {
          for (int j = 0; j < DIMENSION; j++) {
            close[i][j] = vectors[i % 20][j] + 1e-3f * close[i][j];
          }
        }
        Collection tight = database.create(CollectionConfig.of("tight", DIMENSION, Similarity.L2));
        TestEngine.insert(tight, TestRows.of(close));
        TestEngine.awaitLinked(tight);
        if (tight.stats(false).calibration().scoring() != Scoring.VECTORS) {
          throw new IllegalStateException("codes do: " + tight.stats(false));
        }
        System.out.println("vectors=" + fewest(tight, close, false));
        Collection fast =
            database.create(
                new CollectionConfig(
                    "fast", 128, Similarity.L2, IdKind.NUMERIC, 16, 100, 0.99, 0, Profile.SPEED));
        float[][] many = SiftSmall.base();
        TestEngine.insert(fast, TestRows.of(many));
        TestEngine.awaitLinked(fast);
        TestEngine.await(
            "searches by blocks",
            () -> fast.stats(false).calibration().scoring() == Scoring.BLOCKS);
        System.out.println("blocks=" + fewest(fast, many, false));
      }
    }

    private static long fewest(Collection collection, float[][] vectors, boolean exact) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      SearchScratch scratch = new SearchScratch();
      SearchResult result = new SearchResult();
      SearchRequest request = TestEngine.nearest(vectors[0], 10);
      request.exact = exact;
      long fewest = Long.MAX_VALUE;
      for (int round = 0; round < ROUNDS && fewest > 0; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < SEARCHES; i++) {
          request.query = vectors[i % ROWS];
          collection.acquire();
          collection.search(request, scratch, result);
          collection.release();
        }
        fewest = Math.min(fewest, threads.getCurrentThreadAllocatedBytes() - before);
      }
      return fewest;
    }
  }
}
