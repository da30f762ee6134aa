package io.omendb.index.hnsw;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Checks the invariants that {@link HnswGraph} states, in its order. The graph must not change
 * meanwhile.
 */
public final class GraphValidator {
  private static final int MAX_REPORTED = 20;

  private final HnswGraph graph;
  private final List<String> violations = new ArrayList<>();

  private GraphValidator(HnswGraph graph) {
    this.graph = graph;
  }

  /** Returns the first violations in words; empty when the graph is sound. */
  public static List<String> violations(HnswGraph graph) {
    GraphValidator validator = new GraphValidator(graph);
    validator.checkLists();
    validator.checkEntry();
    validator.checkReachability();
    return validator.violations;
  }

  private void checkLists() {
    int[] list = new int[graph.maxDegree(0)];
    for (int node = 0; node < graph.bound(); node++) {
      for (int level = 0; level <= graph.levelOf(node); level++) {
        int degree = graph.neighbors(level, node, list);
        Arrays.sort(list, 0, degree);
        for (int i = 0; i < degree; i++) {
          int id = list[i];
          String where = "level " + level + " node " + node + " names " + id;
          if (id >= graph.bound() || graph.levelOf(id) < level) {
            report(where + ", which is not on that level");
          } else if (id == node) {
            report(where + ", itself");
          } else if (i > 0 && list[i - 1] == id) {
            report(where + " twice");
          }
        }
      }
    }
  }

  private void checkEntry() {
    int top = -1;
    for (int node = 0; node < graph.bound(); node++) {
      top = Math.max(top, graph.levelOf(node));
    }
    if (graph.maxLevel() != top) {
      report("the entry's level is " + graph.maxLevel() + ", the highest is " + top);
    }
    if (top >= 0 && graph.levelOf(graph.entryNode()) != top) {
      report("the entry " + graph.entryNode() + " is not on level " + top);
    }
  }

  private void checkReachability() {
    if (graph.entryNode() < 0) {
      return;
    }
    boolean[] reached = new boolean[graph.bound()];
    boolean[] hasPredecessor = new boolean[graph.bound()];
    int[] queue = new int[graph.bound()];
    int[] list = new int[graph.maxDegree(0)];
    int end = 0;
    queue[end++] = graph.entryNode();
    reached[graph.entryNode()] = true;
    for (int at = 0; at < end; at++) {
      int degree = graph.neighbors(0, queue[at], list);
      for (int i = 0; i < degree; i++) {
        if (list[i] >= graph.bound()) {
          continue; // reported above
        }
        hasPredecessor[list[i]] = true;
        if (!reached[list[i]]) {
          reached[list[i]] = true;
          queue[end++] = list[i];
        }
      }
    }
    for (int node = 0; node < graph.bound(); node++) {
      if (graph.isLinked(node) && !reached[node]) {
        report("node " + node + " is not reached from the entry " + graph.entryNode());
      } else if (graph.isLinked(node) && !hasPredecessor[node] && node != graph.entryNode()) {
        report("node " + node + " has no predecessor on level 0");
      }
    }
  }

  private void report(String violation) {
    if (violations.size() < MAX_REPORTED) {
      violations.add(violation);
    }
  }
}
