package io.omendb.service.write;

import static io.omendb.proto.v1.Pressure.PRESSURE_DISK;
import static io.omendb.proto.v1.Pressure.PRESSURE_OK;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** On a clock that the test moves. */
class ResponsePacingTest {
  private static final long MS = 1_000_000;

  private final ResponsePacing pacing = new ResponsePacing();

  @Test
  void theFirstResponseIsDueAtOnce() {
    assertFalse(pacing.hasResponded());
    assertEquals(0, pacing.pause(false, PRESSURE_OK, false, 5));
  }

  @Test
  void newsWaitsForMoreOfItsKind() {
    pacing.responded(PRESSURE_OK, 100 * MS);
    assertTrue(pacing.hasResponded());
    assertEquals(MS, pacing.pause(true, PRESSURE_OK, false, 100 * MS));
    assertEquals(0, pacing.pause(true, PRESSURE_OK, false, 101 * MS));
    assertEquals(0, pacing.pause(true, PRESSURE_OK, false, 999 * MS));
  }

  @Test
  void pressureAloneIsToldRarely() {
    pacing.responded(PRESSURE_OK, 0);
    assertEquals(50 * MS, pacing.pause(false, PRESSURE_DISK, false, 0));
    assertEquals(ResponsePacing.NEVER, pacing.pause(false, PRESSURE_OK, false, 0));
  }

  @Test
  void aClientThatHasClosedHearsOfProgress() {
    pacing.responded(PRESSURE_OK, 0);
    assertEquals(1_000 * MS, pacing.pause(false, PRESSURE_OK, true, 0));
  }
}
