package io.omendb.index.hnsw;

import io.omendb.index.distance.Panel;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;

/**
 * Compares the members of each leaf of a {@link Partition} with each other and keeps, for each
 * member, where those lie that are candidates for its list: the {@link #NEAREST} nearest, as many
 * of each sample of the nodes that it is of itself, and of those that have it among theirs as many
 * as there is room for.
 *
 * <pre>
 * near     entry · ROOM, int16: member's number in its leaf, ended by −1 when fewer
 * </pre>
 *
 * <p>Distances are not kept: the list is chosen from candidates whose codes are read anyway, and so
 * takes 2 bytes a candidate instead of 6. Each leaf is written by one thread, so there are no
 * locks, and nothing depends on the threads.
 */
final class LeafJoin implements AutoCloseable {
  private static final int NEAREST = 8;

  /** Candidates of a member in a leaf. */
  static final int ROOM = 24;

  /**
   * Samples of the nodes, each a fourth of the one before. Members of a sample are candidates of
   * each other too: where clusters are so tight that all the nearest lie in one, these lead out.
   */
  private static final int SCALES = 3;

  private static final long SAMPLE_SEED = 0x5EED_0F_5A3F_1E5L;
  private static final short END = -1;

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
    private final float[] dots = new float[Panel.ROWS * Partition.LARGEST_LEAF];
    private final short[] nearest = new short[Partition.LARGEST_LEAF * ROOM];
    private final byte[] counts = new byte[Partition.LARGEST_LEAF];
    private final int[] own = new int[Partition.LARGEST_LEAF];
    private final byte[] scales = new byte[Partition.LARGEST_LEAF];
    private final float[] distances = new float[NEAREST];
    private final short[] found = new short[NEAREST];

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
    panel.resize(size);
    for (int i = 0; i < size; i++) {
      int node = nodes.get(partition.member(from + i));
      panel.set(i, codes.row(node));
      scratch.scales[i] = scaleOf(node);
    }
    int stride = Panel.padded(size);
    for (int row = 0; row < size; row += Panel.ROWS) {
      for (int group = 0; group * Panel.GROUP < size; group++) {
        panel.dots(row, panel, group, scratch.dots, group * Panel.GROUP, stride);
      }
      for (int i = row; i < Math.min(size, row + Panel.ROWS); i++) {
        candidates(panel, i, (i - row) * stride, scratch);
      }
    }
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
    short[] nearest = scratch.nearest;
    int first = row * ROOM;
    int count = 0;
    for (int scale = 0; scale <= scratch.scales[row]; scale++) {
      int found = nearest(panel, row, at, scale, scratch);
      for (int i = 0; i < found && count < ROOM; i++) {
        short member = scratch.found[i];
        if (!has(nearest, first, count, member)) {
          nearest[first + count++] = member;
        }
      }
    }
    scratch.counts[row] = (byte) count;
  }

  /** The nearest members of a sample, ascending. */
  private static int nearest(Panel panel, int row, int at, int scale, Scratch scratch) {
    float[] dots = scratch.dots;
    float[] distances = scratch.distances;
    short[] nearest = scratch.found;
    byte[] scales = scratch.scales;
    int found = 0;
    float bound = Float.POSITIVE_INFINITY;
    for (int c = 0; c < panel.size(); c++) {
      float distance = panel.squaredNorm(c) - 2 * dots[at + c];
      if (distance < bound && c != row && scales[c] >= scale) {
        int i = found < NEAREST ? found++ : NEAREST - 1;
        for (; i > 0 && distances[i - 1] > distance; i--) {
          distances[i] = distances[i - 1];
          nearest[i] = nearest[i - 1];
        }
        distances[i] = distance;
        nearest[i] = (short) c;
        if (found == NEAREST) {
          bound = distances[NEAREST - 1];
        }
      }
    }
    return found;
  }

  /** Of a node of one of the samples, each of which has a fourth of the one before; 0: of none. */
  private static byte scaleOf(int node) {
    int zeros = Long.numberOfTrailingZeros(LevelGenerator.mix(SAMPLE_SEED ^ node));
    return (byte) Math.min(SCALES, zeros / 2);
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
        if (counts[other] < ROOM && !has(nearest, other * ROOM, counts[other], i)) {
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
    int from = partition.leafStart(partition.leafOf(entry));
    long at = address(entry);
    int n = count;
    for (int c = 0; c < ROOM; c++) {
      short member = Memory.getShort(at + 2L * c);
      if (member == END) {
        break;
      }
      ordinals[n++] = nodes.get(partition.member(from + member));
    }
    return n;
  }

  @Override
  public void close() {
    near.close();
  }
}
