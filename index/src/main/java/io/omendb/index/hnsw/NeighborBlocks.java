package io.omendb.index.hnsw;

import io.omendb.index.distance.FastScan;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;

/**
 * What a search needs of a node in one stretch of memory: its code, and its level-0 neighbours with
 * one-bit codes relative to it, which are scored 32 at a time without going to them (SymphonyQG, <a
 * href="https://arxiv.org/abs/2411.12229">2411.12229</a>).
 *
 * <pre>
 * stretch of an ordinal, on a cache line:
 *   byte[dims]  the node's code, padded to a cache line
 *   for each 32 neighbours:
 *     int32[32]   their ordinals; −1: none
 *     the block   see {@link FastScan}
 * </pre>
 *
 * <p>All of it follows from the codes and the lists, and is written again when these change: it is
 * in no file. A stretch that was never written is zero.
 *
 * <p>Threads: several may write, each other nodes; any number read. A reader who meets a stretch
 * while it is written may estimate some neighbours wrongly; all that it names have stretches, if
 * those of new nodes are written before those that name them.
 */
final class NeighborBlocks implements AutoCloseable {
  private final HnswGraph graph;
  private final CodeTable codes;
  private final AddressSpace stretches;
  private final int blocks;
  private final int first;
  private final int step;
  private final int stride;

  /**
   * @param codes of the nodes, as long as these blocks are used
   * @param maxBytes addresses to reserve
   */
  NeighborBlocks(HnswGraph graph, CodeTable codes, long maxBytes) {
    this.graph = graph;
    this.codes = codes;
    this.blocks = Math.ceilDiv(graph.maxDegree(0), FastScan.COLUMNS);
    this.first = first(codes.dims());
    this.step = step(codes.dims());
    this.stride = stride(graph.maxDegree(0), codes.dims());
    this.stretches = AddressSpace.reserve(maxBytes);
  }

  /** Bytes of a node's stretch. */
  static int stride(int maxDegree, int dims) {
    return first(dims) + Math.ceilDiv(maxDegree, FastScan.COLUMNS) * step(dims);
  }

  private static int first(int dims) {
    return Math.ceilDiv(dims, Memory.CACHE_LINE) * Memory.CACHE_LINE;
  }

  private static int step(int dims) {
    return FastScan.COLUMNS * Integer.BYTES + FastScan.blockBytes(dims);
  }

  /** Whose lists they are of. */
  HnswGraph graph() {
    return graph;
  }

  CodeTable codes() {
    return codes;
  }

  /** Blocks of a node. */
  int blocks() {
    return blocks;
  }

  /** Bytes of a node's stretch. */
  int stride() {
    return stride;
  }

  /** Address of a node's stretch, which begins with its code. */
  long stretch(int ordinal) {
    return stretches.address() + (long) ordinal * stride;
  }

  /** Address of the ordinals of a block. */
  long ids(long stretch, int block) {
    return stretch + first + (long) block * step;
  }

  /** Address of a block, by that of its ordinals. */
  static long block(long ids) {
    return ids + FastScan.COLUMNS * Integer.BYTES;
  }

  /** Whether a node's stretch was ever written: no list names a node twice. */
  boolean isWritten(int ordinal) {
    return Memory.getLong(ids(stretch(ordinal), 0)) != 0;
  }

  /** Makes room for ordinals below {@code capacity}. One thread. */
  void ensure(int capacity) {
    stretches.commit((long) capacity * stride);
  }

  /** Bytes of memory in use. */
  long bytes() {
    return stretches.committedBytes();
  }

  /** What writes stretches; of one thread. */
  Writer writer() {
    return new Writer();
  }

  /** Writes stretches; of one thread. */
  final class Writer {
    private final FastScan.Writer writer =
        new FastScan.Writer(codes.quantizer().dimension(), codes.dims());
    private final int[] neighbors = new int[blocks * FastScan.COLUMNS];

    /** Writes a node's stretch as its code and its list are now. */
    void write(int ordinal) {
      long code = codes.row(ordinal);
      long stretch = stretch(ordinal);
      Memory.copy(code, stretch, codes.dims());
      int degree = graph.neighbors(0, ordinal, neighbors);
      for (int block = 0; block < blocks; block++) {
        int from = block * FastScan.COLUMNS;
        int count = Math.clamp(degree - from, 0, FastScan.COLUMNS);
        long ids = ids(stretch, block);
        writer.write(
            code,
            codes.address(),
            codes.stride(),
            neighbors,
            from,
            count,
            NeighborBlocks.block(ids));
        for (int column = 0; column < FastScan.COLUMNS; column++) {
          Memory.putInt(
              ids + 4L * column, column < count ? neighbors[from + column] : HnswGraph.END);
        }
      }
    }
  }

  @Override
  public void close() {
    stretches.close();
  }
}
