package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.omendb.index.Similarity;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReachabilitySweepTest {
  private static final int SIZE = 2000;
  private static final int CUT = 50;

  private final long seed = Long.getLong("seed", System.nanoTime());

  @ParameterizedTest
  @CsvSource({"L2, 16", "L2, 4", "COSINE, 16", "INNER_PRODUCT, 16"})
  void nodesThatNobodyNamesAreNamedAgain(Similarity similarity, int m) {
    System.err.println("ReachabilitySweepTest seed=" + seed);
    try (NativeRows rows = NativeRows.gaussian(16, SIZE, seed);
        Workers workers = new Workers(1, "link")) {
      List<AutoCloseable> retired = new ArrayList<>();
      try (HnswIndex index = rows.index(similarity, m, workers, retired)) {
        rows.link(index, retired, 0, SIZE);
        index.sweep();
        boolean[] cut = chosen(index);
        removeEdges(index, (source, target) -> cut[target]);
        assertFalse(index.violations().isEmpty());
        // More than were cut where a node was reached through one of them only.
        int needed = index.sweep();
        assertTrue(needed >= CUT && needed < 2 * CUT, "needed=" + needed);
        assertEquals(List.of(), index.violations());
        assertEquals(0, index.sweep());
        if (similarity == Similarity.L2 && m == 16) {
          assertMostFindThemselves(rows, index, cut);
        }
      }
    }
  }

  /** Twenty million nodes would be 160 MB of a heap of 256. */
  @Test
  void whatGrowsWithTheNodesIsNotOnTheHeap() {
    int size = 10 * SIZE;
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (NativeRows rows = NativeRows.gaussian(4, size, seed);
        Workers workers = new Workers(1, "link");
        HnswIndex index = rows.build(Similarity.L2, workers)) {
      long before = threads.getCurrentThreadAllocatedBytes();
      assertEquals(0, index.sweep());
      long bytes = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(bytes < 4L * size, bytes + " bytes for " + size + " nodes");
    }
  }

  @Test
  void anIslandIsReachedAgainByFewEdges() {
    try (NativeRows rows = NativeRows.gaussian(16, SIZE, seed);
        Workers workers = new Workers(1, "link");
        HnswIndex index = rows.build(Similarity.L2, workers)) {
      boolean[] island = new boolean[SIZE];
      int first = (index.graph().entryNode() + 1) % SIZE;
      SearchScratch scratch = new SearchScratch();
      index.search(rows.vector(first), CUT, scratch);
      for (int i = 0; i < CUT; i++) {
        int node = HnswIndex.found(scratch, i);
        island[node] = node != index.graph().entryNode();
      }
      removeEdges(index, (source, target) -> island[target] && !island[source]);
      assertFalse(index.violations().isEmpty());
      int needed = index.sweep();
      assertTrue(needed >= 1 && needed < CUT, "needed=" + needed);
      assertEquals(List.of(), index.violations());
    }
  }

  /** Where every list is full, one edge is given up, none that the walk needs. */
  @Test
  void fullListsGiveUpAnEdgeThatNobodyNeeds() {
    try (NativeRows rows = NativeRows.gaussian(8, SIZE, seed);
        Workers workers = new Workers(1, "link")) {
      List<AutoCloseable> retired = new ArrayList<>();
      int m = 4;
      try (HnswIndex index = rows.index(Similarity.L2, m, workers, retired)) {
        rows.link(index, retired, 0, SIZE);
        boolean[] cut = chosen(index);
        removeEdges(index, (source, target) -> cut[target]);
        fillLists(index.graph(), node -> !cut[node]);
        int needed = index.sweep();
        assertTrue(needed >= CUT, "needed=" + needed);
        assertEquals(List.of(), index.violations());
      }
    }
  }

  /** One edge makes a node reachable; not every beam comes by it. */
  private static void assertMostFindThemselves(NativeRows rows, HnswIndex index, boolean[] asked) {
    SearchScratch scratch = new SearchScratch();
    int missed = 0;
    for (int node = 0; node < SIZE; node++) {
      if (asked[node]
          && rows.search(index, rows.vector(node), 1, 256, scratch).ordinal(0) != node) {
        missed++;
      }
    }
    assertTrue(missed <= CUT / 5, "missed=" + missed);
  }

  /** Nodes of level 0, not the entry. */
  private boolean[] chosen(HnswIndex index) {
    boolean[] chosen = new boolean[SIZE];
    int count = 0;
    for (int node : HnswIndexTest.shuffled(SIZE, seed)) {
      if (count < CUT && node != index.graph().entryNode()) {
        chosen[node] = true;
        count++;
      }
    }
    return chosen;
  }

  /** Which edges to remove. */
  private interface EdgePredicate {
    boolean test(int source, int target);
  }

  private static void removeEdges(HnswIndex index, EdgePredicate removed) {
    HnswGraph graph = index.graph();
    int[] list = new int[graph.maxDegree(0)];
    for (int node = 0; node < graph.bound(); node++) {
      int source = node;
      int degree = graph.neighbors(0, node, list);
      int[] kept =
          Arrays.stream(list, 0, degree).filter(target -> !removed.test(source, target)).toArray();
      graph.setNeighbors(0, node, kept, kept.length);
    }
  }

  private static void fillLists(HnswGraph graph, IntPredicate target) {
    int[] list = new int[graph.maxDegree(0)];
    for (int node = 0; node < graph.bound(); node++) {
      int degree = graph.neighbors(0, node, list);
      for (int step = 1; degree < list.length; step++) {
        int other = (node + step) % graph.bound();
        if (target.test(other) && other != node && !contains(list, degree, other)) {
          list[degree++] = other;
        }
      }
      graph.setNeighbors(0, node, list, degree);
    }
  }

  private static boolean contains(int[] list, int degree, int node) {
    return Arrays.stream(list, 0, degree).anyMatch(id -> id == node);
  }
}
