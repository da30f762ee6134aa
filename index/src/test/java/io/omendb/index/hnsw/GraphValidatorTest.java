package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Each invariant, broken once. */
class GraphValidatorTest {
  private static final int SIZE = 600;

  @Test
  void aNodeThatNamesItself() {
    assertReports("node 5 names 5, itself", graph -> graph.setNeighbors(0, 5, new int[] {5}, 1));
  }

  @Test
  void aNodeNamedTwice() {
    assertReports("names 7 twice", graph -> graph.setNeighbors(0, 5, new int[] {7, 9, 7}, 3));
  }

  @Test
  void aNameBeyondTheBound() {
    assertReports(
        "node 5 names " + (SIZE + 10) + ", which is not on that level",
        graph -> graph.setNeighbors(0, 5, new int[] {SIZE + 10}, 1));
  }

  @Test
  void aNameOfANodeThatIsNotOnTheLevel() {
    assertReports(
        "which is not on that level",
        graph -> {
          int low = 0;
          while (graph.levelOf(low) > 0) {
            low++;
          }
          graph.setNeighbors(1, graph.entryNode(), new int[] {low}, 1);
        });
  }

  @Test
  void anEntryBelowTheTop() {
    assertReports("the entry's level is 0", graph -> graph.setEntry(graph.entryNode(), 0));
  }

  @Test
  void anEntryThatLeadsNowhere() {
    assertReports(
        "is not reached from the entry",
        graph -> graph.setNeighbors(0, graph.entryNode(), new int[0], 0));
  }

  private static void assertReports(String expected, Consumer<HnswGraph> damage) {
    try (NativeRows rows = NativeRows.gaussian(16, SIZE, 1);
        Workers workers = new Workers(1, "link");
        HnswIndex index = rows.build(Similarity.L2, workers)) {
      assertEquals(List.of(), index.violations());
      damage.accept(index.graph());
      List<String> violations = index.violations();
      assertTrue(violations.stream().anyMatch(v -> v.contains(expected)), violations.toString());
    }
  }
}
