package io.omendb.index.hnsw;

import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;

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
 * <p>Eight bytes a node, off the heap. Single-threaded; readers may search meanwhile; one writer.
 */
final class ReachabilitySweep implements AutoCloseable {
  // Stored plus one, so that fresh memory says that nothing is reached.
  private static final int NOT_REACHED = -1;
  private static final int ROOT = -2;
  private static final int EF = 64;

  private final HnswGraph graph;
  private final CodeTable codes;
  private final SearchScratch scratch = new SearchScratch();
  private final int bound;
  private final AddressSpace memory;
  private final long reachedFrom;
  private final long queue;
  private int queueEnd;

  private ReachabilitySweep(HnswGraph graph, CodeTable codes) {
    this.graph = graph;
    this.codes = codes;
    this.bound = graph.bound();
    this.memory = AddressSpace.reserve(2L * Integer.BYTES * bound);
    memory.commit(2L * Integer.BYTES * bound);
    this.reachedFrom = memory.address();
    this.queue = reachedFrom + (long) Integer.BYTES * bound;
  }

  /** The node it was first reached from, ROOT, or NOT_REACHED. */
  private int reachedFrom(int node) {
    return Memory.getInt(reachedFrom + (long) Integer.BYTES * node) - 1;
  }

  private void enqueue(int node, int from) {
    Memory.putInt(reachedFrom + (long) Integer.BYTES * node, from + 1);
    Memory.putInt(queue + (long) Integer.BYTES * queueEnd++, node);
  }

  private int queued(int index) {
    return Memory.getInt(queue + (long) Integer.BYTES * index);
  }

  @Override
  public void close() {
    memory.close();
  }

  /** Links what is not reached and returns how many nodes needed an edge. */
  static int run(HnswGraph graph, CodeTable codes) {
    if (graph.entryNode() < 0) {
      return 0;
    }
    try (ReachabilitySweep sweep = new ReachabilitySweep(graph, codes)) {
      return sweep.sweep();
    }
  }

  private int sweep() {
    reach(graph.entryNode(), ROOT);
    int linked = 0;
    for (int node = 0; node < bound; node++) {
      if (reachedFrom(node) == NOT_REACHED && graph.isLinked(node)) {
        reach(node, adopt(node));
        linked++;
      }
    }
    return linked;
  }

  /** Walks from a newly reached node. */
  private void reach(int start, int from) {
    int[] list = scratch.gathered;
    enqueue(start, from);
    for (int at = queueEnd - 1; at < queueEnd; at++) {
      int node = queued(at);
      int degree = graph.neighbors(0, node, list);
      for (int i = 0; i < degree; i++) {
        if (reachedFrom(list[i]) == NOT_REACHED) {
          enqueue(list[i], node);
        }
      }
    }
  }

  /** Gives an orphan an edge from a reached node and returns that node. */
  private int adopt(int orphan) {
    scratch.biased = false; // near is where an edge belongs, whatever the similarity
    Memory.read(codes.row(orphan), scratch.query(codes.dims()), 0, codes.dims());
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
      if (replaceSpareEdge(queued(at), orphan)) {
        return queued(at);
      }
    }
    throw new IllegalStateException("no reached node can take an edge to " + orphan);
  }

  private boolean usable(int parent, int orphan) {
    return parent != orphan && reachedFrom(parent) != NOT_REACHED;
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
      if (reachedFrom(list[i]) != parent) {
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
