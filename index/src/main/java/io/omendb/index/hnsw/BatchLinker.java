package io.omendb.index.hnsw;

import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.Memory;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * INSERT (Alg. 1) for many nodes at once, on a graph that stands still meanwhile.
 *
 * <ol>
 *   <li>Every node of the batch descends to level 1; the batch is sorted by a hash of that descent,
 *       so that neighbours are linked one after the other and find each other's codes in the cache.
 *   <li>Each node searches the frozen graph, adds its neighbours in that order as candidates (the
 *       members of a batch must meet each other), prunes, and writes its own list.
 *   <li>The reverse edges are grouped by target; each target takes all of its new edges at once and
 *       is pruned once when it overflows, where only what is new is compared. No edge is dropped
 *       unseen.
 *   <li>A node that every list pruned again gets one in-edge back.
 * </ol>
 *
 * <p>A node that finds its own vector in the graph, or right before it in the order, takes no part
 * in that: it joins the {@link Duplicates} of the other.
 *
 * <p>Each list has one writer in a phase, so there are no locks, and the outcome depends on the
 * batch only, not on the number of threads. Candidates are all nodes the search expanded, also
 * those that the beam pushed out again: on clustered data the beam alone left whole clusters
 * unreachable.
 *
 * <p>Readers may search meanwhile. One caller at a time.
 */
final class BatchLinker {
  /** Nodes a worker takes at a time; they share cached codes, being neighbours in the order. */
  private static final int CHUNK = 32;

  /** Reverse edges a worker takes at a time, rounded up to whole targets. */
  private static final int EDGE_CHUNK = 2048;

  /** Members on either side in the batch's order that become candidates. */
  private static final int WINDOW = 24;

  /** Up to this size every member of a batch is a candidate for every other. */
  private static final int ALL_PAIRS = 256;

  /** Most candidates that pruning looks at, the nearest first. */
  static final int MAX_CANDIDATES = 320;

  private final HnswGraph graph;
  private final LevelGenerator levelGenerator;
  private final int efConstruction;
  private final Workers workers;
  private final Duplicates duplicates;

  private long[] order = new long[0];
  private int[] entries = new int[0];
  private int[] nodes = new int[0];
  private long[] edges = new long[0];

  /** Of each node of the batch, an earlier one with the same vector, or NONE. */
  private int[] copies = new int[0];

  /**
   * Of each node of the batch, one in the graph with the same vector, or NONE. Apart from {@link
   * #copies}, which others read in the phase that writes this.
   */
  private int[] linkedCopies = new int[0];

  BatchLinker(HnswGraph graph, VectorRows rows, int efConstruction, long seed, Workers workers) {
    this.graph = graph;
    this.levelGenerator = new LevelGenerator(seed, graph.m());
    this.efConstruction = efConstruction;
    this.workers = workers;
    this.duplicates = new Duplicates(graph, rows);
  }

  private LinkScratch scratch(int worker) {
    return workers.scratch(worker, graph.maxDegree(0));
  }

  /**
   * Links nodes whose codes are written. Ordinals must be distinct and not yet linked.
   *
   * @param batch ordinals; the array is not kept
   */
  void link(CodeTable codes, int[] batch, int count) {
    if (count > 0) {
      workers.exclusively(() -> linkInTurn(codes, batch, count));
    }
  }

  private void linkInTurn(CodeTable codes, int[] batch, int count) {
    int top = 0;
    int topNode = -1;
    int bound = 0;
    for (int i = 0; i < count; i++) {
      bound = Math.max(bound, batch[i] + 1);
    }
    graph.ensure(bound);
    for (int i = 0; i < count; i++) {
      int level = levelGenerator.levelOf(batch[i]);
      graph.addNode(batch[i], level);
      if (topNode < 0 || level > top) {
        top = level;
        topNode = batch[i];
      }
    }
    orderByDescent(codes, batch, count);
    findDuplicates(codes, count);
    graph.publishBound(bound);
    int oldTop = graph.maxLevel();
    // All searches come before any reverse edge, on all levels: a list with an edge to a member
    // of the batch would make the outcome depend on who came first.
    for (int level = top; level >= 0; level--) {
      forward(codes, level, membersOf(level, count), oldTop);
    }
    for (int level = top; level >= 0; level--) {
      backward(codes, level, membersOf(level, count));
    }
    joinDuplicates(codes, count);
    ensureInEdges(count);
    if (top > oldTop) {
      graph.setEntry(topNode, top);
    }
  }

  /** Finds those of the batch whose vector an earlier one has: copies descend the same way. */
  private void findDuplicates(CodeTable codes, int count) {
    workers.runEach(count, CHUNK, w -> i -> findCopy(codes, i));
  }

  private void findCopy(CodeTable codes, int i) {
    copies[i] = Duplicates.NONE;
    linkedCopies[i] = Duplicates.NONE;
    for (int j = i - 1; j >= Math.max(0, i - WINDOW) && sameDescent(i, j); j--) {
      if (duplicates.isCopy(codes, nodes[i], nodes[j])) {
        copies[i] = nodes[j];
        return;
      }
    }
  }

  private boolean sameDescent(int i, int j) {
    return order[i] >>> 31 == order[j] >>> 31;
  }

  /** In the batch's order, so that the trees do not depend on the threads. */
  private void joinDuplicates(CodeTable codes, int count) {
    LinkScratch state = scratch(0);
    for (int i = 0; i < count; i++) {
      int copy = copies[i] == Duplicates.NONE ? linkedCopies[i] : copies[i];
      if (copy != Duplicates.NONE) {
        duplicates.join(codes, nodes[i], copy, state);
      }
    }
  }

  /**
   * Gives every node of the batch at least one in-edge on level 0. Among many copies of one vector
   * all the lists that took a node may prune it again, and no search would find it until a sweep.
   */
  private void ensureInEdges(int count) {
    boolean[] missing = new boolean[count];
    workers.runEach(
        count,
        CHUNK,
        w -> {
          LinkScratch state = scratch(w);
          return i -> {
            int degree = graph.neighbors(0, nodes[i], state.list);
            missing[i] = degree > 0 && !hasInEdge(nodes[i], -1, state.list, degree, state);
          };
        });
    for (int i = 0; i < count; i++) {
      if (missing[i]) {
        addInEdge(nodes[i], scratch(0));
      }
    }
  }

  /** Whether one of {@code neighbors}, other than {@code except}, has an edge to the node. */
  private boolean hasInEdge(int node, int except, int[] neighbors, int count, LinkScratch state) {
    for (int i = 0; i < count; i++) {
      if (neighbors[i] != except) {
        int degree = graph.neighbors(0, neighbors[i], state.probed);
        if (NeighborSelector.contains(state.probed, degree, node)) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * Puts a node into the list of one of its neighbours, in place of an edge whose target has
   * another in-edge.
   */
  private void addInEdge(int node, LinkScratch state) {
    int degree = graph.neighbors(0, node, state.list);
    for (int i = 0; i < degree; i++) {
      int parent = state.list[i];
      int used = graph.neighbors(0, parent, state.selected);
      if (used < graph.maxDegree(0)) {
        graph.appendNeighbor(0, parent, used, node);
        return;
      }
      for (int e = used - 1; e >= 0; e--) {
        int target = state.selected[e];
        int itsDegree = graph.neighbors(0, target, state.targetList);
        if (hasInEdge(target, parent, state.targetList, itsDegree, state)) {
          state.selected[e] = node;
          graph.setNeighbors(0, parent, state.selected, used);
          return;
        }
      }
    }
  }

  /** Nodes of the batch on one level, in the batch's order, and where each enters level 0. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Members(int[] nodes, int[] entries, int count) {}

  private Members membersOf(int level, int count) {
    if (level == 0) {
      return new Members(nodes, entries, count);
    }
    int[] memberNodes = new int[count];
    int[] memberEntries = new int[count];
    int members = 0;
    for (int i = 0; i < count; i++) {
      if (graph.levelOf(nodes[i]) >= level) {
        memberNodes[members] = nodes[i];
        memberEntries[members++] = entries[i];
      }
    }
    return new Members(memberNodes, memberEntries, members);
  }

  /** Sorts the batch by the hash of its descent; remembers where level 0 is to be entered. */
  private void orderByDescent(CodeTable codes, int[] batch, int count) {
    if (nodes.length < count) {
      nodes = new int[count];
      order = new long[count];
      entries = new int[count];
      copies = new int[count];
      linkedCopies = new int[count];
    }
    long[] descentHashes = new long[count];
    int[] entry = new int[count];
    workers.runEach(
        count,
        CHUNK,
        w -> {
          SearchScratch scratch = scratch(w).search;
          return i -> descend(codes, batch[i], i, descentHashes, entry, scratch);
        });
    // Sort positions by (hash of the descent, position): the hash's 32 bits leave 31 for the
    // position.
    for (int i = 0; i < count; i++) {
      order[i] = descentHashes[i] << 31 | i;
    }
    Arrays.sort(order, 0, count);
    for (int i = 0; i < count; i++) {
      int position = (int) (order[i] & Integer.MAX_VALUE);
      nodes[i] = batch[position];
      entries[i] = entry[position];
    }
  }

  private void descend(
      CodeTable codes, int node, int i, long[] descentHashes, int[] entry, SearchScratch scratch) {
    long start = graph.entry();
    if (start < 0) {
      entry[i] = -1;
      return;
    }
    loadQuery(codes, node, scratch);
    scratch.begin(graph.bound(), efConstruction);
    int level = (int) (start >>> 32);
    long nearest =
        HnswSearcher.key(HnswSearcher.distance(codes, (int) start, scratch), (int) start);
    long descentHash = 0;
    for (; level > 0; level--) {
      nearest = HnswSearcher.descend(graph, codes, level, nearest, scratch);
      if (level == 2) {
        descentHash = (LevelGenerator.mix(HnswSearcher.ordinalOf(nearest)) & 0xFFFF) << 16;
      } else if (level == 1) {
        descentHash |= LevelGenerator.mix(HnswSearcher.ordinalOf(nearest)) & 0xFFFF;
      }
    }
    descentHashes[i] = descentHash;
    entry[i] = HnswSearcher.ordinalOf(nearest);
  }

  /** Phase two: search, prune, write the node's own list. */
  private void forward(CodeTable codes, int level, Members members, int oldTop) {
    workers.runEach(
        members.count(),
        CHUNK,
        w -> {
          LinkScratch state = scratch(w);
          return i -> linkForward(codes, level, members, i, oldTop, state);
        });
  }

  private void linkForward(
      CodeTable codes, int level, Members members, int i, int oldTop, LinkScratch state) {
    if (level == 0 && copies[i] != Duplicates.NONE) {
      return;
    }
    int[] memberAt = members.nodes();
    int entry = members.entries()[i];
    int node = memberAt[i];
    SearchScratch scratch = state.search;
    loadQuery(codes, node, scratch);
    scratch.begin(graph.bound(), efConstruction);
    if (level <= oldTop) {
      long start =
          level == 0
              ? HnswSearcher.key(HnswSearcher.distance(codes, entry, scratch), entry)
              : HnswSearcher.descendTo(level, graph, graph.entry(), codes, scratch);
      HnswSearcher.seed(scratch, start);
      HnswSearcher.searchLayer(graph, codes, level, efConstruction, scratch);
      if (codes.quantizer().biased()) {
        searchByProduct(codes, level, scratch);
      }
    }
    if (level == 0) {
      linkedCopies[i] = duplicates.nearestCopy(codes, node, scratch);
      if (linkedCopies[i] != Duplicates.NONE) {
        return;
      }
    }
    int window = members.count() <= ALL_PAIRS ? members.count() : WINDOW;
    int from = Math.max(0, i - window);
    int to = Math.min(members.count(), i + window + 1);
    int mask = tieMask(node);
    long[] keys = state.candidates(scratch.expandedCount + to - from);
    int n = 0;
    for (int e = 0; e < scratch.expandedCount; e++) {
      if (level > 0 || !graph.isDuplicate(HnswSearcher.ordinalOf(scratch.expanded[e]))) {
        keys[n++] = masked(scratch.expanded[e], mask);
      }
    }
    long row = codes.row(node);
    for (int j = from; j < to; j++) {
      if (j != i && (level > 0 || copies[j] == Duplicates.NONE)) {
        int distance = Kernels.squaredL2(row, codes.row(memberAt[j]), codes.dims());
        keys[n++] = masked(HnswSearcher.key(distance, memberAt[j]), mask);
      }
    }
    int degree = selectNeighbors(codes, level, node, mask, n, state);
    graph.setNeighbors(level, node, state.selected, degree);
  }

  /**
   * Adds what a search by inner product expands to the candidates of the search by distance, each
   * node once, with its distance.
   */
  private void searchByProduct(CodeTable codes, int level, SearchScratch scratch) {
    int byDistance = scratch.expandedCount;
    scratch.biased = true;
    scratch.restart();
    HnswSearcher.seed(scratch, HnswSearcher.descendTo(level, graph, graph.entry(), codes, scratch));
    HnswSearcher.searchLayer(graph, codes, level, efConstruction, scratch);
    scratch.biased = false;
    scratch.clearVisited();
    int kept = 0;
    for (int e = 0; e < scratch.expandedCount; e++) {
      int ordinal = HnswSearcher.ordinalOf(scratch.expanded[e]);
      if (scratch.visit(ordinal)) {
        scratch.expanded[kept++] =
            e < byDistance
                ? scratch.expanded[e]
                : HnswSearcher.key(HnswSearcher.distance(codes, ordinal, scratch), ordinal);
      }
    }
    scratch.expandedCount = kept;
  }

  /**
   * Prunes a node's candidates to its list. Under inner product half of the list are neighbours by
   * distance, which make every node reachable, and half by product, which lead to the long vectors
   * that are nearly all answers.
   *
   * @param count keys in {@code state.candidates}, by distance, masked
   * @return how many of {@code state.selected} were selected
   */
  private int selectNeighbors(
      CodeTable codes, int level, int node, int mask, int count, LinkScratch state) {
    long[] keys = state.candidates;
    Arrays.sort(keys, 0, count);
    int most = Math.min(count, MAX_CANDIDATES);
    int capacity = graph.maxDegree(level);
    if (!codes.quantizer().biased()) {
      return state.selector.select(
          codes, keys, most, mask, capacity, NeighborSelector.usualFill(capacity), state.selected);
    }
    int half = capacity / 2;
    int byDistance =
        state.selector.select(
            codes, keys, most, mask, half, NeighborSelector.usualFill(half), state.selected);
    for (int i = 0; i < count; i++) {
      int ordinal = HnswSearcher.ordinalOf(keys[i]) ^ mask;
      int biasedDistance = codes.biasedDistance(HnswSearcher.distanceOf(keys[i]), ordinal);
      keys[i] = (long) biasedDistance << 32 | (keys[i] & 0xFFFF_FFFFL);
    }
    Arrays.sort(keys, 0, count);
    return state.selector.selectByProduct(
        codes, node, keys, count, mask, byDistance, capacity - byDistance, state.selected);
  }

  /** Phase three: give each target its new edges, grouped. */
  private void backward(CodeTable codes, int level, Members members) {
    int capacity = graph.maxDegree(level);
    int n = 0;
    int[] list = scratch(0).list;
    for (int i = 0; i < members.count(); i++) {
      if (edges.length < n + capacity) {
        edges = Arrays.copyOf(edges, Math.max(n + capacity, edges.length * 2));
      }
      int node = members.nodes()[i];
      int degree = graph.neighbors(level, node, list);
      for (int e = 0; e < degree; e++) {
        edges[n++] = (long) list[e] << 32 | node;
      }
    }
    Arrays.parallelSort(edges, 0, n);
    VarHandle.releaseFence(); // codes and own lists of the batch before any edge to it
    int edgeCount = n;
    workers.run(
        Math.ceilDiv(edgeCount, EDGE_CHUNK),
        w -> {
          LinkScratch state = scratch(w);
          return chunk -> {
            int from = groupStart(chunk * EDGE_CHUNK, edgeCount);
            int to = groupStart(Math.min(edgeCount, (chunk + 1) * EDGE_CHUNK), edgeCount);
            while (from < to) {
              int target = (int) (edges[from] >>> 32);
              int end = from + 1;
              while (end < edgeCount && (int) (edges[end] >>> 32) == target) {
                end++;
              }
              addIncoming(codes, level, target, from, end, state);
              from = end;
            }
          };
        });
  }

  /** The first edge at or after {@code i} that opens a new target. */
  private int groupStart(int i, int edgeCount) {
    int at = i;
    while (at > 0 && at < edgeCount && edges[at] >>> 32 == edges[at - 1] >>> 32) {
      at++;
    }
    return at;
  }

  private void addIncoming(
      CodeTable codes, int level, int target, int from, int to, LinkScratch state) {
    int[] list = state.list;
    int degree = graph.neighbors(level, target, list);
    int capacity = graph.maxDegree(level);
    if (degree + to - from <= capacity) {
      for (int e = from; e < to; e++) {
        int source = (int) edges[e];
        if (!NeighborSelector.contains(list, degree, source)) {
          graph.appendNeighbor(level, target, degree, source);
          list[degree++] = source;
        }
      }
      return;
    }
    int mask = tieMask(target);
    long[] keys = state.candidates(degree + to - from);
    long row = codes.row(target);
    int n = 0;
    // A list begins with what was selected, ascending, which is not compared with each other again;
    // what only fills it comes behind, and mostly begins nearer.
    boolean kept = !codes.quantizer().biased();
    int last = 0;
    for (int e = 0; e < degree; e++) {
      int distance = Kernels.squaredL2(row, codes.row(list[e]), codes.dims());
      kept &= distance >= last;
      last = distance;
      long key = masked(HnswSearcher.key(distance, list[e]), mask);
      keys[n++] = kept ? NeighborSelector.kept(key) : key;
    }
    for (int e = from; e < to; e++) {
      int source = (int) edges[e];
      if (!NeighborSelector.contains(list, degree, source)) {
        int distance = Kernels.squaredL2(row, codes.row(source), codes.dims());
        keys[n++] = masked(HnswSearcher.key(distance, source), mask);
      }
    }
    int selected = selectNeighbors(codes, level, target, mask, n, state);
    graph.setNeighbors(level, target, state.selected, selected);
  }

  private static void loadQuery(CodeTable codes, int node, SearchScratch scratch) {
    scratch.biased = false;
    Memory.read(codes.row(node), scratch.query(codes.dims()), 0, codes.dims());
  }

  /** Orders equal distances differently at each node; see {@link NeighborSelector#select}. */
  static int tieMask(int node) {
    return (int) LevelGenerator.mix(node) & Integer.MAX_VALUE;
  }

  static long masked(long key, int mask) {
    return key ^ mask;
  }
}
