package io.omendb.index.hnsw;

import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import java.util.Arrays;

/**
 * Ends a build: every linked node must be reached from the entry on level 0. Nodes that are not get
 * an edge from the nearest node that is.
 *
 * <p>A breadth-first walk marks what is reached and remembers for each node the one it was first
 * reached from. For an orphan the graph is searched (which finds reached nodes only), and the
 * nearest with room takes the edge; where all are full, the nearest gives up its farthest edge that
 * the walk did not use, so that nothing reached is lost. What the orphan leads to is then reached
 * too. Costs one pass over the lists; 1M nodes take less than a second.
 *
 * <p>Single-threaded; readers may search meanwhile; one writer.
 */
final class ReachabilitySweep {
  private static final int NOT_REACHED = -1;
  private static final int ROOT = -2;
  private static final int EF = 64;

  private final HnswGraph graph;
  private final CodeTable codes;
  private final SearchScratch scratch = new SearchScratch();
  private final int[] reachedFrom;
  private final int[] queue;
  private int queueEnd;

  private ReachabilitySweep(HnswGraph graph, CodeTable codes) {
    this.graph = graph;
    this.codes = codes;
    this.reachedFrom = new int[graph.bound()];
    this.queue = new int[graph.bound()];
    Arrays.fill(reachedFrom, NOT_REACHED);
  }

  /** Links what is not reached and returns how many nodes needed an edge. */
  static int run(HnswGraph graph, CodeTable codes) {
    if (graph.entryNode() < 0) {
      return 0;
    }
    return new ReachabilitySweep(graph, codes).sweep();
  }

  private int sweep() {
    int bound = reachedFrom.length;
    reach(graph.entryNode(), ROOT);
    int linked = 0;
    for (int node = 0; node < bound; node++) {
      if (reachedFrom[node] == NOT_REACHED && graph.isLinked(node)) {
        reach(node, adopt(node));
        linked++;
      }
    }
    return linked;
  }

  /** Walks from a newly reached node. */
  private void reach(int start, int from) {
    int[] list = scratch.gathered;
    reachedFrom[start] = from;
    queue[queueEnd++] = start;
    for (int at = queueEnd - 1; at < queueEnd; at++) {
      int node = queue[at];
      int degree = graph.neighbors(0, node, list);
      for (int i = 0; i < degree; i++) {
        if (reachedFrom[list[i]] == NOT_REACHED) {
          reachedFrom[list[i]] = node;
          queue[queueEnd++] = list[i];
        }
      }
    }
  }

  /** Gives an orphan an edge from a reached node and returns that node. */
  private int adopt(int orphan) {
    scratch.biased = false; // near is where an edge belongs, whatever the similarity
    Kernels.widen(codes.row(orphan), scratch.query(codes.dims()), codes.dims());
    HnswSearcher.search(graph, graph.entry(), graph.bound(), codes, EF, scratch);
    int found = scratch.poolSize;
    int[] list = scratch.gathered;
    for (int i = 0; i < found; i++) {
      int parent = HnswSearcher.pooledOrdinal(scratch.pool[i]);
      int degree = graph.neighbors(0, parent, list);
      if (usable(parent, orphan) && degree < graph.maxDegree(0)) {
        graph.appendNeighbor(0, parent, degree, orphan);
        return parent;
      }
    }
    for (int i = 0; i < found; i++) {
      int parent = HnswSearcher.pooledOrdinal(scratch.pool[i]);
      if (usable(parent, orphan) && replaceSpareEdge(parent, orphan)) {
        return parent;
      }
    }
    for (int at = queueEnd - 1; at >= 0; at--) {
      if (replaceSpareEdge(queue[at], orphan)) {
        return queue[at];
      }
    }
    throw new IllegalStateException("no reached node can take an edge to " + orphan);
  }

  private boolean usable(int parent, int orphan) {
    return parent != orphan && reachedFrom[parent] != NOT_REACHED;
  }

  private boolean replaceSpareEdge(int parent, int orphan) {
    int[] list = scratch.gathered;
    int degree = graph.neighbors(0, parent, list);
    if (degree < graph.maxDegree(0)) {
      graph.appendNeighbor(0, parent, degree, orphan);
      return true;
    }
    int spare = -1;
    int farthest = -1;
    for (int i = 0; i < degree; i++) {
      if (reachedFrom[list[i]] != parent) {
        int distance = Kernels.squaredL2(codes.row(parent), codes.row(list[i]), codes.dims());
        if (distance > farthest) {
          farthest = distance;
          spare = i;
        }
      }
    }
    if (spare < 0) {
      return false;
    }
    list[spare] = orphan;
    graph.setNeighbors(0, parent, list, degree);
    return true;
  }
}
