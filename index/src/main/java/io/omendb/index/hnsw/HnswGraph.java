package io.omendb.index.hnsw;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.OrderedMemory;
import java.lang.invoke.VarHandle;

/**
 * The adjacency lists: a flat level 0 and small upper levels, all in native memory.
 *
 * <pre>
 * links0   ordinal · stride0      int32[2m], ended by −1 when shorter; rows start on a cache line
 * levels   ordinal                int8: 0 not linked, else top level + 1, and 64 for a duplicate
 * upperAt  ordinal · 4            int32: first list of the node in upper, for top level ≥ 1
 * upper    list · m · 4           int32[m], ended by −1 when shorter; levels 1..top in a row
 * changed  ordinal / 8            bit: level or lists changed since the last {@link GraphCut}
 * added    ordinal / 8            bit: linked since then
 * outdated ordinal / 8            bit: level or lists changed since {@link #takeOutdated}
 * </pre>
 *
 * <p>Invariants (the checks of {@link GraphValidator}, in this order): every id in a list is a
 * linked ordinal below {@link #bound}; no list has its owner or an id twice; edges of level l lead
 * to nodes whose top level is at least l; the entry has the highest top level; every linked node is
 * reached from the entry on level 0, so each but the entry has a predecessor there.
 *
 * <p>A duplicate, a node whose vector another node has that was linked before, is no node of the
 * graph of different vectors: that leads to the other, and from there a tree of duplicates to all.
 * Otherwise the copies of a vector fill each other's lists and every beam that comes near, and what
 * lies behind them is not found. See {@link Duplicates}.
 *
 * <p>Threads: each list has one writer at a time; any number of readers, who never wait. A writer
 * stores ids and the new end mark before an id takes the place of the old one; a reader may meet a
 * mix of old and new ids, all of them linked nodes whose codes and lists were written before their
 * id was.
 */
public final class HnswGraph implements AutoCloseable {
  /** The most levels above 0. */
  static final int MAX_LEVEL = 15;

  static final int END = -1;
  private static final int DUPLICATE = 64;
  private static final long NO_ENTRY = -1L;

  private final int m;
  private final int maxDegree0;
  private final int stride0;
  private final AddressSpace links0;
  private final AddressSpace levels;
  private final AddressSpace upperAt;
  private final AddressSpace upper;
  private final AddressSpace changed;
  private final AddressSpace added;
  private final AddressSpace outdated;
  private int upperLists;
  private volatile int bound;
  private volatile long entry = NO_ENTRY;

  /**
   * @param m most neighbours above level 0; level 0 has twice as many
   * @param maxNodes addresses to reserve
   */
  public HnswGraph(int m, int maxNodes) {
    this.m = m;
    this.maxDegree0 = maxDegree0(m);
    this.stride0 = stride0(m);
    this.links0 = AddressSpace.reserve((long) maxNodes * stride0);
    this.levels = AddressSpace.reserve(maxNodes);
    this.upperAt = AddressSpace.reserve((long) maxNodes * Integer.BYTES);
    this.upper = AddressSpace.reserve((long) maxNodes * m * Integer.BYTES);
    this.changed = AddressSpace.reserve(bitBytes(maxNodes));
    this.added = AddressSpace.reserve(bitBytes(maxNodes));
    this.outdated = AddressSpace.reserve(bitBytes(maxNodes));
  }

  /** Bytes of a bit for each node, in whole words. */
  static long bitBytes(int nodes) {
    return (nodes + 63L) / 64 * Long.BYTES;
  }

  /** Most neighbours above level 0. */
  public int m() {
    return m;
  }

  /** Most neighbours on level 0. */
  static int maxDegree0(int m) {
    return 2 * m;
  }

  private static int stride0(int m) {
    return Math.ceilDiv(maxDegree0(m) * Integer.BYTES, Memory.CACHE_LINE) * Memory.CACHE_LINE;
  }

  /**
   * Bytes of a graph of so many nodes. One node in m has a list on level 1, one of these in m on
   * level 2, and so on.
   */
  static long bytesFor(int m, long nodes) {
    long upperLists = nodes / (m - 1);
    return nodes * (stride0(m) + Byte.BYTES + Integer.BYTES) + upperLists * m * Integer.BYTES;
  }

  /** Most neighbours on a level. */
  public int maxDegree(int level) {
    return level == 0 ? maxDegree0 : m;
  }

  /** One more than the largest ordinal that may appear in a list. */
  public int bound() {
    return bound;
  }

  /** The node that searches start from, or −1. */
  public int entryNode() {
    long e = entry;
    return e == NO_ENTRY ? -1 : (int) e;
  }

  /** The entry's top level; −1 for an empty graph. */
  public int maxLevel() {
    long e = entry;
    return e == NO_ENTRY ? -1 : (int) (e >>> 32);
  }

  /** Both in one read. */
  long entry() {
    return entry;
  }

  void setEntry(int ordinal, int level) {
    entry = (long) level << 32 | ordinal;
  }

  /** Top level of a node; −1 when it is not linked. */
  public int levelOf(int ordinal) {
    return topLevel(Memory.getByte(levels.address() + ordinal));
  }

  /** Top level by a node's byte of the table; −1 for a node that is not linked. */
  static int topLevel(byte level) {
    return (level & (DUPLICATE - 1)) - 1;
  }

  /** Whether a linked node is a duplicate. */
  boolean isDuplicate(int ordinal) {
    return (Memory.getByte(levels.address() + ordinal) & DUPLICATE) != 0;
  }

  void markDuplicate(int ordinal) {
    long address = levels.address() + ordinal;
    Memory.putByte(address, (byte) (Memory.getByte(address) | DUPLICATE));
    markChanged(ordinal);
  }

  /** Whether a node has been linked. */
  public boolean isLinked(int ordinal) {
    return ordinal < bound && levelOf(ordinal) >= 0;
  }

  /** Makes room for ordinals below {@code capacity}. Writer only. */
  void ensure(int capacity) {
    links0.commit((long) capacity * stride0);
    levels.commit(capacity);
    upperAt.commit((long) capacity * Integer.BYTES);
    changed.commit(bitBytes(capacity));
    added.commit(bitBytes(capacity));
    outdated.commit(bitBytes(capacity));
  }

  private void markChanged(int ordinal) {
    mark(changed, ordinal);
    mark(outdated, ordinal);
  }

  /** Marks all linked nodes outdated, and no other. Writer only. */
  void outdateAll() {
    Memory.fill(outdated.address(), bitBytes(bound), (byte) 0);
    for (int ordinal = 0; ordinal < bound; ordinal++) {
      if (levelOf(ordinal) >= 0) {
        mark(outdated, ordinal);
      }
    }
  }

  /**
   * Takes outdated nodes that are linked, and marks them no more. Writer only.
   *
   * @param into room for as many as are wanted
   * @return how many there were of these
   */
  int takeOutdated(int[] into) {
    int n = 0;
    for (int from = 0; from < bound; from += Long.SIZE) {
      long word = outdated.address() + from / Byte.SIZE;
      long bits = Memory.getLong(word);
      long left = bits;
      while (left != 0 && n < into.length) {
        int ordinal = from + Long.numberOfTrailingZeros(left);
        left &= left - 1;
        if (isLinked(ordinal)) {
          into[n++] = ordinal;
        }
      }
      if (bits != left) {
        Memory.putLong(word, left);
      }
      if (n == into.length) {
        break;
      }
    }
    return n;
  }

  /** Sets a node's bit; its word may have other nodes', which other threads set. */
  private static void mark(AddressSpace bits, int ordinal) {
    long word = bits.address() + (long) (ordinal >>> 5) * Integer.BYTES;
    int bit = 1 << ordinal;
    if ((Memory.getInt(word) & bit) == 0) {
      OrderedMemory.setBits(word, bit);
    }
  }

  /**
   * Moves the bits of what changed since the last call, of nodes below the bound, to copies. Writer
   * only, between two batches.
   */
  void takeChanges(AddressSpace changedSince, AddressSpace addedSince) {
    long bytes = bitBytes(bound);
    Memory.copy(changed.address(), changedSince.address(), bytes);
    Memory.copy(added.address(), addedSince.address(), bytes);
    forgetChanges();
  }

  /** Nothing has changed since. Writer only, between two batches. */
  void forgetChanges() {
    Memory.fill(changed.address(), bitBytes(bound), (byte) 0);
    Memory.fill(added.address(), bitBytes(bound), (byte) 0);
  }

  /** Nodes that changed since the last cut. */
  int changedNodes() {
    return count(changed);
  }

  /** Those of them that were linked since. */
  int addedNodes() {
    return count(added);
  }

  private int count(AddressSpace bits) {
    int n = 0;
    for (long at = 0; at < bitBytes(bound); at += Long.BYTES) {
      n += Long.bitCount(Memory.getLong(bits.address() + at));
    }
    return n;
  }

  /**
   * Gives a new node its levels, with empty lists. Writer only; invisible until it has an in-edge.
   */
  void addNode(int ordinal, int level) {
    addLists(ordinal, level);
    markLinked(ordinal, level);
  }

  /** Gives a node that is not linked yet its lists, all empty. Writer only. */
  void addLists(int ordinal, int level) {
    Memory.putInt(listAddress0(ordinal), END);
    if (level > 0) {
      int first = upperLists;
      upperLists += level;
      upper.commit((long) upperLists * m * Integer.BYTES);
      Memory.putInt(upperAt.address() + 4L * ordinal, first);
      for (int l = 1; l <= level; l++) {
        Memory.putInt(listAddress(l, ordinal), END);
      }
    }
  }

  /** Makes a node with lists one of the graph. Writer only. */
  void markLinked(int ordinal, int level) {
    Memory.putByte(levels.address() + ordinal, (byte) (level + 1));
    markChanged(ordinal);
    mark(added, ordinal);
  }

  /** Raises the bound once the codes and lists of all nodes below it are written. */
  void publishBound(int newBound) {
    VarHandle.releaseFence();
    bound = Math.max(bound, newBound);
  }

  private long listAddress0(int ordinal) {
    return links0.address() + (long) ordinal * stride0;
  }

  private long listAddress(int level, int ordinal) {
    if (level == 0) {
      return listAddress0(ordinal);
    }
    long list = Memory.getInt(upperAt.address() + 4L * ordinal) + level - 1L;
    return upper.address() + list * m * Integer.BYTES;
  }

  /**
   * Reads a list.
   *
   * @param into at least {@link #maxDegree} long
   * @return how many ids were read
   */
  public int neighbors(int level, int ordinal, int[] into) {
    return read(listAddress(level, ordinal), maxDegree(level), into);
  }

  /** Ids in a list. Writer only. */
  int degree(int level, int ordinal) {
    long address = listAddress(level, ordinal);
    int capacity = maxDegree(level);
    int n = 0;
    while (n < capacity && Memory.getInt(address + 4L * n) >= 0) {
      n++;
    }
    return n;
  }

  /** Reads the list at an address. */
  static int read(long address, int capacity, int[] into) {
    int n = 0;
    while (n < capacity) {
      int id = Memory.getInt(address + 4L * n);
      if (id < 0) {
        break;
      }
      into[n++] = id;
    }
    VarHandle.acquireFence();
    return n;
  }

  /**
   * First phase of a hop: reads the neighbours that the search has not met and may meet into {@code
   * scratch.gathered}, and marks them visited.
   *
   * @return how many
   */
  int unvisitedNeighbors(int level, int ordinal, SearchScratch scratch) {
    long address = listAddress(level, ordinal);
    int capacity = maxDegree(level);
    int searchBound = scratch.bound;
    int[] gathered = scratch.gathered;
    int n = 0;
    for (int i = 0; i < capacity; i++) {
      int id = Memory.getInt(address + 4L * i);
      if (id < 0) {
        break;
      }
      if (id < searchBound) {
        gathered[n] = id;
        n += scratch.mark(id);
      }
    }
    VarHandle.acquireFence();
    scratch.rememberGathered(n);
    return n;
  }

  /** Replaces a list. */
  void setNeighbors(int level, int ordinal, int[] ids, int count) {
    assert count <= maxDegree(level) : count + " neighbours on level " + level;
    int capacity = maxDegree(level);
    long address = listAddress(level, ordinal);
    int before = degree(level, ordinal);
    // The new end and what lies behind the old one come first: a reader who runs over the old end
    // mark, now an id, must find ids there, not what memory held before.
    if (count < capacity) {
      Memory.putInt(address + 4L * count, END);
    }
    for (int i = before + 1; i < count; i++) {
      Memory.putInt(address + 4L * i, ids[i]);
    }
    VarHandle.releaseFence();
    for (int i = 0; i < Math.min(count, before + 1); i++) {
      Memory.putInt(address + 4L * i, ids[i]);
    }
    markChanged(ordinal);
  }

  /** Appends to a list that has {@code count} ids and room. */
  void appendNeighbor(int level, int ordinal, int count, int id) {
    assert count < maxDegree(level) : "no room behind " + count + " neighbours";
    long address = listAddress(level, ordinal);
    if (count + 1 < maxDegree(level)) {
      Memory.putInt(address + 4L * (count + 1), END);
    }
    VarHandle.releaseFence();
    Memory.putInt(address + 4L * count, id);
    markChanged(ordinal);
  }

  /** Bytes of memory in use. */
  public long bytes() {
    return links0.committedBytes()
        + levels.committedBytes()
        + upperAt.committedBytes()
        + upper.committedBytes();
  }

  AddressSpace links0() {
    return links0;
  }

  AddressSpace levels() {
    return levels;
  }

  AddressSpace upperAt() {
    return upperAt;
  }

  AddressSpace upper() {
    return upper;
  }

  int stride0() {
    return stride0;
  }

  int upperLists() {
    return upperLists;
  }

  /** Takes what an image held. The memory was filled by the caller. */
  void restore(int restoredBound, int restoredUpperLists, long restoredEntry) {
    upperLists = restoredUpperLists;
    entry = restoredEntry;
    publishBound(restoredBound);
  }

  @Override
  public void close() {
    links0.close();
    levels.close();
    upperAt.close();
    upper.close();
    changed.close();
    added.close();
    outdated.close();
  }
}
