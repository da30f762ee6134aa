package io.omendb.index.hnsw;

import io.omendb.index.Similarity;
import io.omendb.index.distance.KernelSelfTest;
import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import io.omendb.index.quantization.Quantizer;
import io.omendb.index.quantization.QuantizerTrainer;
import io.omendb.index.quantization.Rotation;
import io.omendb.memory.NativeInts;
import java.io.UncheckedIOException;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One graph with the codes of its nodes: links batches, searches, checks and hashes itself.
 *
 * <p>Threads: one writer at a time ({@link #link}, {@link #sweep}, {@link #close}); any number of
 * searchers, each with its own {@link SearchScratch}. A code table that a refit replaced is handed
 * to the {@code retired} consumer, which closes it when no search can be reading it.
 */
public final class HnswIndex implements AutoCloseable {
  /** Most bytes of addresses that one array of an index reserves. */
  private static final long MAX_RESERVED = 1L << 36;

  /** A refit for clipping waits until this part of the graph was encoded since the last. */
  private static final int REFIT_SHARE = 16;

  /** Rows up to which the quantizer is fitted anew each time the graph has doubled. */
  private static final int REFIT_UP_TO = 1 << 14;

  /** Share of clipped components above which the quantizer no longer fits the data. */
  private static final double MAX_CLIPPED = 0.01;

  /** Rows that a refit encodes at a time: their numbers lie on the heap. */
  private static final int REFIT_SLICE = 1 << 16;

  /** Rows of a chunk of {@link #encoder}. */
  static final int ENCODE_CHUNK = 256;

  /** Nodes whose blocks are written in one call of {@link #writeBlocks}: some ten milliseconds. */
  private static final int BLOCKS_AT_ONCE = 8_192;

  private static final int BLOCKS_CHUNK = 64;

  /**
   * Largest batch after which blocks are written at once. Larger ones change most lists, and others
   * follow: searches go by codes until all is linked.
   */
  private static final int BLOCKS_WITH_BATCH = 512;

  /**
   * The choices that make a graph.
   *
   * @param similarity what near means
   * @param dimension components of a vector
   * @param m most neighbours above level 0
   * @param efConstruction beam of a link search
   * @param seed of the levels
   * @param blocks whether nodes have {@link NeighborBlocks}; not for INNER_PRODUCT
   */
  public record Parameters(
      Similarity similarity, int dimension, int m, int efConstruction, long seed, boolean blocks) {
    /** Checks what goes together. */
    public Parameters {
      if (blocks && similarity == Similarity.INNER_PRODUCT) {
        throw new IllegalArgumentException("blocks=true, expected false for INNER_PRODUCT");
      }
    }
  }

  private final Parameters parameters;
  private final VectorRows rows;
  private final Workers workers;
  private final Consumer<AutoCloseable> retired;
  private final @Nullable Rotation rotation;
  private volatile HnswGraph graph;
  private BatchLinker linker;
  private volatile CodeTable codes;

  /** Those that searches may use: of the table of now, and complete. */
  private volatile @Nullable NeighborBlocks blocks;

  /** Those of the table of now, complete or not; null: none is written yet. */
  private volatile @Nullable NeighborBlocks written;

  /** Rows there were when the quantizer was fitted, to all of them or to a sample. */
  private int fittedRows;

  private final LongAdder encodedComponents = new LongAdder();
  private final LongAdder clippedComponents = new LongAdder();

  /** Share that the fit itself clips: the best step for most rows is not the best for all. */
  private double clippedByFit;

  private boolean building;

  /** What a build has replaced; retired with its end, since nobody waits for searches before. */
  private final List<AutoCloseable> replaced = new ArrayList<>();

  /** More has changed since the last cut than lists and levels of some nodes. */
  private volatile boolean rewritten = true;

  private volatile int linkedCount;

  /** An empty index. */
  public HnswIndex(
      Parameters parameters, VectorRows rows, Workers workers, Consumer<AutoCloseable> retired) {
    this.parameters = parameters;
    this.rows = rows;
    this.workers = workers;
    this.retired = retired;
    this.graph = new HnswGraph(parameters.m, maxNodes(parameters));
    this.linker = linkerOf(graph);
    this.rotation = parameters.blocks ? new Rotation(parameters.dimension) : null;
    this.codes = newTable(untrained(parameters));
    if (parameters.blocks) {
      KernelSelfTest.verifyBlocks();
    }
  }

  private BatchLinker linkerOf(HnswGraph ofGraph) {
    return new BatchLinker(ofGraph, rows, parameters.efConstruction, parameters.seed, workers);
  }

  /** The most nodes that an index of these parameters can hold. */
  public static int maxNodes(Parameters parameters) {
    long widest = Math.max(8L * parameters.m, parameters.dimension + 64L);
    if (parameters.blocks) {
      int dims = Kernels.paddedCodes(parameters.dimension);
      widest = NeighborBlocks.stride(2 * parameters.m, dims);
    }
    return (int) Math.min(Integer.MAX_VALUE - 64, MAX_RESERVED / widest);
  }

  /** The choices that made the graph. */
  public Parameters parameters() {
    return parameters;
  }

  /** Where the nodes' vectors lie. */
  public VectorRows rows() {
    return rows;
  }

  /** The adjacency lists that a search started now would use. */
  public HnswGraph graph() {
    return graph;
  }

  /** The codes that a search started now would use. */
  public CodeTable codes() {
    return codes;
  }

  /** Nodes linked so far. */
  public int linkedCount() {
    return linkedCount;
  }

  /** Bytes of memory in use. */
  public IndexFootprint footprint() {
    NeighborBlocks now = written;
    return new IndexFootprint(codes.bytes(), now == null ? 0 : now.bytes(), graph.bytes());
  }

  /** Bytes of a node's blocks. */
  public int blockStride() {
    return NeighborBlocks.stride(graph.maxDegree(0), codes.dims());
  }

  /** Whether a search may go by blocks. */
  public boolean hasBlocks() {
    return blocks != null;
  }

  /** Whether {@link #writeBlocks} has something to do. Writer only. */
  public boolean lacksBlocks() {
    return parameters.blocks && !building && linkedCount > 0 && blocks == null;
  }

  /** Writes blocks of some nodes that lack them; with the last, searches may use them. */
  public void writeBlocks() {
    NeighborBlocks into = written;
    if (into == null) {
      into = new NeighborBlocks(graph, codes, MAX_RESERVED);
      graph.outdateAll();
      written = into;
    }
    into.ensure(graph.bound());
    int[] some = new int[BLOCKS_AT_ONCE];
    int n = graph.takeOutdated(some);
    write(into, some, n);
    if (n < some.length) {
      blocks = into;
    }
  }

  /** Writes the blocks of what a batch has changed, the batch itself first. */
  private void updateBlocks(int[] batch, int count) {
    NeighborBlocks into = blocks;
    if (into == null) {
      return;
    }
    if (count > BLOCKS_WITH_BATCH) {
      blocks = null;
      return;
    }
    try {
      into.ensure(graph.bound());
    } catch (UncheckedIOException e) {
      dropBlocks(); // without memory for them; the batch is linked, and found by codes
      return;
    }
    write(into, batch, count);
    int[] some = new int[BLOCKS_AT_ONCE];
    for (int n = graph.takeOutdated(some); n > 0; n = graph.takeOutdated(some)) {
      write(into, some, n);
    }
  }

  private void write(NeighborBlocks into, int[] nodes, int count) {
    workers.runEach(
        count,
        BLOCKS_CHUNK,
        worker -> {
          NeighborBlocks.Writer writer = into.writer();
          return i -> writer.write(nodes[i]);
        });
    VarHandle.releaseFence();
  }

  private void dropBlocks() {
    forgetBlocks(retired);
  }

  /** Forgets all blocks: their codes or all lists are others now. */
  private void forgetBlocks(Consumer<AutoCloseable> to) {
    NeighborBlocks old = written;
    blocks = null;
    written = null;
    if (old != null) {
      to.accept(old);
    }
  }

  /**
   * Links a batch: fits or refits the quantizer where due, encodes, links.
   *
   * @param batch distinct ordinals that are not linked
   * @param available rows that exist in all, of which a fit takes its sample
   */
  public void link(int[] batch, int count, int available) {
    if (count == 0) {
      return;
    }
    refitIfDue(available);
    int bound = graph.bound();
    for (int i = 0; i < count; i++) {
      bound = Math.max(bound, batch[i] + 1);
    }
    CodeTable table = codes;
    table.ensure(bound);
    encode(table, batch, count);
    linker.link(table, batch, count);
    int linked = linkedCount;
    linkedCount = linked + count; // one writer
    updateBlocks(batch, count);
  }

  /**
   * Begins to build another graph, of many nodes at once; see {@link BulkLinker}. Some of them may
   * be linked in the one there is. No quantizer is fitted until it has ended.
   *
   * @param ordinals ascending; closed with it
   * @param available rows that exist in all
   */
  public BulkLinker build(NativeInts ordinals, int available) {
    refitIfDue(available);
    codes.ensure(ordinals.get(ordinals.length() - 1) + 1);
    HnswGraph empty = new HnswGraph(parameters.m, maxNodes(parameters));
    try {
      BulkLinker begun = new BulkLinker(this, empty, codes, rows, workers, ordinals);
      building = true;
      return begun;
    } catch (RuntimeException e) {
      empty.close();
      throw e;
    }
  }

  /**
   * A graph that {@link BulkLinker} has built takes the place of the one that is searched, and it
   * is the index's to close. Waits for no search.
   */
  void publish(HnswGraph built, int nodes) {
    replaced.add(graph);
    forgetBlocks(replaced::add);
    graph = built;
    linker = linkerOf(built);
    linkedCount = nodes;
    rewritten = true;
  }

  /** {@link BulkLinker} has linked copies of nodes that it had published. */
  void copiesLinked(int nodes) {
    linkedCount = nodes;
  }

  /** A build was published, or given up. */
  void buildEnded() {
    building = false;
    replaced.forEach(retired);
    replaced.clear();
  }

  /** Links every node that the entry does not reach; returns how many needed it. */
  public int sweep() {
    int linked = ReachabilitySweep.run(graph, codes);
    updateBlocks(new int[0], 0);
    return linked;
  }

  /**
   * Finds the {@code ef} nearest nodes by the distance of what the scratch says: codes, neighbour
   * blocks where there are any, or full vectors.
   *
   * @param query padded to the kernels' float block
   * @return how many were found, read by {@link #found}
   */
  public int search(float[] query, int ef, SearchScratch scratch) {
    // In this order: whatever builds, refits and batches change in between, the search meets only
    // nodes of this graph below the bound, and for those this table has rows.
    HnswGraph searched = graph;
    long entry = searched.entry();
    int bound = searched.bound();
    NeighborBlocks complete = scratch.scoring == Scoring.BLOCKS ? blocks : null;
    if (complete != null && complete.graph() != searched) {
      complete = null; // of a graph that has taken its place since
    }
    CodeTable table = complete == null ? codes : complete.codes();
    scratch.resetCounters();
    if (scratch.vectorQuery == null) {
      scratch.vectors = null;
      Quantizer quantizer = table.quantizer();
      scratch.biased = quantizer.biased();
      quantizer.encodeQuery(query, scratch.query(table.dims()), scratch.work(parameters.dimension));
      if (complete != null && BlockSearcher.search(searched, entry, bound, complete, ef, scratch)) {
        return scratch.poolSize;
      }
    } else {
      scratch.vectors = rows;
      scratch.similarity = parameters.similarity;
      scratch.biased = false;
    }
    HnswSearcher.search(searched, entry, bound, table, ef, scratch);
    return scratch.poolSize;
  }

  /** The ordinal of the i-th nearest node of the last search. */
  public static int found(SearchScratch scratch, int i) {
    return HnswSearcher.pooledOrdinal(scratch.pool[i]);
  }

  /** The distance of the i-th nearest node of the last search, of what it was scored on. */
  public static int foundDistance(SearchScratch scratch, int i) {
    return HnswSearcher.distanceOf(scratch.pool[i]);
  }

  /** CRC32C over entry, levels and lists: equal graphs have equal hashes. */
  public long graphHash() {
    HnswGraph hashed = graph;
    CRC32C crc = new CRC32C();
    int[] list = new int[hashed.maxDegree(0)];
    updateInt(crc, hashed.entryNode());
    for (int node = 0; node < hashed.bound(); node++) {
      int top = hashed.levelOf(node);
      crc.update(top);
      for (int level = 0; level <= top; level++) {
        int degree = hashed.neighbors(level, node, list);
        for (int i = 0; i < degree; i++) {
          updateInt(crc, list[i]);
        }
        updateInt(crc, -1);
      }
    }
    return crc.getValue();
  }

  private static void updateInt(CRC32C crc, int value) {
    crc.update(value);
    crc.update(value >>> 8);
    crc.update(value >>> 16);
    crc.update(value >>> 24);
  }

  private void refitIfDue(int available) {
    boolean first = fittedRows == 0;
    boolean grown = fittedRows < REFIT_UP_TO && linkedCount >= 2L * fittedRows;
    boolean clipping =
        encodedComponents.sum() >= (long) linkedCount / REFIT_SHARE * parameters.dimension
            && clippedComponents.sum() > (MAX_CLIPPED + 2 * clippedByFit) * encodedComponents.sum();
    if (building || (!first && !grown && !clipping)) {
      return;
    }
    fittedRows = available;
    Quantizer quantizer =
        QuantizerTrainer.fit(
            parameters.similarity, parameters.dimension, available, rows::row, rotation);
    CodeTable fitted = newTable(quantizer);
    fitted.ensure(graph.bound());
    encodedComponents.reset();
    clippedComponents.reset();
    int[] linked = new int[Math.min(linkedCount, REFIT_SLICE)];
    int n = 0;
    for (int node = 0; node < graph.bound(); node++) {
      if (graph.isLinked(node)) {
        linked[n++] = node;
      }
      if (n > 0 && n == linked.length) {
        encode(fitted, linked, n);
        n = 0;
      }
    }
    encode(fitted, linked, n);
    clippedByFit = (double) clippedComponents.sum() / Math.max(1, encodedComponents.sum());
    encodedComponents.reset();
    clippedComponents.reset();
    CodeTable old = codes;
    codes = fitted;
    rewritten = true;
    dropBlocks();
    retired.accept(old);
  }

  private void encode(CodeTable table, int[] ordinals, int count) {
    workers.run(Math.ceilDiv(count, ENCODE_CHUNK), w -> encoder(table, i -> ordinals[i], count));
  }

  /** What encodes chunks of {@link #ENCODE_CHUNK} ordinals. */
  Workers.ChunkTask encoder(CodeTable table, IntUnaryOperator ordinals, int count) {
    float[] work = new float[parameters.dimension];
    return chunk -> {
      int from = chunk * ENCODE_CHUNK;
      int to = Math.min(count, from + ENCODE_CHUNK);
      long clipped = 0;
      willRead(ordinals, from, to);
      for (int i = from; i < to; i++) {
        int node = ordinals.applyAsInt(i);
        clipped += table.encode(node, rows.row(node), rows.squaredNorm(node), work);
      }
      clippedComponents.add(clipped);
      encodedComponents.add((long) (to - from) * parameters.dimension);
    };
  }

  /** Tells that rows are about to be read, if most between the first and the last are. */
  void willRead(IntUnaryOperator ordinals, int from, int to) {
    int first = ordinals.applyAsInt(from);
    int last = ordinals.applyAsInt(to - 1);
    if (last >= first && last - first < 2 * (to - from)) {
      rows.willRead(first, last + 1);
    }
  }

  /** What turns vectors before they are coded; null: nothing. */
  @Nullable Rotation rotation() {
    return rotation;
  }

  CodeTable newTable(Quantizer quantizer) {
    return new CodeTable(quantizer, MAX_RESERVED);
  }

  private static Quantizer untrained(Parameters parameters) {
    return new Quantizer(
        parameters.similarity, parameters.dimension, 0, 1, new float[parameters.dimension]);
  }

  /** Checks the graph's invariants; see {@link GraphValidator}. */
  public List<String> violations() {
    return GraphValidator.violations(graph);
  }

  int fittedRows() {
    return fittedRows;
  }

  /** Takes what an image held; the arrays were filled by {@link GraphImage}. */
  void restore(CodeTable restoredCodes, int restoredFittedRows, int restoredLinkedCount) {
    CodeTable old = codes;
    codes = restoredCodes;
    fittedRows = restoredFittedRows;
    linkedCount = restoredLinkedCount;
    rewritten = false;
    dropBlocks();
    old.close();
  }

  /** Takes what was added to an image; the arrays were filled by {@link GraphChanges}. */
  void restore(int restoredLinkedCount) {
    linkedCount = restoredLinkedCount;
  }

  /**
   * Whether an image must be written whole: there is none to add to, or codes or all lists have
   * changed since. Any thread.
   */
  public boolean needsWholeImage() {
    return rewritten;
  }

  /** The image of the last {@link #cut} was not written. Any thread; until then none cuts. */
  public void imageLost() {
    rewritten = true;
  }

  /**
   * The nodes that are linked now, for an image: the next cut's changes are since this one. Writer
   * only.
   *
   * @param whole whether the image is to be of all, or of what has changed since the last cut
   */
  public GraphCut cut(boolean whole) {
    assert whole || !rewritten : "no image to add to";
    GraphCut cut = new GraphCut(this, whole);
    rewritten = false;
    return cut;
  }

  @Override
  public void close() {
    graph.close();
    codes.close();
    NeighborBlocks last = written;
    if (last != null) {
      last.close();
    }
  }
}
