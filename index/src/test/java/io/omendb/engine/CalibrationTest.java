package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.hnsw.Scoring;
import org.junit.jupiter.api.Test;

class CalibrationTest {
  private final Calibration calibration =
      new Calibration(40, 160, Scoring.CODES, 0.2f, 0.1f, 0.99, null);

  @Test
  void theBeamFollowsFromTheTwoThatWereMeasured() {
    assertEquals(40, calibration.efFor(1));
    assertEquals(40, calibration.efFor(10));
    assertEquals(80, calibration.efFor(32), 3, "half of the way from 10 to 100");
    assertEquals(160, calibration.efFor(100));
    assertEquals(320, calibration.efFor(200));
  }

  @Test
  void theBeamHoldsTheRows() {
    assertEquals(1_600, calibration.efFor(1_000));
    assertEquals(Calibration.LARGEST, calibration.efFor(3_000 - 300));
    assertTrue(calibration.efFor(10_000) >= 10_000);
    assertEquals(
        150, new Calibration(40, 0, Scoring.CODES, 0, 0, 0.99, null).efFor(100), "not measured");
    assertEquals(150, Calibration.NONE.efFor(100));
  }

  @Test
  void theReachFollowsFromTheTwoThatWereMeasured() {
    assertEquals(0.2f, calibration.reachFor(3));
    assertEquals(0.15f, calibration.reachFor(32), 0.001f);
    assertEquals(0.1f, calibration.reachFor(100));
    assertEquals(0.1f, calibration.reachFor(1_000));
    assertEquals(
        0,
        new Calibration(40, 160, Scoring.CODES, 0.2f, 0, 0.99, null).reachFor(50),
        "not for many");
  }
}
