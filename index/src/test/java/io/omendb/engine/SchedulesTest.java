package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** When maintenance is due, on a clock that the test moves. */
class SchedulesTest {
  private long now = 1_000;

  private void pass(long nanos) {
    now += nanos;
  }

  @Test
  void calibratesWhenTheGraphHasDoubled() {
    CalibrationSchedule schedule = new CalibrationSchedule(() -> now);
    assertFalse(schedule.holdsOut(249));
    assertTrue(schedule.holdsOut(250), "samples are held out before the first calibration");
    assertFalse(schedule.isDue(499, 0));
    assertTrue(schedule.isDue(500, 0));
    schedule.calibrated(600, 0);
    assertFalse(schedule.isDue(749, 0));
    assertTrue(schedule.isDue(750, 0));
  }

  @Test
  void calibratesWhenAFourthOfTheRowsIsGone() {
    CalibrationSchedule schedule = new CalibrationSchedule(() -> now);
    schedule.calibrated(100_000, 20_000);
    assertFalse(schedule.isDue(100_000, 39_999));
    assertTrue(schedule.isDue(100_000, 40_000));
    schedule.calibrated(100_000, 99_900);
    assertFalse(schedule.isDue(100_000, 100_000), "a few rows are not worth it");
  }

  @Test
  void aCalibrationWaitsForAPauseButNotForEver() {
    CalibrationSchedule schedule = new CalibrationSchedule(() -> now);
    assertFalse(schedule.isOverdue(499, 0));
    assertFalse(schedule.isOverdue(500, 0));
    pass(CalibrationSchedule.PATIENCE_NANOS);
    assertFalse(schedule.isOverdue(600, 0));
    pass(1);
    assertTrue(schedule.isOverdue(700, 0));
    schedule.calibrated(700, 0);
    assertFalse(schedule.isOverdue(1_399, 0));
    pass(CalibrationSchedule.PATIENCE_NANOS + 1);
    assertFalse(schedule.isOverdue(1_399, 0), "not for some more rows");
    assertFalse(schedule.isOverdue(1_400, 0));
    pass(CalibrationSchedule.PATIENCE_NANOS + 1);
    assertTrue(schedule.isOverdue(1_400, 0));
  }

  @Test
  void sweepsABuildAtOnce() {
    SweepSchedule schedule = new SweepSchedule(() -> now);
    assertFalse(schedule.isDue(100_000));
    schedule.linked(100_000 / SweepSchedule.SWEEPS_PER_GRAPH - 1);
    assertFalse(schedule.isDue(100_000));
    schedule.linked(1);
    assertTrue(schedule.isDue(100_000));
    schedule.swept();
    assertFalse(schedule.isDue(100_000));
  }

  @Test
  void sweepsATrickleInTime() {
    SweepSchedule schedule = new SweepSchedule(() -> now);
    schedule.linked(1);
    pass(1_000 * SweepSchedule.PERIOD_NANOS_PER_ROW);
    assertFalse(schedule.isDue(1_000));
    pass(1);
    assertTrue(schedule.isDue(1_000));
    schedule.swept();
    pass(1L << 50);
    assertFalse(schedule.isDue(1_000), "nothing was linked since");
  }

  @Test
  void writesAnImageThatLagsByAShareAtOnce() {
    CheckpointSchedule schedule = new CheckpointSchedule(() -> now, 1_000_000);
    assertFalse(schedule.isImageDue(CheckpointSchedule.LEAST_LAG, 1_000));
    assertTrue(schedule.isImageDue(CheckpointSchedule.LEAST_LAG + 1, 1_000));
    schedule.imaged(1_000_000, 0);
    assertFalse(schedule.isImageDue(1_200_000, 1_000));
    assertTrue(schedule.isImageDue(1_200_001, 1_000));
  }

  /** Or a start would find more that searches must compare one by one. */
  @Test
  void anImageLagsByABoundedNumberOfRows() {
    CheckpointSchedule schedule = new CheckpointSchedule(() -> now, 20_000);
    schedule.imaged(10_000_000, 0);
    assertFalse(schedule.isImageOverdue(10_020_000));
    assertFalse(schedule.isImageDue(10_020_000, 0));
    assertTrue(schedule.isImageOverdue(10_020_001));
    assertTrue(schedule.isImageDue(10_020_001, 0));
  }

  /**
   * Ten million rows of 128 dimensions make an image of 2.6 GB; a row that is linked changes 2.5 KB
   * of it.
   */
  @Test
  void whatIsAddedToAnImageIsTwiceWhatChangesAtMost() {
    CheckpointSchedule schedule = new CheckpointSchedule(() -> now, 20_000);
    long wholeBytes = 2_600_000_000L;
    int linked = 10_000_000;
    schedule.imaged(linked, 0);
    long written = 0;
    long changed = 0;
    for (int second = 0; second < 24 * 3_600; second++) {
      pass(1_000_000_000L);
      linked += 50;
      changed += 50 * 2_500;
      if (schedule.isImageDue(linked, 0)) {
        boolean whole = schedule.isOutgrown(changed, wholeBytes);
        schedule.imaged(linked, whole ? 0 : changed);
        written += whole ? wholeBytes : changed;
        changed = 0;
      }
    }
    long all = 24 * 3_600 * 50L * 2_500;
    assertTrue(written > all / 2 && written <= 2 * all, "bytes " + written + " of " + all);
  }

  /** Where each must be whole. */
  @Test
  void aTrickleOfWritesCostsABoundedNumberOfBytes() {
    CheckpointSchedule schedule = new CheckpointSchedule(() -> now, 1_000_000);
    long imageBytes = 2_600_000_000L;
    int linked = 10_000_000;
    schedule.imaged(linked, 0);
    long written = 0;
    for (int second = 0; second < 3_600; second++) {
      pass(1_000_000_000L);
      linked++;
      if (schedule.isImageDue(linked, imageBytes)) {
        schedule.imaged(linked, 0);
        written += imageBytes;
      }
    }
    assertTrue(written > 0, "an hour is long enough for an image");
    assertTrue(written <= 3_600 * CheckpointSchedule.IMAGE_BYTES_A_SECOND, "bytes " + written);
  }

  @Test
  void checkpointsAnyChangeInTime() {
    CheckpointSchedule schedule = new CheckpointSchedule(() -> now, 1_000_000);
    schedule.loaded(10, 0);
    assertTrue(schedule.isBehind(10, 1), "the sequence at the image is not known");
    schedule.checkpointed(7);
    pass(CheckpointSchedule.PERIOD_NANOS + 1);
    assertFalse(schedule.isDue(10, 7, 0), "nothing changed");
    assertTrue(schedule.isDue(10, 8, 0));
    assertFalse(schedule.isImageDue(10, 0), "a delete needs no image");
    assertTrue(schedule.isDue(11, 7, 0));
    assertTrue(schedule.isImageDue(11, 0));
  }

  @Test
  void whatFailsIsTriedAgainAtAGrowingDistance() {
    RetryDistance retry = new RetryDistance(() -> now);
    long distance = RetryDistance.FIRST_NANOS;
    assertTrue(retry.mayTry());
    for (int failures = 1; failures <= 12; failures++) {
      retry.failed();
      pass(distance);
      assertFalse(retry.mayTry(), "after " + failures + " failures");
      pass(1);
      assertTrue(retry.mayTry(), "after " + failures + " failures");
      distance = Math.min(2 * distance, RetryDistance.LAST_NANOS);
    }
    retry.failed();
    retry.succeeded();
    assertTrue(retry.mayTry());
  }

  @Test
  void theImageHeaderKeepsItsOffsets() {
    assertEquals(0x3247_4D49_4E45_4D4FL, ImageHeaderLayout.MAGIC_VALUE, "OMENIMG2");
    assertEquals(0, ImageHeaderLayout.MAGIC);
    assertEquals(8, ImageHeaderLayout.CALIBRATED_AT);
    assertEquals(12, ImageHeaderLayout.BLOCKS_TRIED);
    assertEquals(16, ImageHeaderLayout.CALIBRATION);
    assertEquals(48, ImageHeaderLayout.WITHOUT_BLOCKS);
    assertEquals(128, ImageHeaderLayout.BYTES);
    assertEquals(0, ImageHeaderLayout.EF);
    assertEquals(4, ImageHeaderLayout.SCORING);
    assertEquals(8, ImageHeaderLayout.RECALL);
    assertEquals(16, ImageHeaderLayout.EF_OF_100);
    assertEquals(28, ImageHeaderLayout.PRESENT);
  }
}
