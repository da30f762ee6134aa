package io.omendb.loadtest.crash;

import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

class RecordsTest {

  /** A crash test takes a record for another one's if they have one vector, as these two had. */
  @Test
  void neighbouringIdsOfOneVersionDiffer() {
    assertNotEquals(Records.vector(12884906849L, 312), Records.vector(12884906853L, 312));
    assertNotEquals(Records.vector(1, 1).substring(4), Records.vector(2, 1).substring(0, 92));
  }
}
