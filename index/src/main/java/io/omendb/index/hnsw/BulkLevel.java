package io.omendb.index.hnsw;

import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
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

  /** Leaves in which a sketch is compared with the codes. */
  private static final int LEAVES_COMPARED = 32;

  /** Of the nearest by codes, the share that must be nearest by a sketch. */
  private static final double LEAST_AGREEMENT = 0.75;

  /** Nodes of a chunk. */
  private static final int CHUNK = 256;

  /** Chunks of a step, for each thread: some milliseconds. */
  private static final int OF_STEP = 4;

  private static final int LEAVES_OF_STEP = 32;

  /** Nodes of a range of {@link InEdges}, so long as there are not too many ranges. */
  private static final int RANGE = 1 << 18;

  /** Ranges of {@link InEdges}, for each of which all lists are read. */
  private static final int MOST_RANGES = 32;

  private final HnswGraph graph;
  private final int level;
  private final CodeTable codes;
  private final NativeInts nodes;
  private final int count;
  private final LevelGenerator levelGenerator;
  private final Workers workers;
  private final boolean blocks;
  private final @Nullable JoinRows sketch;
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
      @Nullable JoinRows sketch,
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
    this.sketch = sketch;
    this.partition = new Partition(sketch == null ? JoinRows.of(codes) : sketch, nodes, FANOUT);
  }

  /** What is to be done, in this order; with the shares of a build that level 0 takes. */
  List<BulkLinker.Stage> stages() {
    return List.of(
        new BulkLinker.Stage(0.08, this::assign),
        new BulkLinker.Stage(0.01, () -> BulkLinker.Work.serial(partition::scatter)),
        new BulkLinker.Stage(0.04, this::split),
        new BulkLinker.Stage(0.01, () -> BulkLinker.Work.serial(partition::gatherLeaves)),
        new BulkLinker.Stage(0.32, this::joinLeaves),
        new BulkLinker.Stage(0.01, () -> BulkLinker.Work.serial(this::gatherEntries)),
        new BulkLinker.Stage(0.3, this::select),
        new BulkLinker.Stage(0.05, this::gatherInEdges),
        new BulkLinker.Stage(0.1, this::merge));
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
    LeafJoin leaves = new LeafJoin(joinRows(), nodes, partition);
    join = leaves;
    LeafJoin.Scratch[] scratches = new LeafJoin.Scratch[workers.threads()];
    Arrays.setAll(scratches, worker -> leaves.newScratch());
    return new BulkLinker.Work(
        partition.leaves(), LEAVES_OF_STEP, worker -> leaf -> leaves.join(leaf, scratches[worker]));
  }

  /** The sketch where it tells the nearest of a leaf as well as the codes do; else these. */
  private JoinRows joinRows() {
    JoinRows rows = JoinRows.of(codes);
    return sketch != null && agreement(rows, sketch) >= LEAST_AGREEMENT ? sketch : rows;
  }

  private double agreement(JoinRows rows, JoinRows others) {
    LeafAgreement agreement = new LeafAgreement(nodes, partition);
    int leaves = Math.min(partition.leaves(), LEAVES_COMPARED);
    for (int i = 0; i < leaves; i++) {
      agreement.add((int) ((long) i * partition.leaves() / leaves), rows, others);
    }
    return agreement.share();
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
    measure(node, candidates, 0, n, scratch);
    int all = addListAbove(node, candidates, n, scratch);
    measure(node, candidates, n, all, scratch);
    choose(node, all, NeighborSelector.usualFill(graph.maxDegree(level)), scratch);
  }

  /**
   * Adds what the nearest node of the level above has in its list there, as a search comes by it.
   */
  private int addListAbove(int node, int[] candidates, int count, LinkScratch scratch) {
    int nearest =
        levelGenerator.levelOf(node) > level ? node : nearestAbove(candidates, count, scratch);
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

  private int nearestAbove(int[] candidates, int count, LinkScratch scratch) {
    long nearest = Long.MAX_VALUE;
    int which = NONE;
    for (int i = 0; i < count; i++) {
      if (levelGenerator.levelOf(candidates[i]) > level && scratch.candidates[i] < nearest) {
        nearest = scratch.candidates[i];
        which = candidates[i];
      }
    }
    return which;
  }

  /** Gives candidates their keys. */
  private void measure(int node, int[] candidates, int from, int to, LinkScratch scratch) {
    int touched = 0;
    for (int i = from; i < to; i++) {
      touched += Memory.touch(codes.row(candidates[i]), codes.dims());
    }
    scratch.search.keep(touched);
    long row = codes.row(node);
    int mask = BatchLinker.tieMask(node);
    long[] keys = scratch.candidates(to);
    for (int i = from; i < to; i++) {
      int distance = Kernels.squaredL2(row, codes.row(candidates[i]), codes.dims());
      keys[i] = BatchLinker.masked(HnswSearcher.key(distance, candidates[i]), mask);
    }
  }

  /** Makes a list of the best of what was measured. */
  private void choose(int node, int count, int fill, LinkScratch scratch) {
    long[] keys = scratch.candidates;
    Arrays.sort(keys, 0, count);
    int degree =
        scratch.selector.select(
            codes,
            keys,
            count,
            BatchLinker.tieMask(node),
            graph.maxDegree(level),
            fill,
            scratch.selected);
    graph.setNeighbors(level, node, scratch.selected, degree);
  }

  /**
   * For each node, those whose lists have it, ascending. Nodes are taken together in ranges of
   * their ordinals, each as large as the cache holds the in-edges of: written in one go, each of
   * them would miss.
   */
  private static final class InEdges implements AutoCloseable {
    private final int rangeSize;
    private final @Nullable NativeInts[] sources;

    /**
     * By ordinal, from that of the first node on, one more than the last of its sources in those of
     * its range.
     */
    private final NativeInts ends;

    InEdges(int rangeSize, int span) {
      this.rangeSize = rangeSize;
      this.sources = new @Nullable NativeInts[Math.ceilDiv(span, rangeSize)];
      this.ends = new NativeInts(span);
    }

    NativeInts sourcesOf(int range) {
      return Objects.requireNonNull(sources[range]);
    }

    @Override
    public void close() {
      for (NativeInts ofRange : sources) {
        if (ofRange != null) {
          ofRange.close();
        }
      }
      ends.close();
    }
  }

  private BulkLinker.Work gatherInEdges() {
    closeJoin();
    int span = nodes.get(count - 1) - nodes.get(0) + 1;
    int ofWorkers = Math.min(RANGE, Math.ceilDiv(span, workers.threads()));
    int rangeSize = Math.max(ofWorkers, Math.ceilDiv(span, MOST_RANGES));
    InEdges edges = new InEdges(rangeSize, span);
    inEdges = edges;
    return new BulkLinker.Work(
        edges.sources.length,
        1,
        worker -> {
          int[] list = workers.scratch(worker, graph.maxDegree(0)).list;
          return range -> gatherInEdges(edges, range, list);
        });
  }

  private void gatherInEdges(InEdges edges, int range, int[] list) {
    NativeInts ends = edges.ends;
    int first = nodes.get(0);
    int from = range * edges.rangeSize;
    int size = (int) Math.min(edges.rangeSize, ends.length() - from);
    for (int place = 0; place < count; place++) {
      int degree = graph.neighbors(level, nodes.get(place), list);
      for (int i = 0; i < degree; i++) {
        int target = list[i] - first;
        if (target - from >= 0 && target - from < size) {
          ends.add(target, 1);
        }
      }
    }
    int sum = 0;
    for (int target = from; target < from + size; target++) {
      int degree = ends.get(target);
      ends.set(target, sum);
      sum += degree;
    }
    NativeInts sources = new NativeInts(sum);
    edges.sources[range] = sources;
    for (int place = 0; place < count; place++) {
      int node = nodes.get(place);
      int degree = graph.neighbors(level, node, list);
      for (int i = 0; i < degree; i++) {
        int target = list[i] - first;
        if (target - from >= 0 && target - from < size) {
          sources.set(ends.get(target), node);
          ends.add(target, 1);
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
    int target = node - nodes.get(0);
    int range = target / edges.rangeSize;
    int from = target % edges.rangeSize == 0 ? 0 : edges.ends.get(target - 1);
    int sources = edges.ends.get(target) - from;
    int taken = Math.min(sources, candidates.length - degree);
    int n = degree;
    for (int i = 0; i < taken; i++) {
      // Of a hub's many some, spread over all.
      int source = edges.sourcesOf(range).get(from + (long) i * sources / taken);
      if (!NeighborSelector.contains(candidates, degree, source)) {
        candidates[n++] = source;
      }
    }
    int most = graph.maxDegree(level);
    if (n > most) {
      measure(node, candidates, 0, n, scratch);
      choose(node, n, blocks ? most : NeighborSelector.usualFill(most), scratch);
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
