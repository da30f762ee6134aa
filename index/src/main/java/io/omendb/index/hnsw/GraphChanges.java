package io.omendb.index.hnsw;

import io.omendb.index.hnsw.GraphImage.Input;
import io.omendb.index.hnsw.GraphImage.Output;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.io.IOException;

/**
 * Writes what changed in an index since the {@link GraphCut} before as bytes, and adds it to what
 * was read of an image; {@link GraphChangesLayout} has them.
 *
 * <p>A row that is linked changes some seventeen lists: 2.3 KB at m 16, where a whole image of ten
 * million rows has 2.6 GB. Lists are written as in {@link GraphImage}; a list that changes after
 * the cut is written again with the next.
 */
public final class GraphChanges {
  private GraphChanges() {}

  /** About how many bytes {@link #write} would give of a cut made now. */
  public static long bytes(HnswIndex index) {
    HnswGraph graph = index.graph();
    long node = (long) GraphChangesLayout.NODE_HEADER_BYTES + graph.stride0();
    return GraphChangesLayout.HEADER_BYTES
        + graph.changedNodes() * node
        + (long) graph.addedNodes() * index.codes().stride();
  }

  /** Writes the nodes that had changed at a cut. */
  public static void write(GraphCut cut, Output output) throws IOException {
    HnswGraph graph = cut.graph;
    CodeTable codes = cut.codes;
    int nodes = 0;
    for (int node = cut.nextChanged(0); node < cut.bound; node = cut.nextChanged(node + 1)) {
      nodes++;
    }
    int[] ids0 = new int[graph.maxDegree(0)];
    int[] ids = new int[graph.m()];
    long most = recordBytes(graph, codes);
    try (AddressSpace scratch = AddressSpace.reserve(most)) {
      scratch.commit(most);
      long h = scratch.address();
      Memory.putLong(h + GraphChangesLayout.MAGIC, GraphChangesLayout.MAGIC_VALUE);
      Memory.putInt(h + GraphChangesLayout.BOUND, cut.bound);
      Memory.putInt(h + GraphChangesLayout.UPPER_LISTS, cut.upperLists);
      Memory.putLong(h + GraphChangesLayout.ENTRY, cut.entry);
      Memory.putInt(h + GraphChangesLayout.LINKED, cut.linked());
      Memory.putInt(h + GraphChangesLayout.NODES, nodes);
      Memory.putInt(h + GraphChangesLayout.STRIDE0, graph.stride0());
      Memory.putInt(h + GraphChangesLayout.CODE_STRIDE, codes.stride());
      output.write(h, GraphChangesLayout.HEADER_BYTES);
      for (int node = cut.nextChanged(0); node < cut.bound; node = cut.nextChanged(node + 1)) {
        output.write(h, writeNode(cut, node, h, ids0, ids));
      }
    }
  }

  /** The most bytes that a header or a node takes. */
  private static long recordBytes(HnswGraph graph, CodeTable codes) {
    long upper = (long) HnswGraph.MAX_LEVEL * graph.m() * Integer.BYTES;
    return GraphChangesLayout.HEADER_BYTES + graph.stride0() + upper + codes.stride() + 4L;
  }

  private static long writeNode(GraphCut cut, int node, long at, int[] ids0, int[] ids) {
    HnswGraph graph = cut.graph;
    CodeTable codes = cut.codes;
    boolean added = cut.isAdded(node);
    byte level = Memory.getByte(cut.levels.address() + node);
    int upperAt = Memory.getInt(graph.upperAt().address() + 4L * node);
    Memory.putInt(at + GraphChangesLayout.NODE_ORDINAL, node);
    Memory.putInt(at + GraphChangesLayout.NODE_LEVEL, 0);
    Memory.putByte(at + GraphChangesLayout.NODE_LEVEL, level);
    Memory.putByte(at + GraphChangesLayout.NODE_NEW, (byte) (added ? 1 : 0));
    Memory.putInt(at + GraphChangesLayout.NODE_UPPER_AT, upperAt);
    long end = at + GraphChangesLayout.NODE_HEADER_BYTES;
    Memory.fill(end, graph.stride0(), (byte) 0);
    cut.copyList(graph.links0().address() + (long) node * graph.stride0(), end, ids0);
    end += graph.stride0();
    long listBytes = 4L * graph.m();
    for (int list = 0; list < HnswGraph.topLevel(level); list++) {
      Memory.fill(end, listBytes, (byte) 0);
      cut.copyList(graph.upper().address() + (upperAt + list) * listBytes, end, ids);
      end += listBytes;
    }
    if (added) {
      Memory.copy(codes.address() + (long) node * codes.stride(), end, codes.stride());
      end += codes.stride();
      if (codes.quantizer().biased()) {
        Memory.copy(codes.biasAddress() + 4L * node, end, Integer.BYTES);
        end += Integer.BYTES;
      }
    }
    return end - at;
  }

  /**
   * Adds to an index what changed after the image, or the changes, that it was read from.
   *
   * @param maxBound rows that exist; changes that name more do not fit them
   * @return false if they are of another shape; the index is then as it was
   */
  public static boolean read(HnswIndex index, int maxBound, Input input) throws IOException {
    HnswGraph graph = index.graph();
    CodeTable codes = index.codes();
    long most = recordBytes(graph, codes);
    try (AddressSpace scratch = AddressSpace.reserve(most)) {
      scratch.commit(most);
      long h = scratch.address();
      input.read(h, GraphChangesLayout.HEADER_BYTES);
      int bound = Memory.getInt(h + GraphChangesLayout.BOUND);
      int upperLists = Memory.getInt(h + GraphChangesLayout.UPPER_LISTS);
      long entry = Memory.getLong(h + GraphChangesLayout.ENTRY);
      int linked = Memory.getInt(h + GraphChangesLayout.LINKED);
      int nodes = Memory.getInt(h + GraphChangesLayout.NODES);
      if (Memory.getLong(h + GraphChangesLayout.MAGIC) != GraphChangesLayout.MAGIC_VALUE
          || Memory.getInt(h + GraphChangesLayout.STRIDE0) != graph.stride0()
          || Memory.getInt(h + GraphChangesLayout.CODE_STRIDE) != codes.stride()
          || bound < graph.bound()
          || bound > maxBound
          || upperLists < graph.upperLists()) {
        return false;
      }
      graph.ensure(bound);
      graph.upper().commit(4L * graph.m() * upperLists);
      codes.ensure(bound);
      for (int i = 0; i < nodes; i++) {
        readNode(graph, codes, h, input);
      }
      graph.restore(bound, upperLists, entry);
      index.restore(linked);
      return true;
    }
  }

  private static void readNode(HnswGraph graph, CodeTable codes, long at, Input input)
      throws IOException {
    input.read(at, GraphChangesLayout.NODE_HEADER_BYTES);
    int node = Memory.getInt(at + GraphChangesLayout.NODE_ORDINAL);
    byte level = Memory.getByte(at + GraphChangesLayout.NODE_LEVEL);
    int upperAt = Memory.getInt(at + GraphChangesLayout.NODE_UPPER_AT);
    Memory.putByte(graph.levels().address() + node, level);
    Memory.putInt(graph.upperAt().address() + 4L * node, upperAt);
    input.read(graph.links0().address() + (long) node * graph.stride0(), graph.stride0());
    int top = HnswGraph.topLevel(level);
    if (top > 0) {
      long listBytes = 4L * graph.m();
      input.read(graph.upper().address() + upperAt * listBytes, top * listBytes);
    }
    if (Memory.getByte(at + GraphChangesLayout.NODE_NEW) != 0) {
      input.read(codes.address() + (long) node * codes.stride(), codes.stride());
      if (codes.quantizer().biased()) {
        input.read(codes.biasAddress() + 4L * node, Integer.BYTES);
      }
    }
  }
}
