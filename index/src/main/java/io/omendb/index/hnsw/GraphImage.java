package io.omendb.index.hnsw;

import io.omendb.index.quantization.CodeTable;
import io.omendb.index.quantization.Quantizer;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.io.IOException;

/**
 * The bytes of an index in a file, for loading instead of linking anew. Little-endian:
 *
 * <pre>
 *  0  int64  magic "OMGRAPH1"
 *  8  int32  m
 * 12  int32  dimension
 * 16  int32  similarity (its code)
 * 20  int32  bound: one more than the largest ordinal
 * 24  int64  entry: level in the high half, ordinal in the low; −1 for none
 * 32  int32  lists in upper
 * 36  int32  linked nodes
 * 40  int32  rows there were at the quantizer's fit
 * 44  int32  0
 * 48  float  the quantizer's norm bound
 * 52  float  its scale
 * 56  int32  stride of a level-0 list, bytes
 * 60  int32  stride of a code row, bytes
 * 64  float[dimension]   the quantizer's low, padded to 64 bytes
 *     int8[bound]               levels
 *     int32[bound]              first upper list of each node
 *     int32[lists · m]          upper
 *     int32[bound · stride / 4] level 0
 *     int8[bound · stride]      codes
 *     int32[bound]              biases, of a biased quantizer
 * </pre>
 *
 * <p>Not thread-safe against the index's writer.
 */
public final class GraphImage {
  private static final long MAGIC = 0x3148_5041_5247_4D4FL;
  private static final int HEADER = 64;

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

  /** Writes an index. */
  public static void write(HnswIndex index, Output output) throws IOException {
    HnswGraph graph = index.graph();
    CodeTable codes = index.codes();
    Quantizer quantizer = codes.quantizer();
    int bound = graph.bound();
    long lowBytes = lowBytes(quantizer.low().length);
    try (AddressSpace scratch = AddressSpace.reserve(HEADER + lowBytes)) {
      scratch.commit(HEADER + lowBytes);
      long h = scratch.address();
      Memory.putLong(h, MAGIC);
      Memory.putInt(h + 8, graph.m());
      Memory.putInt(h + 12, quantizer.dimension());
      Memory.putInt(h + 16, quantizer.similarity().code());
      Memory.putInt(h + 20, bound);
      Memory.putLong(h + 24, graph.entry());
      Memory.putInt(h + 32, graph.upperLists());
      Memory.putInt(h + 36, index.linkedCount());
      Memory.putInt(h + 40, index.fittedRows());
      Memory.putInt(h + 44, 0);
      Memory.putFloat(h + 48, quantizer.normBound());
      Memory.putFloat(h + 52, quantizer.scale());
      Memory.putInt(h + 56, graph.stride0());
      Memory.putInt(h + 60, codes.stride());
      Memory.writeFloats(quantizer.low(), 0, h + HEADER, quantizer.low().length);
      output.write(h, HEADER + lowBytes);
    }
    output.write(graph.levels().address(), bound);
    output.write(graph.upperAt().address(), 4L * bound);
    output.write(graph.upper().address(), 4L * graph.m() * graph.upperLists());
    output.write(graph.links0().address(), (long) bound * graph.stride0());
    output.write(codes.address(), (long) bound * codes.stride());
    if (quantizer.biased()) {
      output.write(codes.biasAddress(), 4L * bound);
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
    try (AddressSpace scratch = AddressSpace.reserve(HEADER + lowBytes(parameters.dimension()))) {
      scratch.commit(HEADER);
      long h = scratch.address();
      input.read(h, HEADER);
      int bound = Memory.getInt(h + 20);
      if (Memory.getLong(h) != MAGIC
          || Memory.getInt(h + 8) != parameters.m()
          || Memory.getInt(h + 12) != parameters.dimension()
          || Memory.getInt(h + 16) != parameters.similarity().code()
          || Memory.getInt(h + 56) != graph.stride0()
          || bound < 0
          || bound > maxBound) {
        return false;
      }
      float[] low = new float[parameters.dimension()];
      scratch.commit(HEADER + lowBytes(low.length));
      input.read(h + HEADER, lowBytes(low.length));
      Memory.readFloats(h + HEADER, low, 0, low.length);
      Quantizer quantizer =
          new Quantizer(
              parameters.similarity(),
              parameters.dimension(),
              Memory.getFloat(h + 48),
              Memory.getFloat(h + 52),
              low);
      CodeTable codes = index.newTable(quantizer);
      if (codes.stride() != Memory.getInt(h + 60)) {
        codes.close();
        return false;
      }
      int upperLists = Memory.getInt(h + 32);
      try {
        readArrays(graph, codes, bound, upperLists, input);
      } catch (IOException | RuntimeException e) {
        codes.close(); // not yet the index's, which its owner closes
        throw e;
      }
      graph.restore(bound, upperLists, Memory.getLong(h + 24));
      index.restore(codes, Memory.getInt(h + 40), Memory.getInt(h + 36));
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

  private static long lowBytes(int length) {
    return (4L * length + HEADER - 1) / HEADER * HEADER;
  }
}
