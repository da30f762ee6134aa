package io.omendb.index;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TopKTest {
  private record Entry(float distance, int ordinal) {}

  @Test
  void keepsWhatASortedListWouldKeep() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("TopKTest seed=" + seed);
    SplittableRandom random = new SplittableRandom(seed);
    TopK top = new TopK();
    for (int round = 0; round < 2000; round++) {
      int k = random.nextInt(1, 40);
      top.reset(k);
      Set<Entry> offered = new LinkedHashSet<>();
      float[] distances = new float[30];
      for (int ordinal = 0; ordinal < distances.length; ordinal++) {
        // Few distinct distances of either sign, so that ties and repeats are common.
        distances[ordinal] = random.nextInt(-5, 6) * (random.nextBoolean() ? 1f : 1e20f) + 0.0f;
      }
      int offers = random.nextInt(100);
      for (int i = 0; i < offers; i++) {
        int ordinal = random.nextInt(30);
        float distance = distances[ordinal];
        top.offer(distance, ordinal);
        offered.add(new Entry(distance, ordinal));
        if (random.nextInt(4) == 0) {
          top.offer(distance, ordinal);
        }
        assertSame(offered, k, top);
      }
    }
  }

  private static void assertSame(Set<Entry> offered, int k, TopK top) {
    List<Entry> sorted = new ArrayList<>(offered);
    sorted.sort(Comparator.comparing(Entry::distance).thenComparing(Entry::ordinal));
    List<Entry> expected = sorted.subList(0, Math.min(k, sorted.size()));
    List<Entry> kept = new ArrayList<>();
    for (int i = 0; i < top.size(); i++) {
      kept.add(new Entry(top.distance(i), top.ordinal(i)));
    }
    assertEquals(expected, kept);
    float bound = expected.size() < k ? Float.POSITIVE_INFINITY : expected.getLast().distance();
    assertEquals(bound, top.bound());
  }

  /** The kernel may be compiled between two looks at a row, and the last bit of its sum change. */
  @Test
  void aRowOfTwoDistancesIsKeptOnceAndPushesNobodyOut() {
    for (float second : new float[] {Math.nextUp(7f), Math.nextDown(7f)}) {
      TopK top = new TopK();
      top.reset(3);
      top.offer(7f, 1);
      top.offer(8f, 2);
      top.offer(second, 1);
      top.offer(9f, 3);
      assertEquals(3, top.size());
      assertEquals(1, top.ordinal(0));
      assertEquals(7f, top.distance(0));
      assertEquals(2, top.ordinal(1));
      assertEquals(3, top.ordinal(2));
    }
  }

  @Test
  void bothZerosAreOneDistance() {
    TopK top = new TopK();
    top.reset(3);
    top.offer(0.0f, 2);
    top.offer(-0.0f, 1);
    top.offer(-0.0f, 2);
    top.offer(-Float.MIN_VALUE, 9);
    assertEquals(3, top.size());
    assertEquals(9, top.ordinal(0));
    assertEquals(1, top.ordinal(1));
    assertEquals(2, top.ordinal(2));
    assertEquals(0.0f, top.distance(1));
  }

  @Test
  void ordersTheWholeRangeOfFloats() {
    float[] ascending = {
      Float.NEGATIVE_INFINITY,
      -Float.MAX_VALUE,
      -1,
      -Float.MIN_VALUE,
      0,
      Float.MIN_VALUE,
      1,
      Float.MAX_VALUE,
      Float.POSITIVE_INFINITY
    };
    TopK top = new TopK();
    top.reset(ascending.length);
    for (int i = ascending.length - 1; i >= 0; i--) {
      top.offer(ascending[i], 100 - i);
    }
    for (int i = 0; i < ascending.length; i++) {
      assertEquals(ascending[i], top.distance(i));
      assertEquals(100 - i, top.ordinal(i));
    }
  }

  @Test
  void aResetForgets() {
    TopK top = new TopK();
    top.reset(2);
    top.offer(1, 1);
    top.reset(100);
    assertEquals(0, top.size());
    for (int i = 0; i < 200; i++) {
      top.offer(-i, i);
    }
    assertEquals(100, top.size());
    assertEquals(199, top.ordinal(0));
    assertEquals(-100f, top.bound());
  }
}
