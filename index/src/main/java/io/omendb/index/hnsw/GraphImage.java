package io.omendb.index.hnsw;

import io.omendb.index.quantization.CodeTable;
import io.omendb.index.quantization.Quantizer;
import io.omendb.index.quantization.Rotation;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Writes an index as bytes, for loading instead of linking anew, and reads it back; {@link
 * GraphImageLayout} has them.
 *
 * <p>An image is of the nodes linked at a {@link GraphCut}, which is taken between two batches. It
 * is written while others are linked: each list is as it was at some moment since the cut, without
 * the ids of later nodes. So every invariant of {@link HnswGraph} holds but the last: a node may
 * have lost its predecessors to later ones, and whoever reads an image sweeps it. What changes
 * after the cut is for {@link GraphChanges} to add.
 */
public final class GraphImage {
  /** Lists are filtered in portions of this many bytes. */
  private static final long PORTION_BYTES = 64 << 10;

  private GraphImage() {}

  /** Takes native bytes in sequence. */
  @FunctionalInterface
  public interface Output {
    /** Appends {@code bytes} from {@code address}. */
    void write(long address, long bytes) throws IOException;
  }

  /** Gives native bytes in sequence. */
  @FunctionalInterface
  public interface Input {
    /** Fills {@code bytes} at {@code address}. */
    void read(long address, long bytes) throws IOException;
  }

  /** About how many bytes {@link #write} gives: codes and adjacency lists, which are nearly all. */
  public static long bytes(HnswIndex index) {
    return index.footprint().imageBytes();
  }

  /** Writes the nodes of a cut. */
  public static void write(GraphCut cut, Output output) throws IOException {
    writeHeader(cut, output);
    HnswGraph graph = cut.graph;
    output.write(cut.levels.address(), cut.bound);
    output.write(graph.upperAt().address(), 4L * cut.bound);
    writeLists(cut, graph.upper().address(), cut.upperLists, 4L * graph.m(), graph.m(), output);
    writeLists(
        cut, graph.links0().address(), cut.bound, graph.stride0(), graph.maxDegree(0), output);
    output.write(cut.codes.address(), (long) cut.bound * cut.codes.stride());
    if (cut.codes.quantizer().biased()) {
      output.write(cut.codes.biasAddress(), 4L * cut.bound);
    }
  }

  private static void writeHeader(GraphCut cut, Output output) throws IOException {
    HnswGraph graph = cut.graph;
    Quantizer quantizer = cut.codes.quantizer();
    long lowBytes = GraphImageLayout.lowBytes(quantizer.low().length);
    try (AddressSpace scratch = AddressSpace.reserve(GraphImageLayout.HEADER_BYTES + lowBytes)) {
      scratch.commit(GraphImageLayout.HEADER_BYTES + lowBytes);
      long h = scratch.address();
      Memory.putLong(h + GraphImageLayout.MAGIC, GraphImageLayout.MAGIC_VALUE);
      Memory.putInt(h + GraphImageLayout.M, graph.m());
      Memory.putInt(h + GraphImageLayout.DIMENSION, quantizer.dimension());
      Memory.putInt(h + GraphImageLayout.SIMILARITY, quantizer.similarity().code());
      Memory.putInt(h + GraphImageLayout.BOUND, cut.bound);
      Memory.putLong(h + GraphImageLayout.ENTRY, cut.entry);
      Memory.putInt(h + GraphImageLayout.UPPER_LISTS, cut.upperLists);
      Memory.putInt(h + GraphImageLayout.LINKED, cut.linked());
      Memory.putInt(h + GraphImageLayout.FITTED_ROWS, cut.fittedRows);
      Memory.putInt(h + GraphImageLayout.ROTATION, number(quantizer.rotation()));
      Memory.putFloat(h + GraphImageLayout.NORM_BOUND, quantizer.normBound());
      Memory.putFloat(h + GraphImageLayout.SCALE, quantizer.scale());
      Memory.putInt(h + GraphImageLayout.STRIDE0, graph.stride0());
      Memory.putInt(h + GraphImageLayout.CODE_STRIDE, cut.codes.stride());
      Memory.writeFloats(
          quantizer.low(), 0, h + GraphImageLayout.HEADER_BYTES, quantizer.low().length);
      output.write(h, GraphImageLayout.HEADER_BYTES + lowBytes);
    }
  }

  private static int number(@Nullable Rotation rotation) {
    return rotation == null ? 0 : Rotation.NUMBER;
  }

  /** Writes lists, each at its place, without ids of nodes that the cut does not have. */
  private static void writeLists(
      GraphCut cut, long address, int lists, long stride, int capacity, Output output)
      throws IOException {
    int portion = (int) Math.max(1, PORTION_BYTES / stride);
    int[] ids = new int[capacity];
    try (AddressSpace scratch = AddressSpace.reserve(portion * stride)) {
      scratch.commit(portion * stride);
      for (int first = 0; first < lists; first += portion) {
        int count = Math.min(portion, lists - first);
        Memory.fill(scratch.address(), count * stride, (byte) 0);
        for (int list = 0; list < count; list++) {
          cut.copyList(address + (first + list) * stride, scratch.address() + list * stride, ids);
        }
        output.write(scratch.address(), count * stride);
      }
    }
  }

  /**
   * Reads an image into an empty index of the same parameters.
   *
   * @param maxBound rows that exist; an image that names more does not fit them
   * @return false if the image is of another shape; the index is then still empty
   */
  public static boolean read(HnswIndex index, int maxBound, Input input) throws IOException {
    HnswGraph graph = index.graph();
    HnswIndex.Parameters parameters = index.parameters();
    try (AddressSpace scratch =
        AddressSpace.reserve(
            GraphImageLayout.HEADER_BYTES + GraphImageLayout.lowBytes(parameters.dimension()))) {
      scratch.commit(GraphImageLayout.HEADER_BYTES);
      long h = scratch.address();
      input.read(h, GraphImageLayout.HEADER_BYTES);
      int bound = Memory.getInt(h + GraphImageLayout.BOUND);
      if (Memory.getLong(h + GraphImageLayout.MAGIC) != GraphImageLayout.MAGIC_VALUE
          || Memory.getInt(h + GraphImageLayout.M) != parameters.m()
          || Memory.getInt(h + GraphImageLayout.DIMENSION) != parameters.dimension()
          || Memory.getInt(h + GraphImageLayout.SIMILARITY) != parameters.similarity().code()
          || Memory.getInt(h + GraphImageLayout.ROTATION) != number(index.rotation())
          || Memory.getInt(h + GraphImageLayout.STRIDE0) != graph.stride0()
          || bound < 0
          || bound > maxBound) {
        return false;
      }
      float[] low = new float[parameters.dimension()];
      scratch.commit(GraphImageLayout.HEADER_BYTES + GraphImageLayout.lowBytes(low.length));
      input.read(h + GraphImageLayout.HEADER_BYTES, GraphImageLayout.lowBytes(low.length));
      Memory.readFloats(h + GraphImageLayout.HEADER_BYTES, low, 0, low.length);
      Quantizer quantizer =
          new Quantizer(
              parameters.similarity(),
              parameters.dimension(),
              Memory.getFloat(h + GraphImageLayout.NORM_BOUND),
              Memory.getFloat(h + GraphImageLayout.SCALE),
              low,
              index.rotation());
      CodeTable codes = index.newTable(quantizer);
      if (codes.stride() != Memory.getInt(h + GraphImageLayout.CODE_STRIDE)) {
        codes.close();
        return false;
      }
      int upperLists = Memory.getInt(h + GraphImageLayout.UPPER_LISTS);
      try {
        readArrays(graph, codes, bound, upperLists, input);
      } catch (IOException | RuntimeException e) {
        codes.close(); // not yet the index's, which its owner closes
        throw e;
      }
      graph.restore(bound, upperLists, Memory.getLong(h + GraphImageLayout.ENTRY));
      index.restore(
          codes,
          Memory.getInt(h + GraphImageLayout.FITTED_ROWS),
          Memory.getInt(h + GraphImageLayout.LINKED));
      return true;
    }
  }

  private static void readArrays(
      HnswGraph graph, CodeTable codes, int bound, int upperLists, Input input) throws IOException {
    graph.ensure(bound);
    graph.upper().commit(4L * graph.m() * upperLists);
    codes.ensure(bound);
    input.read(graph.levels().address(), bound);
    input.read(graph.upperAt().address(), 4L * bound);
    input.read(graph.upper().address(), 4L * graph.m() * upperLists);
    input.read(graph.links0().address(), (long) bound * graph.stride0());
    input.read(codes.address(), (long) bound * codes.stride());
    if (codes.quantizer().biased()) {
      input.read(codes.biasAddress(), 4L * bound);
    }
  }
}
