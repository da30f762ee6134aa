package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.omendb.index.distance.Panel;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NearestColumnsTest {
  private static final int DIMS = 6;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);

  /** Against a sort; few distinct codes make many ties, of which the first must come first. */
  @Test
  void areTheNearestOfThoseThatCountAndOfEqualsTheFirst() {
    System.err.println("NearestColumnsTest seed=" + seed);
    for (int run = 0; run < 300; run++) {
      int size = 1 + random.nextInt(150);
      int wanted = 1 + random.nextInt(12);
      int except = random.nextInt(size + 1) - 1;
      Panel panel = new Panel(DIMS);
      int[][] codes = fill(panel, size, 2 + random.nextInt(100));
      int[] counts = new int[1 + NearestColumns.groups(size)];
      boolean all = random.nextBoolean();
      boolean[] counted = new boolean[size];
      for (int c = 0; c < size; c++) {
        counted[c] = all || random.nextInt(3) == 0;
        if (counted[c]) {
          counts[1 + c / Panel.GROUP] |= 1 << c % Panel.GROUP;
        }
      }
      int row = random.nextInt(size);
      float[] dots = new float[1 + Panel.padded(size)];
      for (int c = 0; c < size; c++) {
        dots[1 + c] = dot(codes[row], codes[c]);
      }
      NearestColumns nearest = new NearestColumns(12);
      nearest.find(panel, dots, 1, wanted, counts, 1, except);
      List<Integer> expected =
          IntStream.range(0, size)
              .filter(c -> counted[c] && c != except)
              .boxed()
              .sorted(
                  Comparator.comparingInt(
                      c -> dot(codes[c], codes[c]) - 2 * dot(codes[row], codes[c])))
              .limit(wanted)
              .toList();
      List<Integer> found = IntStream.range(0, nearest.size()).mapToObj(nearest::column).toList();
      assertEquals(expected, found, "run " + run + " size " + size);
    }
  }

  @Test
  void theFirstColumnsCount() {
    for (int columns : new int[] {0, 1, 31, 32, 33, 64, 100}) {
      int[] counts = new int[5];
      NearestColumns.setFirst(columns, counts);
      assertEquals(columns, IntStream.of(counts).map(Integer::bitCount).sum());
      assertEquals(columns % 32, Integer.bitCount(counts[columns / 32]));
    }
  }

  private int[][] fill(Panel panel, int size, int values) {
    int[][] codes = new int[size][DIMS];
    panel.resize(size);
    try (AddressSpace space = AddressSpace.reserve(64)) {
      space.commit(64);
      for (int c = 0; c < size; c++) {
        for (int i = 0; i < DIMS; i++) {
          codes[c][i] = random.nextInt(values);
          Memory.putByte(space.address() + i, (byte) codes[c][i]);
        }
        panel.set(c, space.address());
      }
    }
    return codes;
  }

  private static int dot(int[] a, int[] b) {
    int sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
