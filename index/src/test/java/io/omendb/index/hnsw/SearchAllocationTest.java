package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.distance.ChildJvm;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Once its arrays have grown and its code is compiled, a search allocates nothing. */
class SearchAllocationTest {
  private static final int SEARCHES = 2000;

  @Test
  void searchesAllocateNothing() throws Exception {
    ChildJvm.Ended child = ChildJvm.run(Probe.class, "--add-modules=jdk.incubator.vector");
    for (Similarity similarity : Similarity.values()) {
      long bytes = Long.parseLong(child.value(similarity.name()));
      assertTrue(bytes < SEARCHES, () -> "bytes in 2,000 searches: " + child.output());
    }
  }

  /** Prints for each similarity the fewest bytes that 2,000 searches allocated, of some rounds. */
  static final class Probe {
    private static final int ROUNDS = 12;

    private Probe() {}

    public static void main(String[] args) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      for (Similarity similarity : Similarity.values()) {
        try (Workers workers = new Workers(1, "link");
            NativeRows rows = NativeRows.gaussian(100, 1500, 5);
            HnswIndex index = rows.build(similarity, workers)) {
          List<float[]> queries = rows.gaussianQueries(100, 6);
          SearchScratch scratch = new SearchScratch();
          TopK nearest = new TopK();
          long fewest = Long.MAX_VALUE;
          for (int round = 0; round < ROUNDS && fewest > 0; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < SEARCHES; i++) {
              int found = index.search(queries.get(i % 100), 40, scratch);
              nearest.reset(10);
              for (int j = 0; j < found; j++) {
                nearest.offer(j, HnswIndex.found(scratch, j));
              }
            }
            fewest = Math.min(fewest, threads.getCurrentThreadAllocatedBytes() - before);
          }
          System.out.println(similarity + "=" + fewest);
        }
      }
    }
  }
}
