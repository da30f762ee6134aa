package io.omendb.index.distance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NearestRowsTest {
  private static final int MOST_DIMS = 1100;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final SplittableRandom random = new SplittableRandom(seed);
  private final AddressSpace space = AddressSpace.reserve(MOST_DIMS);

  @BeforeEach
  void commit() {
    System.err.println("NearestRowsTest seed=" + seed);
    space.commit(MOST_DIMS);
  }

  @AfterEach
  void close() {
    space.close();
  }

  /** Against a sort; few distinct codes make many ties, of which the first must come first. */
  @Test
  void areTheNearestAndOfEqualsTheFirst() {
    for (int run = 0; run < 200; run++) {
      int dims = 1 + random.nextInt(8);
      int count = 1 + random.nextInt(150);
      // Distances below 2^14 are exact.
      byte[][] codes = codes(count, dims, 2 + random.nextInt(40));
      WideRows rows = wide(codes, dims);
      boolean fromRows = random.nextBoolean();
      int own = fromRows ? random.nextInt(count) / Panel.LANES * Panel.LANES : count;
      byte[][] lanes = fromRows ? codes : codes(Panel.LANES, dims, 2 + random.nextInt(40));
      Panel panel = new Panel(dims);
      int ofPanel = Math.min(Panel.LANES, fromRows ? count - own : Panel.LANES);
      if (fromRows) {
        rows.copyTo(panel, own, ofPanel);
      } else {
        for (int lane = 0; lane < ofPanel; lane++) {
          panel.set(lane, row(lanes[lane]));
        }
      }
      NearestRows nearest = new NearestRows();
      nearest.find(rows, count, panel, own);
      for (int lane = 0; lane < ofPanel; lane++) {
        byte[] vector = fromRows ? codes[own + lane] : lanes[lane];
        int except = fromRows ? own + lane : -1;
        assertEquals(expected(vector, codes, except), found(nearest, lane), "run " + run);
      }
    }
  }

  /** Distances of whole numbers are the same in every order, up to 1,040 dimensions. */
  @Test
  void farRowsAreFoundToOneInEightThousand() {
    for (int dims : new int[] {100, 128, 784, 1040}) {
      int count = 300;
      byte[][] codes = codes(count, dims, 128);
      WideRows rows = wide(codes, dims);
      Panel panel = new Panel(dims);
      rows.copyTo(panel, 0, Panel.LANES);
      NearestRows nearest = new NearestRows();
      nearest.find(rows, count, panel, 0);
      for (int lane = 0; lane < Panel.LANES; lane++) {
        List<Integer> expected = expected(codes[lane], codes, lane);
        for (int rank = 0; rank < NearestRows.RANKS; rank++) {
          double best = squaredL2(codes[lane], codes[expected.get(rank)]);
          double found = squaredL2(codes[lane], codes[nearest.row(rank, lane)]);
          assertTrue(found <= best * (1 + 1.0 / 8192), found + " for " + best + ", dims " + dims);
        }
      }
    }
  }

  /** The specification is what another width must give too: the graph follows from it. */
  @Test
  void keysAreThoseOfThePlainLoops() {
    for (int dims : new int[] {1, 31, 128, 784, MOST_DIMS}) {
      int count = 48;
      byte[][] codes = codes(count, dims, 128);
      WideRows rows = wide(codes, dims);
      Panel panel = new Panel(dims);
      rows.copyTo(panel, 0, Panel.LANES);
      NearestRows nearest = new NearestRows();
      nearest.find(rows, count, panel, 0);
      float[] dots = new float[count * Panel.LANES];
      int[] keys = new int[NearestRows.RANKS * Panel.LANES];
      Arrays.fill(keys, Integer.MAX_VALUE);
      for (int row = 0; row < count; row += WideRows.TILE) {
        ScalarKernels.dots(rows.values, row * dims, dims, panel.values, dots, row * Panel.LANES);
      }
      for (int lane = 0; lane < Panel.LANES; lane++) {
        dots[lane * Panel.LANES + lane] = Float.NEGATIVE_INFINITY;
      }
      ScalarKernels.offer(dots, rows.squaredNorms, 0, count, panel.squaredNorms, keys);
      for (int lane = 0; lane < Panel.LANES; lane++) {
        for (int rank = 0; rank < NearestRows.RANKS; rank++) {
          assertEquals(keys[rank * Panel.LANES + lane], nearest.key(rank, lane), "dims " + dims);
        }
      }
    }
  }

  private static List<Integer> found(NearestRows nearest, int lane) {
    return IntStream.range(0, NearestRows.RANKS)
        .map(rank -> nearest.row(rank, lane))
        .filter(row -> row >= 0)
        .boxed()
        .toList();
  }

  private static List<Integer> expected(byte[] vector, byte[][] codes, int except) {
    return IntStream.range(0, codes.length)
        .filter(row -> row != except)
        .boxed()
        .sorted(Comparator.comparingInt(row -> squaredL2(vector, codes[row])))
        .limit(NearestRows.RANKS)
        .toList();
  }

  private WideRows wide(byte[][] codes, int dims) {
    WideRows rows = new WideRows(dims);
    rows.resize(codes.length);
    for (int i = 0; i < codes.length; i++) {
      rows.set(i, row(codes[i]));
    }
    return rows;
  }

  /** Until the next call. */
  private long row(byte[] codes) {
    Memory.write(codes, 0, space.address(), codes.length);
    return space.address();
  }

  private byte[][] codes(int count, int dims, int values) {
    byte[][] codes = new byte[count][dims];
    for (byte[] row : codes) {
      for (int j = 0; j < dims; j++) {
        row[j] = (byte) random.nextInt(values);
      }
    }
    return codes;
  }

  private static int squaredL2(byte[] a, byte[] b) {
    int sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
  }
}
