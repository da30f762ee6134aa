package io.omendb.index.hnsw;

import io.omendb.index.distance.NearestRows;
import io.omendb.index.distance.Panel;
import io.omendb.index.distance.WideRows;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;
import java.util.Arrays;

/**
 * Cuts nodes into overlapping leaves of near ones: PiPNN's randomized ball carving
 * (arXiv:2602.21247, §4.1). Each node joins the {@link #fanout} nearest of some leaders; what is
 * larger than a leaf is cut again by leaders of its own, each node to the nearest one.
 *
 * <pre>
 * members  leaf after leaf, int32: places of nodes
 * </pre>
 *
 * <p>A place is a node's number among those that are partitioned. Leaders are spread evenly over
 * the places, so that the leaves depend on nothing but the order of the nodes.
 *
 * <p>Memory: 6 bytes a node and leader, off the heap. Threads: the chunks of {@link #assign} and of
 * {@link #split} may run on several; everything else is for one.
 */
final class Partition implements AutoCloseable {
  /** Most members of a leaf. */
  static final int LARGEST_LEAF = 512;

  /** Leaves below this are joined to the one before. */
  private static final int SMALLEST_LEAF = 48;

  /** Leaders of the first cut. */
  private static final int MOST_LEADERS = 1000;

  /** Nodes of a chunk of {@link #assign}; a multiple of {@link Panel#LANES}. */
  private static final int STRIPE = 256;

  /** Entries among which a leaf is sought; about as many as a leaf has. */
  private static final int ENTRIES_OF_SEARCH = 128;

  private final JoinRows rows;
  private final NativeInts nodes;
  private final int count;
  private final int fanout;
  private final int leaders;
  private final WideRows leaderRows;
  private final NativeInts members;
  private final AddressSpace assigned;
  private final int[] clusterStarts;
  private final int[][] leavesOf;
  private int[] leafStarts = {};

  /** The leaf of every {@link #ENTRIES_OF_SEARCH}-th entry. */
  private int[] leafAt = {};

  /**
   * @param nodes ordinals by place
   * @param fanout leaves that each node is in
   */
  Partition(JoinRows rows, NativeInts nodes, int fanout) {
    this.rows = rows;
    this.nodes = nodes;
    this.count = Math.toIntExact(nodes.length());
    long wanted = Math.ceilDiv(2L * count * fanout, LARGEST_LEAF);
    this.leaders =
        count <= LARGEST_LEAF ? 1 : (int) Math.min(Math.min(MOST_LEADERS, wanted), count);
    this.fanout = Math.min(fanout, leaders);
    long entries = entries();
    this.members = new NativeInts(entries);
    this.assigned = AddressSpace.reserve(entries * Short.BYTES);
    assigned.commit(entries * Short.BYTES);
    this.leaderRows = new WideRows(rows.dims());
    this.clusterStarts = new int[leaders + 1];
    this.leavesOf = new int[leaders][];
    leaderRows.resize(leaders);
    for (int l = 0; l < leaders; l++) {
      leaderRows.set(l, rows.row(nodes.get(spread(l, leaders, count))));
    }
  }

  /** Leaves that each node is in. */
  int fanout() {
    return fanout;
  }

  /** Members of all leaves. */
  int entries() {
    return Math.multiplyExact(count, fanout);
  }

  /** The place that is the entry's member. */
  int member(int entry) {
    return members.get(entry);
  }

  /** Swaps two entries of a leaf. */
  void swap(int entry, int other) {
    int swapped = members.get(entry);
    members.set(entry, members.get(other));
    members.set(other, swapped);
  }

  /** Leaves; after the last {@link #split}. */
  int leaves() {
    return leafStarts.length - 1;
  }

  /** First entry of a leaf; for {@link #leaves()} the end of the last. */
  int leafStart(int leaf) {
    return leafStarts[leaf];
  }

  /** The leaf of an entry. */
  int leafOf(int entry) {
    int leaf = leafAt[entry / ENTRIES_OF_SEARCH];
    while (leafStarts[leaf + 1] <= entry) {
      leaf++;
    }
    return leaf;
  }

  /** The i-th of some places that are spread over {@code size}. */
  private static int spread(int i, int some, int size) {
    return (int) (((long) i * size + size / 2) / some);
  }

  /** Chunks of {@link #assign}. */
  int stripes() {
    return Math.ceilDiv(count, STRIPE);
  }

  /** A worker's own arrays. */
  static final class Scratch {
    private final Panel panel;
    private final WideRows ownLeaders;
    private final NearestRows nearest = new NearestRows();
    private int[] order = new int[0];
    private int[] starts = new int[0];
    private short[] leaderOf = new short[0];

    Scratch(int dims) {
      panel = new Panel(dims);
      ownLeaders = new WideRows(dims);
    }
  }

  /** For one thread at a time. */
  Scratch newScratch() {
    return new Scratch(rows.dims());
  }

  /** Finds the leaders of a stripe of places. */
  void assign(int stripe, Scratch scratch) {
    int to = Math.min(count, (stripe + 1) * STRIPE);
    for (int from = stripe * STRIPE; from < to; from += Panel.LANES) {
      int lanes = Math.min(Panel.LANES, to - from);
      for (int lane = 0; lane < lanes; lane++) {
        scratch.panel.set(lane, rows.row(nodes.get(from + lane)));
      }
      scratch.nearest.find(leaderRows, leaders, scratch.panel, leaders);
      for (int lane = 0; lane < lanes; lane++) {
        for (int f = 0; f < fanout; f++) {
          long at = assigned.address() + 2L * ((long) (from + lane) * fanout + f);
          Memory.putShort(at, (short) scratch.nearest.row(f, lane));
        }
      }
    }
  }

  /** Puts each place into the clusters of its leaders. After all stripes. */
  void scatter() {
    long entries = entries();
    for (long e = 0; e < entries; e++) {
      clusterStarts[1 + (Memory.getShort(assigned.address() + 2 * e) & 0xFFFF)]++;
    }
    for (int l = 0; l < leaders; l++) {
      clusterStarts[l + 1] += clusterStarts[l];
    }
    int[] next = Arrays.copyOf(clusterStarts, leaders);
    for (long e = 0; e < entries; e++) {
      int leader = Memory.getShort(assigned.address() + 2 * e) & 0xFFFF;
      members.set(next[leader]++, (int) (e / fanout));
    }
  }

  /** Chunks of {@link #split}. */
  int clusters() {
    return leaders;
  }

  /** Cuts a cluster until each part is a leaf. After {@link #scatter}. */
  void split(int cluster, Scratch scratch) {
    Starts starts = new Starts();
    split(clusterStarts[cluster], clusterStarts[cluster + 1], scratch, starts);
    leavesOf[cluster] = Arrays.copyOf(starts.at, starts.size);
  }

  private static final class Starts {
    private int[] at = new int[16];
    private int size;

    void add(int start) {
      if (size == at.length) {
        at = Arrays.copyOf(at, 2 * size);
      }
      at[size++] = start;
    }
  }

  private void split(int from, int to, Scratch scratch, Starts starts) {
    int size = to - from;
    if (size <= LARGEST_LEAF) {
      if (size > 0) {
        starts.add(from);
      }
      return;
    }
    int parts = (int) Math.min(MOST_LEADERS, Math.ceilDiv(2L * size, LARGEST_LEAF));
    int[] ends = cut(from, to, parts, scratch);
    int start = from;
    for (int end : ends) {
      if (end - start == size) {
        inOrder(from, to, starts); // all as near to one leader: copies of a code
      } else {
        split(start, end, scratch, starts);
      }
      start = end;
    }
  }

  private static void inOrder(int from, int to, Starts starts) {
    for (int start = from; start < to; start += LARGEST_LEAF) {
      starts.add(start);
    }
  }

  /** Sorts members by the nearest of {@code parts} leaders among them; returns the parts' ends. */
  private int[] cut(int from, int to, int parts, Scratch scratch) {
    int size = to - from;
    scratch.ownLeaders.resize(parts);
    for (int l = 0; l < parts; l++) {
      scratch.ownLeaders.set(l, rows.row(nodes.get(member(from + spread(l, parts, size)))));
    }
    if (scratch.order.length < size) {
      scratch.order = new int[size];
      scratch.leaderOf = new short[size];
    }
    int[] ends = new int[parts];
    for (int first = 0; first < size; first += Panel.LANES) {
      int lanes = Math.min(Panel.LANES, size - first);
      for (int lane = 0; lane < lanes; lane++) {
        scratch.panel.set(lane, rows.row(nodes.get(member(from + first + lane))));
      }
      scratch.nearest.find(scratch.ownLeaders, parts, scratch.panel, parts);
      for (int lane = 0; lane < lanes; lane++) {
        int leader = scratch.nearest.row(0, lane);
        scratch.leaderOf[first + lane] = (short) leader;
        ends[leader]++;
      }
    }
    if (scratch.starts.length < parts) {
      scratch.starts = new int[parts];
    }
    int[] next = scratch.starts;
    int start = 0;
    for (int l = 0; l < parts; l++) {
      next[l] = start;
      start += ends[l];
      ends[l] = from + start;
    }
    for (int i = 0; i < size; i++) {
      scratch.order[next[scratch.leaderOf[i]]++] = member(from + i);
    }
    for (int i = 0; i < size; i++) {
      members.set(from + i, scratch.order[i]);
    }
    return ends;
  }

  /** Numbers the leaves. After all clusters were split. */
  void gatherLeaves() {
    Starts starts = new Starts();
    for (int[] ofCluster : leavesOf) {
      for (int start : ofCluster) {
        starts.add(start);
      }
    }
    leafStarts = joinSmall(starts);
    leafAt = new int[Math.ceilDiv(entries(), ENTRIES_OF_SEARCH)];
    int leaf = 0;
    for (int i = 0; i < leafAt.length; i++) {
      while (leafStarts[leaf + 1] <= i * ENTRIES_OF_SEARCH) {
        leaf++;
      }
      leafAt[i] = leaf;
    }
    assigned.close();
  }

  private int[] joinSmall(Starts starts) {
    int[] joined = new int[starts.size + 1];
    int leaves = 0;
    for (int i = 0; i < starts.size; i++) {
      int end = i + 1 < starts.size ? starts.at[i + 1] : entries();
      boolean small = end - starts.at[i] < SMALLEST_LEAF;
      if (small && leaves > 0 && end - joined[leaves - 1] <= LARGEST_LEAF) {
        continue; // the leaf before goes on to its end
      }
      joined[leaves++] = starts.at[i];
    }
    joined[leaves++] = entries();
    return Arrays.copyOf(joined, leaves);
  }

  @Override
  public void close() {
    members.close();
    assigned.close();
  }
}
