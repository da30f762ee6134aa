package io.omendb.index.hnsw;

import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.Memory;

/**
 * The nodes whose vector another has: below that other, the original, hangs a tree of them. The
 * list of a duplicate is its parent, then its children.
 *
 * <p>So the graph of the originals is one of different vectors, whose lists lead on, and a search
 * that meets an original meets the duplicates right behind it. Of 10,000 rows of which 9,900 were
 * equal, 8 of the 100 others were not found while copies were neighbours as others are.
 *
 * <p>Writer only; {@link #isCopy} and {@link #nearestCopy} on several threads.
 */
final class Duplicates {
  static final int NONE = -1;

  /** Most children of an original, whose list has others to name. */
  private static final int MOST_OF_ORIGINAL = 2;

  private final HnswGraph graph;
  private final VectorRows rows;

  Duplicates(HnswGraph graph, VectorRows rows) {
    this.graph = graph;
    this.rows = rows;
  }

  /** Whether two nodes with codes have the same vector. */
  boolean isCopy(CodeTable codes, int a, int b) {
    return Kernels.squaredL2(codes.row(a), codes.row(b), codes.dims()) == 0
        && Memory.equal(
            rows.row(a), rows.row(b), (long) codes.quantizer().dimension() * Float.BYTES);
  }

  /** A node that the search for {@code node} expanded and that has its vector, or NONE. */
  int nearestCopy(CodeTable codes, int node, SearchScratch scratch) {
    int copy = NONE;
    for (int e = 0; e < scratch.expandedCount; e++) {
      long expanded = scratch.expanded[e];
      int ordinal = HnswSearcher.ordinalOf(expanded);
      if (HnswSearcher.distanceOf(expanded) == 0 && isCopy(codes, node, ordinal)) {
        copy = ordinal;
        if (graph.isDuplicate(ordinal) && hasRoom(ordinal)) {
          return ordinal;
        }
      }
    }
    return copy;
  }

  private boolean hasRoom(int node) {
    return graph.degree(0, node) < graph.maxDegree(0);
  }

  /**
   * Makes a node a duplicate, near another with its vector. Where no list has room for it, it has
   * no predecessor yet.
   */
  void join(CodeTable codes, int node, int copy, LinkScratch state) {
    int parent = parentBy(codes, copy, state);
    int degree = graph.neighbors(0, node, state.list);
    int kept = Math.min(degree, graph.maxDegree(0) - 1);
    state.selected[0] = parent;
    System.arraycopy(state.list, 0, state.selected, 1, kept);
    graph.setNeighbors(0, node, state.selected, kept + 1);
    graph.markDuplicate(node);
    int used = graph.degree(0, parent);
    if (used < graph.maxDegree(0)) {
      graph.appendNeighbor(0, parent, used, node);
    }
  }

  /** Beside the copy while their parent has room, or else below it: trees are wide. */
  private int parentBy(CodeTable codes, int copy, LinkScratch state) {
    int parent = copy;
    if (graph.isDuplicate(copy)) {
      graph.neighbors(0, copy, state.list);
      int above = state.list[0];
      parent = graph.isDuplicate(above) ? above : copy;
    }
    while (true) {
      int children = 0;
      int last = NONE;
      int degree = graph.neighbors(0, parent, state.list);
      boolean original = !graph.isDuplicate(parent);
      for (int i = original ? 0 : 1; i < degree; i++) {
        int child = state.list[i];
        if (graph.isDuplicate(child) && isCopy(codes, parent, child)) {
          children++;
          last = child;
        }
      }
      boolean takes = original ? children < MOST_OF_ORIGINAL : degree < graph.maxDegree(0);
      if (takes || last == NONE) {
        return parent;
      }
      parent = last;
    }
  }
}
