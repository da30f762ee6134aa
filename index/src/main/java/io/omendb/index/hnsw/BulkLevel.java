package io.omendb.index.hnsw;

import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the lists of one level of a {@link BulkLinker}: partition, join, choose from what was
 * joined, and once more from that and the nodes that chose the node.
 *
 * <p>Memory while it runs, a node: {@link #FANOUT} times 6 bytes of the {@link Partition} and 32 of
 * the {@link LeafJoin}, then 4 for each neighbour; off the heap but for a byte a node.
 */
final class BulkLevel implements AutoCloseable {
  private static final int NONE = -1;

  /** Leaves that each node is in. */
  static final int FANOUT = 8;

  /** Bytes of a node, at most. */
  static final int BYTES = FANOUT * (10 + 2 * LeafJoin.ROOM) + 24;

  /** Nodes of a chunk. */
  private static final int CHUNK = 256;

  /** Chunks of a step, for each thread: some milliseconds. */
  private static final int OF_STEP = 4;

  private static final int LEAVES_OF_STEP = 32;

  private final HnswGraph graph;
  private final int level;
  private final CodeTable codes;
  private final NativeInts nodes;
  private final int count;
  private final LevelGenerator levelGenerator;
  private final Workers workers;
  private final boolean blocks;
  private final Partition partition;
  private @Nullable LeafJoin join;

  /** By place, as many entries of the partition as leaves it is in. */
  private @Nullable NativeInts entriesOf;

  private @Nullable InEdges inEdges;

  /**
   * @param nodes ordinals, ascending, with lists on the level; closed with it
   * @param blocks whether lists are filled up: what is scored with the others costs nothing more,
   *     and finds more (recall 0.9450 to 0.9495 at ef 40, 60,000 photo-SIFT)
   */
  BulkLevel(
      HnswGraph graph,
      int level,
      CodeTable codes,
      NativeInts nodes,
      LevelGenerator levelGenerator,
      Workers workers,
      boolean blocks) {
    this.blocks = blocks;
    this.graph = graph;
    this.level = level;
    this.codes = codes;
    this.nodes = nodes;
    this.count = Math.toIntExact(nodes.length());
    this.levelGenerator = levelGenerator;
    this.workers = workers;
    this.partition = new Partition(codes, nodes, FANOUT);
  }

  /** What is to be done, in this order. */
  List<Supplier<BulkLinker.Work>> stages() {
    return List.of(
        this::assign,
        () -> BulkLinker.Work.serial(partition::scatter),
        this::split,
        () -> BulkLinker.Work.serial(partition::gatherLeaves),
        this::joinLeaves,
        () -> BulkLinker.Work.serial(this::gatherEntries),
        this::select,
        () -> BulkLinker.Work.serial(this::gatherInEdges),
        this::merge);
  }

  private BulkLinker.Work assign() {
    Partition.Scratch[] scratches = partitionScratches();
    return new BulkLinker.Work(
        partition.stripes(),
        OF_STEP,
        worker -> stripe -> partition.assign(stripe, scratches[worker]));
  }

  private BulkLinker.Work split() {
    Partition.Scratch[] scratches = partitionScratches();
    return new BulkLinker.Work(
        partition.clusters(),
        OF_STEP,
        worker -> cluster -> partition.split(cluster, scratches[worker]));
  }

  private Partition.Scratch[] partitionScratches() {
    Partition.Scratch[] scratches = new Partition.Scratch[workers.threads()];
    Arrays.setAll(scratches, worker -> partition.newScratch());
    return scratches;
  }

  private BulkLinker.Work joinLeaves() {
    LeafJoin leaves = new LeafJoin(codes, nodes, partition);
    join = leaves;
    LeafJoin.Scratch[] scratches = new LeafJoin.Scratch[workers.threads()];
    Arrays.setAll(scratches, worker -> leaves.newScratch());
    return new BulkLinker.Work(
        partition.leaves(), LEAVES_OF_STEP, worker -> leaf -> leaves.join(leaf, scratches[worker]));
  }

  private void gatherEntries() {
    int fanout = partition.fanout();
    NativeInts gathered = new NativeInts(partition.entries());
    entriesOf = gathered;
    byte[] counts = new byte[count];
    for (int entry = 0; entry < partition.entries(); entry++) {
      int place = partition.member(entry);
      gathered.set((long) place * fanout + counts[place]++, entry);
    }
  }

  private BulkLinker.Work select() {
    LeafJoin leaves = Objects.requireNonNull(join);
    NativeInts entries = Objects.requireNonNull(entriesOf);
    int fanout = partition.fanout();
    int ofChunk = CHUNK * FANOUT;
    return new BulkLinker.Work(
        Math.ceilDiv(partition.entries(), ofChunk),
        OF_STEP,
        worker -> {
          LinkScratch scratch = workers.scratch(worker, graph.maxDegree(0));
          int[] candidates = new int[FANOUT * LeafJoin.ROOM + graph.m()];
          return chunk -> {
            // In the order of the leaves: one after the other, near nodes read the same codes.
            int to = Math.min(partition.entries(), (chunk + 1) * ofChunk);
            for (int entry = chunk * ofChunk; entry < to; entry++) {
              int place = partition.member(entry);
              if (entries.get((long) place * fanout) == entry) {
                int found = 0;
                for (int f = 0; f < fanout; f++) {
                  int one = entries.get((long) place * fanout + f);
                  found = leaves.candidates(one, candidates, found);
                }
                select(nodes.get(place), candidates, found, scratch);
              }
            }
          };
        });
  }

  /** Makes a list of what was found, in which a node may be more than once, and itself. */
  private void select(int node, int[] candidates, int found, LinkScratch scratch) {
    SearchScratch met = scratch.search;
    met.begin(nodes.get(count - 1) + 1, 1);
    boolean unused = met.visit(node);
    int n = 0;
    for (int i = 0; i < found; i++) {
      if (met.visit(candidates[i])) {
        candidates[n++] = candidates[i];
      }
    }
    n = addListAbove(node, candidates, n, scratch);
    choose(node, candidates, n, NeighborSelector.usualFill(graph.maxDegree(level)), scratch);
  }

  /**
   * Adds what the nearest node of the level above has in its list there, as a search comes by it.
   */
  private int addListAbove(int node, int[] candidates, int count, LinkScratch scratch) {
    int nearest =
        levelGenerator.levelOf(node) > level ? node : nearestAbove(node, candidates, count);
    int n = count;
    if (nearest != NONE) {
      int above = graph.neighbors(level + 1, nearest, scratch.list);
      for (int i = 0; i < above; i++) {
        if (scratch.search.visit(scratch.list[i])) {
          candidates[n++] = scratch.list[i];
        }
      }
    }
    return n;
  }

  private int nearestAbove(int node, int[] candidates, int count) {
    long row = codes.row(node);
    long nearest = Long.MAX_VALUE;
    for (int i = 0; i < count; i++) {
      if (levelGenerator.levelOf(candidates[i]) > level) {
        int distance = Kernels.squaredL2(row, codes.row(candidates[i]), codes.dims());
        nearest = Math.min(nearest, HnswSearcher.key(distance, candidates[i]));
      }
    }
    return nearest == Long.MAX_VALUE ? NONE : HnswSearcher.ordinalOf(nearest);
  }

  /** Makes a list of the best of its candidates. */
  private void choose(int node, int[] candidates, int count, int fill, LinkScratch scratch) {
    int touched = 0;
    for (int i = 0; i < count; i++) {
      touched += Memory.touch(codes.row(candidates[i]), codes.dims());
    }
    scratch.search.keep(touched);
    long row = codes.row(node);
    int mask = BatchLinker.tieMask(node);
    long[] keys = scratch.candidates(count);
    for (int i = 0; i < count; i++) {
      int distance = Kernels.squaredL2(row, codes.row(candidates[i]), codes.dims());
      keys[i] = BatchLinker.masked(HnswSearcher.key(distance, candidates[i]), mask);
    }
    Arrays.sort(keys, 0, count);
    int degree =
        scratch.selector.select(
            codes, keys, count, mask, graph.maxDegree(level), fill, scratch.selected);
    graph.setNeighbors(level, node, scratch.selected, degree);
  }

  /**
   * For each place, the nodes whose lists have it.
   *
   * @param ends by place, one more than the last of its sources
   */
  private record InEdges(NativeInts sources, NativeInts ends) implements AutoCloseable {
    @Override
    public void close() {
      sources.close();
      ends.close();
    }
  }

  private void gatherInEdges() {
    closeJoin();
    int first = nodes.get(0);
    int[] list = new int[graph.maxDegree(0)];
    NativeInts next = new NativeInts(count);
    try (NativeInts placeOf = new NativeInts(nodes.get(count - 1) - first + 1L)) {
      int edges = 0;
      for (int place = 0; place < count; place++) {
        placeOf.set(nodes.get(place) - first, place);
      }
      for (int place = 0; place < count; place++) {
        int degree = graph.neighbors(level, nodes.get(place), list);
        for (int i = 0; i < degree; i++) {
          next.add(placeOf.get(list[i] - first), 1);
        }
      }
      for (int place = 0; place < count; place++) {
        int degree = next.get(place);
        next.set(place, edges);
        edges += degree;
      }
      NativeInts sources = new NativeInts(edges);
      inEdges = new InEdges(sources, next);
      for (int place = 0; place < count; place++) {
        int node = nodes.get(place);
        int degree = graph.neighbors(level, node, list);
        for (int i = 0; i < degree; i++) {
          int target = placeOf.get(list[i] - first);
          sources.set(next.get(target), node);
          next.add(target, 1);
        }
      }
    }
  }

  private BulkLinker.Work merge() {
    InEdges edges = Objects.requireNonNull(inEdges);
    return new BulkLinker.Work(
        Math.ceilDiv(count, CHUNK),
        OF_STEP,
        worker -> {
          LinkScratch scratch = workers.scratch(worker, graph.maxDegree(0));
          int[] candidates = new int[BatchLinker.MAX_CANDIDATES];
          return chunk -> {
            int to = Math.min(count, (chunk + 1) * CHUNK);
            for (int place = chunk * CHUNK; place < to; place++) {
              merge(edges, place, candidates, scratch);
            }
          };
        });
  }

  /** Takes those into a list that have the node in theirs. */
  private void merge(InEdges edges, int place, int[] candidates, LinkScratch scratch) {
    int node = nodes.get(place);
    int degree = graph.neighbors(level, node, candidates);
    int from = place == 0 ? 0 : edges.ends.get(place - 1);
    int sources = edges.ends.get(place) - from;
    int taken = Math.min(sources, candidates.length - degree);
    int n = degree;
    for (int i = 0; i < taken; i++) {
      // Of a hub's many some, spread over all.
      int source = edges.sources.get(from + (long) i * sources / taken);
      if (!NeighborSelector.contains(candidates, degree, source)) {
        candidates[n++] = source;
      }
    }
    int most = graph.maxDegree(level);
    if (n > most) {
      choose(node, candidates, n, blocks ? most : NeighborSelector.usualFill(most), scratch);
    } else if (n > degree) {
      graph.setNeighbors(level, node, candidates, n);
    }
  }

  private void closeJoin() {
    if (join != null) {
      join.close();
      join = null;
    }
    if (entriesOf != null) {
      entriesOf.close();
      entriesOf = null;
    }
  }

  @Override
  public void close() {
    partition.close();
    closeJoin();
    if (inEdges != null) {
      inEdges.close();
    }
    nodes.close();
  }
}
