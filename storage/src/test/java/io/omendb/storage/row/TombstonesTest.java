package io.omendb.storage.row;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TombstonesTest {
  private static final int SLOTS = 300;

  @Test
  void bitsOfARangeAreCounted() {
    SplittableRandom random = new SplittableRandom(7);
    try (Tombstones tombstones = new Tombstones(SLOTS)) {
      tombstones.ensure(SLOTS);
      for (int i = 0; i < 2 * SLOTS; i++) {
        tombstones.markDeleted(random.nextInt(SLOTS));
      }
      for (int from = 0; from <= SLOTS; from++) {
        int expected = 0;
        for (int to = from; to <= SLOTS; to++) {
          assertEquals(expected, tombstones.deleted(from, to), "slots " + from + " to " + to);
          expected += to < SLOTS && tombstones.isDeleted(to) ? 1 : 0;
        }
      }
      assertEquals(tombstones.deleted(), tombstones.deleted(0, SLOTS));
      assertEquals(0, tombstones.deleted(5, 3));
    }
  }
}
