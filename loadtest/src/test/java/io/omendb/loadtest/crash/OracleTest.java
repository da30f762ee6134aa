package io.omendb.loadtest.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OracleTest {

  private final Oracle oracle = new Oracle();

  OracleTest() {
    oracle.begin(new Operation(List.of(1L, 2L), 1));
    oracle.acknowledge();
    oracle.begin(new Operation(List.of(2L, 3L), 2));
    oracle.begin(new Operation(List.of(1L), Operation.DELETED));
  }

  @Test
  void takesEveryPrefixOfWhatWasInFlight() {
    assertEquals(0, oracle.recover(Map.of(1L, 1, 2L, 1)));
  }

  @Test
  void takesTheFirstInFlight() {
    assertEquals(1, oracle.recover(Map.of(1L, 1, 2L, 2, 3L, 2)));
  }

  @Test
  void takesAllInFlight() {
    assertEquals(2, oracle.recover(Map.of(2L, 2, 3L, 2)));
  }

  @Test
  void refusesALostAcknowledgedWrite() {
    assertThrows(AssertionError.class, () -> oracle.recover(Map.of(1L, 1)));
  }

  @Test
  void refusesHalfOfAWrite() {
    assertThrows(AssertionError.class, () -> oracle.recover(Map.of(1L, 1, 2L, 1, 3L, 2)));
  }

  @Test
  void refusesALaterWriteWithoutTheEarlier() {
    assertThrows(AssertionError.class, () -> oracle.recover(Map.of(2L, 1)));
  }

  @Test
  void refusesWhatNobodyWrote() {
    assertThrows(AssertionError.class, () -> oracle.recover(Map.of(1L, 1, 2L, 1, 9L, 1)));
  }
}
