package io.omendb.index.hnsw;

import io.omendb.index.distance.NearestRows;
import io.omendb.index.distance.Panel;
import io.omendb.index.distance.WideRows;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;

/**
 * Compares the members of each leaf of a {@link Partition} with each other and keeps, for each
 * member, where those lie that are candidates for its list: the {@link NearestRows#RANKS} nearest,
 * as many of each sample of the nodes that it is of itself, the {@link #GUESTS} to which it is the
 * gate, and of those that have it among theirs as many as there is room for.
 *
 * <p>A guest of a leaf is any other node. It becomes a candidate of the members nearest to it, its
 * gates: a search that comes to this leaf on its way to the guest's neighbourhood comes nearest to
 * it there. Where nodes lie in tight clusters these edges lead from one to the other. Without them
 * a search that descends into a wrong cluster stays there: of 1,000 clusters of 100 nodes, at ef
 * 10, one in six; with them one in 37.
 *
 * <pre>
 * near     entry · ROOM, int16: number in its leaf, guests after members, ended by −1 when fewer
 * </pre>
 *
 * <p>Distances are not kept: the list is chosen from candidates whose codes are read anyway, and so
 * takes 2 bytes a candidate instead of 6. Each leaf is written by one thread, so there are no
 * locks, and nothing depends on the threads.
 */
final class LeafJoin implements AutoCloseable {
  /** Candidates of a member in a leaf. */
  static final int ROOM = 16;

  /**
   * Samples of the nodes, each a fourth of the one before. Members of a sample are candidates of
   * each other too: where clusters are so tight that all the nearest lie in one, these lead out.
   */
  private static final int SCALES = 3;

  /** Nodes from anywhere that each leaf is compared with. */
  private static final int GUESTS = 128;

  /** Members that a guest becomes a candidate of. */
  private static final int GATES = 2;

  private static final long GUEST_SEED = 0x6E57_0F_A11EAFL;
  private static final long SAMPLE_SEED = 0x5EED_0F_5A3F_1E5L;
  private static final short END = -1;

  private final JoinRows rows;
  private final NativeInts nodes;
  private final Partition partition;
  private final AddressSpace near;

  LeafJoin(JoinRows rows, NativeInts nodes, Partition partition) {
    this.rows = rows;
    this.nodes = nodes;
    this.partition = partition;
    long bytes = (long) partition.entries() * ROOM * Short.BYTES;
    this.near = AddressSpace.reserve(bytes);
    near.commit(bytes);
  }

  /** A worker's own arrays. */
  static final class Scratch {
    private final WideRows members;
    private final Panel panel;
    private final NearestRows found = new NearestRows();

    /** How many members are of each sample. */
    private final int[] sizes = new int[SCALES + 1];

    private final short[] nearest = new short[Partition.LARGEST_LEAF * ROOM];
    private final byte[] counts = new byte[Partition.LARGEST_LEAF];

    /** By member, how many are of its own finding. */
    private final byte[] own = new byte[Partition.LARGEST_LEAF];

    private final short[] gates = new short[GATES * GUESTS];

    Scratch(int dims) {
      members = new WideRows(dims);
      panel = new Panel(dims);
    }
  }

  /** For one thread at a time. */
  Scratch newScratch() {
    return new Scratch(rows.dims());
  }

  /** Joins the members of a leaf. */
  void join(int leaf, Scratch scratch) {
    int from = partition.leafStart(leaf);
    int size = partition.leafStart(leaf + 1) - from;
    orderByScale(from, from + size, scratch);
    rows.ofLeaf(leaf, partition, nodes, scratch.members);
    for (int first = 0; first < size; first += Panel.LANES) {
      findNearest(first, size, scratch);
    }
    for (int first = 0; first < GUESTS; first += Panel.LANES) {
      findGates(leaf, first, size, scratch);
    }
    addGuests(size, scratch);
    addReverse(size, scratch);
    for (int i = 0; i < size; i++) {
      long at = address(from + i);
      int count = scratch.counts[i];
      for (int c = 0; c < count; c++) {
        Memory.putShort(at + 2L * c, scratch.nearest[i * ROOM + c]);
      }
      if (count < ROOM) {
        Memory.putShort(at + 2L * count, END);
      }
    }
  }

  /** Has the members of each sample come before all others. */
  private void orderByScale(int from, int to, Scratch scratch) {
    int next = from;
    for (int scale = SCALES; scale >= 0; scale--) {
      for (int entry = next; entry < to; entry++) {
        if (scaleOf(nodes.get(partition.member(entry))) == scale) {
          partition.swap(next++, entry);
        }
      }
      scratch.sizes[scale] = next - from;
    }
  }

  /** The nearest of all, then those of each sample that the member itself is of. */
  private static void findNearest(int first, int size, Scratch scratch) {
    NearestRows found = scratch.found;
    scratch.members.copyTo(scratch.panel, first, Math.min(Panel.LANES, size - first));
    for (int scale = 0; scale <= SCALES && first < scratch.sizes[scale]; scale++) {
      int members = scratch.sizes[scale];
      found.find(scratch.members, members, scratch.panel, first);
      for (int i = first; i < Math.min(members, first + Panel.LANES); i++) {
        int count = scale == 0 ? 0 : scratch.counts[i];
        int firstCount = count;
        for (int rank = 0; rank < NearestRows.RANKS && count < ROOM; rank++) {
          short member = (short) found.row(rank, i - first);
          if (member >= 0 && !has(scratch.nearest, i * ROOM, firstCount, member)) {
            scratch.nearest[i * ROOM + count++] = member;
          }
        }
        scratch.counts[i] = (byte) count;
      }
    }
  }

  /** Finds the members that are nearest to guests. */
  private void findGates(int leaf, int first, int size, Scratch scratch) {
    for (int lane = 0; lane < Panel.LANES; lane++) {
      scratch.panel.set(lane, rows.row(nodes.get(guestOf(leaf, first + lane))));
    }
    scratch.found.find(scratch.members, size, scratch.panel, size);
    for (int rank = 0; rank < GATES; rank++) {
      for (int lane = 0; lane < Panel.LANES; lane++) {
        scratch.gates[rank * GUESTS + first + lane] = (short) scratch.found.row(rank, lane);
      }
    }
  }

  /** Of a node of one of the samples, each of which has a fourth of the one before; 0: of none. */
  private static byte scaleOf(int node) {
    int zeros = Long.numberOfTrailingZeros(LevelGenerator.mix(SAMPLE_SEED ^ node));
    return (byte) Math.min(SCALES, zeros / 2);
  }

  /** The place of a leaf's guest; it may be that of a member. */
  private int guestOf(int leaf, int guest) {
    long hash = LevelGenerator.mix(GUEST_SEED ^ ((long) leaf * GUESTS + guest));
    return (int) Long.remainderUnsigned(hash, nodes.length());
  }

  /** Each guest becomes a candidate of its gates. */
  private static void addGuests(int size, Scratch scratch) {
    for (int i = 0; i < size; i++) {
      scratch.own[i] = scratch.counts[i];
    }
    for (int i = 0; i < Math.min(size, GATES) * GUESTS; i++) {
      int gate = scratch.gates[i];
      if (scratch.counts[gate] < ROOM) {
        scratch.nearest[gate * ROOM + scratch.counts[gate]++] = (short) (size + i % GUESTS);
      }
    }
  }

  /** A member whose nearest has another is a candidate of that other. */
  private static void addReverse(int size, Scratch scratch) {
    short[] nearest = scratch.nearest;
    byte[] counts = scratch.counts;
    byte[] own = scratch.own;
    for (int rank = 0; rank < ROOM; rank++) {
      for (int i = 0; i < size; i++) {
        if (rank < own[i]) {
          int other = nearest[i * ROOM + rank];
          if (counts[other] < ROOM && !has(nearest, other * ROOM, own[other], i)) {
            nearest[other * ROOM + counts[other]++] = (short) i;
          }
        }
      }
    }
  }

  private static boolean has(short[] nearest, int from, int count, int member) {
    for (int i = from; i < from + count; i++) {
      if (nearest[i] == member) {
        return true;
      }
    }
    return false;
  }

  private long address(int entry) {
    return near.address() + (long) entry * ROOM * Short.BYTES;
  }

  /**
   * Reads an entry's candidates.
   *
   * @param ordinals receives them, from {@code count} on
   * @return how many there are then
   */
  int candidates(int entry, int[] ordinals, int count) {
    int leaf = partition.leafOf(entry);
    int from = partition.leafStart(leaf);
    int size = partition.leafStart(leaf + 1) - from;
    long at = address(entry);
    int n = count;
    for (int c = 0; c < ROOM; c++) {
      short member = Memory.getShort(at + 2L * c);
      if (member == END) {
        break;
      }
      int place = member < size ? partition.member(from + member) : guestOf(leaf, member - size);
      ordinals[n++] = nodes.get(place);
    }
    return n;
  }

  @Override
  public void close() {
    near.close();
  }
}
