package io.omendb.index.hnsw;

import io.omendb.index.distance.Panel;
import io.omendb.index.distance.WideRows;
import io.omendb.index.quantization.CodeTable;
import io.omendb.index.quantization.Projection;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The nodes of a bulk build in fewer components ({@link Projection}), for what is compared many
 * with many: of 784 dimensions these products were two thirds of a build, of 128 a third. The lists
 * are chosen by codes as ever, of what was found so.
 *
 * <p>Half of the components, and 126 at most, serve where rows differ in few directions, as images
 * and their features do (60,000 Fashion-MNIST: built in 2.5 s for 6.1, recall 0.9978 at ef 40 for
 * 0.9982; with 48 of them 0.9976, and 0.951 for 0.964 at ef 10). Where they do not, as words', half
 * of a leaf's nearest are others (100,000 GloVe, 48 of 100: 0.845 at ef 40 for 0.863), which {@link
 * LeafAgreement} tells.
 *
 * <p>Memory: one or two cache lines for each ordinal up to the last, until it is closed.
 */
final class Sketch implements AutoCloseable {
  /** Dimensions from which on it pays. */
  private static final int LEAST_DIMENSION = 96;

  private static final int MOST_COMPONENTS = 21 * WideRows.TILE;

  /** Bytes of a row, at most. */
  static final int MOST_STRIDE = 2 * Memory.CACHE_LINE;

  /** Nodes that the projection is found from. */
  private static final int SAMPLE = 4_096;

  /** Nodes of a chunk. */
  private static final int CHUNK = 4 * Panel.LANES;

  /** Chunks of a step, for each thread: some milliseconds. */
  private static final int OF_STEP = 8;

  private final CodeTable codes;
  private final NativeInts nodes;
  private final int count;
  private final Projection projection;
  private final AddressSpace space;
  private final int stride;

  /**
   * @param nodes ordinals, ascending, that have their codes; at least {@link Panel#LANES}
   */
  Sketch(CodeTable codes, NativeInts nodes) {
    this.codes = codes;
    this.nodes = nodes;
    this.count = Math.toIntExact(nodes.length());
    this.projection = new Projection(codes.dims(), components(codes.quantizer().dimension()));
    this.stride = stride(projection.components());
    long bytes = (nodes.get(count - 1) + 1L) * stride;
    this.space = AddressSpace.reserve(bytes);
    space.commit(bytes);
  }

  /** Whether one is made for so many nodes. */
  static boolean pays(int dimension, long nodes) {
    return dimension >= LEAST_DIMENSION && nodes > Partition.LARGEST_LEAF;
  }

  /** Bytes of a row; 0 where none is made. */
  static int stride(int dimension, long nodes) {
    return pays(dimension, nodes) ? stride(components(dimension)) : 0;
  }

  private static int stride(int components) {
    return Math.ceilDiv(components, Memory.CACHE_LINE) * Memory.CACHE_LINE;
  }

  private static int components(int dimension) {
    return Math.min(MOST_COMPONENTS, dimension / 2 / WideRows.TILE * WideRows.TILE);
  }

  /** Its rows, after all stages. */
  JoinRows rows() {
    return new JoinRows(space.address(), stride, projection.components());
  }

  /** What is to be done, in this order. */
  List<Supplier<BulkLinker.Work>> stages() {
    List<Supplier<BulkLinker.Work>> stages = new ArrayList<>();
    int parts = Math.max(1, Math.min(count, SAMPLE) / CHUNK);
    for (int pass = 0; pass < Projection.PASSES; pass++) {
      for (int part = 0; part < parts; part++) {
        int first = part * CHUNK;
        stages.add(() -> BulkLinker.Work.serial(() -> add(first, parts * CHUNK)));
      }
      stages.add(() -> BulkLinker.Work.serial(projection::endPass));
    }
    stages.add(this::project);
    return stages;
  }

  /** Adds some nodes of a sample that is spread over all. */
  private void add(int first, int sample) {
    long[] rows = new long[Panel.LANES];
    for (int from = first; from < first + CHUNK; from += Panel.LANES) {
      for (int lane = 0; lane < rows.length; lane++) {
        int place = (int) ((long) (from + lane) * count / sample);
        rows[lane] = codes.row(nodes.get(place));
      }
      projection.add(rows);
    }
  }

  private BulkLinker.Work project() {
    return new BulkLinker.Work(
        Math.ceilDiv(count, CHUNK),
        OF_STEP,
        worker -> {
          Projection.Scratch scratch = projection.newScratch();
          long[] rows = new long[Panel.LANES];
          long[] targets = new long[Panel.LANES];
          return chunk -> {
            int to = Math.min(count, (chunk + 1) * CHUNK);
            for (int from = chunk * CHUNK; from < to; from += Panel.LANES) {
              int some = Math.min(Panel.LANES, to - from);
              for (int lane = 0; lane < some; lane++) {
                int node = nodes.get(from + lane);
                rows[lane] = codes.row(node);
                targets[lane] = space.address() + (long) node * stride;
              }
              projection.project(rows, targets, some, scratch);
            }
          };
        });
  }

  @Override
  public void close() {
    space.close();
  }
}
