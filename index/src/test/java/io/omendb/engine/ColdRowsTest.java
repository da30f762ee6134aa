package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ColdRowsTest {
  private static final long SLOW = 1_000_000;

  private final AtomicLong faults = new AtomicLong(3);
  private final ColdRows cold = new ColdRows(faults::get);

  @Test
  void aSearchThatWaitedForTheDeviceLetsOthersAskForTheirRows() {
    long known = cold.read(40, SLOW, 0);
    assertFalse(cold.areLikely(), "faults of before the first search");
    faults.incrementAndGet();
    assertEquals(4, cold.read(40, SLOW, known));
    for (int search = 0; search < ColdRows.WHILE; search++) {
      assertTrue(cold.areLikely());
    }
    assertFalse(cold.areLikely());
  }

  @Test
  void aSlowSearchAloneSaysNothing() {
    long known = cold.read(40, SLOW, 0);
    assertEquals(known, cold.read(40, SLOW, known), "it did not wait for a device");
    assertFalse(cold.areLikely());
    faults.incrementAndGet();
    assertEquals(known, cold.read(40, 40, known), "nobody looks at the faults of a fast one");
    assertFalse(cold.areLikely());
  }
}
