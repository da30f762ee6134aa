package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What is known of a list that is pruned anew changes the work, not the outcome. */
class NeighborSelectorTest {
  private static final int COUNT = 2_000;
  private static final int LIMIT = 32;
  private static final int FILL = NeighborSelector.usualFill(LIMIT);

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);

  @Test
  void keptCandidatesAreSelectedAsAllOthers() {
    System.err.println("NeighborSelectorTest seed=" + seed);
    try (Workers workers = new Workers(1, "link");
        NativeRows rows = NativeRows.gaussian(24, COUNT, seed);
        HnswIndex index = rows.buildAtOnce(Similarity.L2, workers)) {
      CodeTable codes = index.codes();
      NeighborSelector selector = new NeighborSelector(LIMIT);
      int dropped = 0;
      for (int node = 0; node < 200; node++) {
        int mask = BatchLinker.tieMask(node);
        int[] list = new int[LIMIT];
        long[] keys = keys(codes, node, 200, 1_000, 60, mask);
        // Without what fills the list: only those that occlude nobody in it.
        int kept = selector.select(codes, keys, keys.length, mask, LIMIT, 0, list);
        long[] marked = Arrays.copyOf(keys(codes, node, 1_000, COUNT, 30, mask), 30 + kept);
        for (int i = 0; i < kept; i++) {
          marked[30 + i] = NeighborSelector.kept(key(codes, node, list[i], mask));
        }
        Arrays.sort(marked); // where distances are equal, marks count
        long[] unmarked = LongStream.of(marked).map(key -> key & ~(1L << 31)).toArray();
        int[] expected = new int[LIMIT];
        int[] actual = new int[LIMIT];
        int n = selector.select(codes, unmarked, unmarked.length, mask, LIMIT, FILL, expected);
        int m = selector.select(codes, marked, marked.length, mask, LIMIT, FILL, actual);
        assertArrayEquals(Arrays.copyOf(expected, n), Arrays.copyOf(actual, m), "node " + node);
        for (int i = 0; i < kept; i++) {
          dropped += NeighborSelector.contains(actual, m, list[i]) ? 0 : 1;
        }
      }
      assertTrue(dropped > 0, "none that was kept was occluded by a new one");
    }
  }

  /** Random candidates, the nearer half of twice as many, none twice. */
  private long[] keys(CodeTable codes, int node, int from, int to, int count, int mask) {
    long[] keys =
        random
            .ints(from, to)
            .distinct()
            .limit(2L * count)
            .mapToLong(candidate -> key(codes, node, candidate, mask))
            .sorted()
            .toArray();
    return Arrays.copyOf(keys, count);
  }

  private static long key(CodeTable codes, int node, int candidate, int mask) {
    int distance = Kernels.squaredL2(codes.row(node), codes.row(candidate), codes.dims());
    return BatchLinker.masked(HnswSearcher.key(distance, candidate), mask);
  }
}
