package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SlotRangesTest {
  private static final int SLOTS = 300;

  @Test
  void agreesWithABitSet() {
    Random random = TestEngine.random(SlotRangesTest.class);
    for (int round = 0; round < 20; round++) {
      SlotRanges ranges = new SlotRanges();
      BitSet model = new BitSet();
      SlotRanges copy = ranges.copy();
      BitSet copyModel = new BitSet();
      for (int step = 0; step < 500; step++) {
        int first = random.nextInt(SLOTS);
        int end = first + random.nextInt(random.nextBoolean() ? 4 : 60);
        switch (random.nextInt(9)) {
          case 0 -> {
            copy = ranges.copy();
            copyModel = (BitSet) model.clone();
          }
          case 1 -> {
            ranges.remove(first, Integer.MAX_VALUE);
            model.clear(first, 2 * SLOTS);
          }
          case 2 -> {
            int[] gone = random.ints(first, end + 1).limit(20).sorted().distinct().toArray();
            ranges.removeAll(gone, gone.length);
            Arrays.stream(gone).forEach(model::clear);
          }
          case 3, 4, 5 -> {
            ranges.remove(first, end);
            model.clear(first, end);
          }
          default -> {
            int from = model.nextClearBit(first);
            int taken = model.nextSetBit(from);
            int to = taken < 0 ? Math.max(from, end) : Math.clamp(end, from, taken);
            ranges.add(from, to);
            model.set(from, to);
          }
        }
        assertSame(model, ranges);
        assertEquals(model.get(0, first).cardinality(), ranges.slotsBelow(first));
        int range = ranges.rangeFrom(first);
        int next = range == ranges.count() ? -1 : Math.max(first, ranges.from(range));
        assertEquals(model.nextSetBit(first), next);
        assertSame(copyModel, copy);
      }
    }
  }

  private static void assertSame(BitSet model, SlotRanges ranges) {
    assertEquals(model.cardinality(), ranges.slots());
    assertEquals(model.isEmpty(), ranges.isEmpty());
    int at = 0;
    for (int range = 0; range < ranges.count(); range++) {
      // Neighbouring ranges are joined: each is a whole run of the model.
      assertEquals(model.nextSetBit(at), ranges.from(range));
      assertEquals(model.nextClearBit(ranges.from(range)), ranges.to(range));
      at = ranges.to(range);
    }
    assertEquals(-1, model.nextSetBit(at));
    for (int slot = 0; slot < SLOTS + 70; slot++) {
      assertEquals(model.get(slot), ranges.contains(slot));
    }
  }

  @Test
  void aCopyDoesNotChangeWithItsOriginal() {
    SlotRanges ranges = new SlotRanges();
    ranges.add(10, 20);
    SlotRanges copy = ranges.copy();
    ranges.remove(12, 15);
    ranges.add(30, 40);
    assertEquals(10, copy.slots());
    assertTrue(copy.contains(13));
    assertFalse(copy.contains(30));
  }

  @Test
  void anEmptyRangeAddsNothing() {
    SlotRanges ranges = new SlotRanges();
    ranges.add(5, 5);
    assertTrue(ranges.isEmpty());
    assertFalse(ranges.contains(5));
  }
}
