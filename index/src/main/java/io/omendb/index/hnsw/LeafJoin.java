package io.omendb.index.hnsw;

import io.omendb.index.distance.Panel;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;
import java.util.Arrays;

/**
 * Compares the members of each leaf of a {@link Partition} with each other and keeps, for each
 * member, where those lie that are candidates for its list: the {@link #NEAREST} nearest, as many
 * of each sample of the nodes that it is of itself, the {@link #GUESTS} to which it is the gate,
 * and of those that have it among theirs as many as there is room for.
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
  private static final int NEAREST = 8;

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
  private static final int GROUPS = NearestColumns.groups(Partition.LARGEST_LEAF + GUESTS);

  private final CodeTable codes;
  private final NativeInts nodes;
  private final Partition partition;
  private final AddressSpace near;

  LeafJoin(CodeTable codes, NativeInts nodes, Partition partition) {
    this.codes = codes;
    this.nodes = nodes;
    this.partition = partition;
    long bytes = (long) partition.entries() * ROOM * Short.BYTES;
    this.near = AddressSpace.reserve(bytes);
    near.commit(bytes);
  }

  /** A worker's own arrays. */
  static final class Scratch {
    private final Panel panel;
    private final float[] dots = new float[Panel.ROWS * (Partition.LARGEST_LEAF + GUESTS)];
    private final short[] nearest = new short[Partition.LARGEST_LEAF * ROOM];
    private final byte[] counts = new byte[Partition.LARGEST_LEAF];
    private final int[] own = new int[Partition.LARGEST_LEAF];
    private final byte[] scales = new byte[Partition.LARGEST_LEAF];
    private final NearestColumns found = new NearestColumns(NEAREST);

    /** Which members are of a sample, a bit each, {@link #GROUPS} ints a sample. */
    private final int[] ofScale = new int[(1 + SCALES) * GROUPS];

    private final float[] gateDistances = new float[GUESTS * GATES];

    /** By guest, the distance of its farthest gate, negated. */
    private final float[] gateBounds = new float[GUESTS];

    private final short[] gates = new short[GUESTS * GATES];

    Scratch(int dims) {
      panel = new Panel(dims);
    }
  }

  /** For one thread at a time. */
  Scratch newScratch() {
    return new Scratch(codes.quantizer().dimension());
  }

  /** Joins the members of a leaf. */
  void join(int leaf, Scratch scratch) {
    int from = partition.leafStart(leaf);
    int size = partition.leafStart(leaf + 1) - from;
    Panel panel = scratch.panel;
    panel.resize(size + GUESTS);
    Arrays.fill(scratch.ofScale, 0);
    for (int i = 0; i < size; i++) {
      int node = nodes.get(partition.member(from + i));
      panel.set(i, codes.row(node));
      scratch.scales[i] = scaleOf(node);
      for (int scale = 0; scale <= scratch.scales[i]; scale++) {
        scratch.ofScale[scale * GROUPS + i / Panel.GROUP] |= 1 << i % Panel.GROUP;
      }
    }
    for (int guest = 0; guest < GUESTS; guest++) {
      panel.set(size + guest, codes.row(nodes.get(guestOf(leaf, guest))));
    }
    Arrays.fill(scratch.gateDistances, Float.POSITIVE_INFINITY);
    Arrays.fill(scratch.gateBounds, Float.NEGATIVE_INFINITY);
    int stride = Panel.padded(panel.size());
    for (int row = 0; row < size; row += Panel.ROWS) {
      for (int group = 0; group * Panel.GROUP < panel.size(); group++) {
        panel.dots(row, panel, group, scratch.dots, group * Panel.GROUP, stride);
      }
      for (int i = row; i < Math.min(size, row + Panel.ROWS); i++) {
        int at = (i - row) * stride;
        candidates(panel, i, at, scratch);
        offerAsGate(panel, size, i, at, scratch);
      }
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

  /** The nearest of all, then those of each sample that the member itself is of. */
  private static void candidates(Panel panel, int row, int at, Scratch scratch) {
    NearestColumns found = scratch.found;
    short[] nearest = scratch.nearest;
    int first = row * ROOM;
    int count = 0;
    for (int scale = 0; scale <= scratch.scales[row]; scale++) {
      found.find(panel, scratch.dots, at, NEAREST, scratch.ofScale, scale * GROUPS, row);
      for (int i = 0; i < found.size() && count < ROOM; i++) {
        short member = (short) found.column(i);
        if (!has(nearest, first, count, member)) {
          nearest[first + count++] = member;
        }
      }
    }
    scratch.counts[row] = (byte) count;
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

  /** Makes a member the gate of the guests to which no others are nearer. */
  private static void offerAsGate(Panel panel, int size, int row, int at, Scratch scratch) {
    float squaredNorm = panel.squaredNorm(row);
    for (int first = 0; first < GUESTS; first += Panel.GROUP) {
      int nearer =
          Panel.below(scratch.gateBounds, first, scratch.dots, at + size + first, -squaredNorm);
      for (; nearer != 0; nearer &= nearer - 1) {
        int guest = first + Integer.numberOfTrailingZeros(nearer);
        setGate(guest, row, squaredNorm - 2 * scratch.dots[at + size + guest], scratch);
      }
    }
  }

  /** Makes a member a gate of a guest in place of the farthest. */
  private static void setGate(int guest, int member, float distance, Scratch scratch) {
    float[] distances = scratch.gateDistances;
    int first = guest * GATES;
    int i = first + GATES - 1;
    for (; i > first && distances[i - 1] > distance; i--) {
      distances[i] = distances[i - 1];
      scratch.gates[i] = scratch.gates[i - 1];
    }
    distances[i] = distance;
    scratch.gates[i] = (short) member;
    scratch.gateBounds[guest] = -distances[first + GATES - 1];
  }

  /** Each guest becomes a candidate of its gates. */
  private static void addGuests(int size, Scratch scratch) {
    for (int i = 0; i < Math.min(size, GATES) * GUESTS; i++) {
      int guest = i % GUESTS;
      int gate = scratch.gates[guest * GATES + i / GUESTS];
      if (scratch.counts[gate] < ROOM) {
        scratch.nearest[gate * ROOM + scratch.counts[gate]++] = (short) (size + guest);
      }
    }
  }

  /** A member whose nearest has another is a candidate of that other. */
  private static void addReverse(int size, Scratch scratch) {
    short[] nearest = scratch.nearest;
    byte[] counts = scratch.counts;
    int[] own = scratch.own;
    int most = 0;
    for (int i = 0; i < size; i++) {
      own[i] = counts[i];
      most = Math.max(most, own[i]);
    }
    for (int rank = 0; rank < most; rank++) {
      for (int i = 0; i < size; i++) {
        if (rank >= own[i]) {
          continue;
        }
        int other = nearest[i * ROOM + rank];
        if (other < size && counts[other] < ROOM && !has(nearest, other * ROOM, counts[other], i)) {
          nearest[other * ROOM + counts[other]++] = (short) i;
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
