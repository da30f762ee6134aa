package io.omendb.index.hnsw;

import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;

/**
 * The nodes of an image: those linked at a moment between two batches. Whoever holds one keeps the
 * index's code table from being closed.
 *
 * <p>Taken by the index's writer ({@link HnswIndex#cut}), read by one thread at a time.
 */
public final class GraphCut implements AutoCloseable {
  final HnswGraph graph;
  final CodeTable codes;
  final int bound;
  final long entry;
  final int upperLists;
  final int fittedRows;
  private final int linked;
  private final boolean whole;

  /** As {@link HnswGraph}'s, at the cut; the bits of a cut that is not whole. */
  final AddressSpace levels;

  private final AddressSpace changed;
  private final AddressSpace added;

  GraphCut(HnswIndex index, boolean whole) {
    this.whole = whole;
    graph = index.graph();
    codes = index.codes();
    bound = graph.bound();
    entry = graph.entry();
    upperLists = graph.upperLists();
    linked = index.linkedCount();
    fittedRows = index.fittedRows();
    levels = copySpace(bound);
    Memory.copy(graph.levels().address(), levels.address(), bound);
    changed = copySpace(whole ? 0 : HnswGraph.bitBytes(bound));
    added = copySpace(whole ? 0 : HnswGraph.bitBytes(bound));
    if (whole) {
      graph.forgetChanges();
    } else {
      graph.takeChanges(changed, added);
    }
  }

  private static AddressSpace copySpace(long bytes) {
    AddressSpace space = AddressSpace.reserve(Math.max(1, bytes));
    space.commit(bytes);
    return space;
  }

  /** Nodes that are linked. */
  public int linked() {
    return linked;
  }

  /** Whether it is of all nodes, and not of those that had changed since the cut before. */
  public boolean isWhole() {
    return whole;
  }

  boolean isLinked(int ordinal) {
    return ordinal < bound && Memory.getByte(levels.address() + ordinal) > 0;
  }

  /** The first linked node from {@code ordinal} on that had changed; the bound if there is none. */
  int nextChanged(int ordinal) {
    int next = ordinal;
    while (next < bound) {
      long word = Memory.getLong(changed.address() + (long) (next >>> 6) * Long.BYTES) >>> next;
      if (word == 0) {
        next = (next | 63) + 1;
      } else {
        next += Long.numberOfTrailingZeros(word);
        if (isLinked(next)) {
          return next;
        }
        next++;
      }
    }
    return bound;
  }

  /** Whether a node had been linked since the cut before. */
  boolean isAdded(int ordinal) {
    long word = Memory.getLong(added.address() + (long) (ordinal >>> 6) * Long.BYTES);
    return (word >>> ordinal & 1) != 0;
  }

  /**
   * Copies a list as it is now, without ids of nodes that the cut does not have.
   *
   * @param ids scratch, as long as a list
   */
  void copyList(long source, long target, int[] ids) {
    int capacity = ids.length;
    int n = HnswGraph.read(source, capacity, ids);
    int kept = 0;
    for (int i = 0; i < n; i++) {
      int id = ids[i];
      boolean twice = false; // read while it was written
      for (int j = 0; j < kept && !twice; j++) {
        twice = ids[j] == id;
      }
      if (!twice && isLinked(id)) {
        ids[kept++] = id;
      }
    }
    Memory.writeInts(ids, 0, target, kept);
    if (kept < capacity) {
      Memory.putInt(target + 4L * kept, HnswGraph.END);
    }
  }

  @Override
  public void close() {
    levels.close();
    changed.close();
    added.close();
  }
}
