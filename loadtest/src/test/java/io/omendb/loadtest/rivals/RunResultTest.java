package io.omendb.loadtest.rivals;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class RunResultTest {
  private static RunResult curve(double... recallsAndRates) {
    List<RunResult.Point> points = new ArrayList<>();
    for (int i = 0; i < recallsAndRates.length; i += 2) {
      points.add(new RunResult.Point(i, recallsAndRates[i], recallsAndRates[i + 1], 0));
    }
    return new RunResult(1, 1, 1, 0, points);
  }

  @Test
  void betweenTwoPointsTheRateIsInterpolatedByItsLogarithm() {
    RunResult run = curve(0.90, 10_000, 0.98, 100);
    assertEquals(1_000, run.qpsAt(0.94).orElseThrow(), 1e-6);
    assertEquals(100, run.qpsAt(0.98).orElseThrow(), 1e-6);
  }

  @Test
  void aRecallThatIsNotReachedHasNoRate() {
    assertEquals(OptionalDouble.empty(), curve(0.90, 10_000, 0.98, 100).qpsAt(0.99));
    assertEquals(OptionalDouble.empty(), curve().qpsAt(0.5));
  }

  @Test
  void aCurveThatBeginsAboveIsAsFastAsItsFirstPoint() {
    assertEquals(500, curve(0.97, 500, 0.99, 100).qpsAt(0.95).orElseThrow());
  }

  /** Default searches among others by ef; slow first measurements. */
  @Test
  void pointsThatAnotherBeatsInBothDoNotCount() {
    RunResult run = curve(0.95, 200, 0.99, 100, 0.96, 50, 0.90, 150, 0.99, 80);
    assertEquals(List.of(200.0, 100.0), run.frontier().stream().map(RunResult.Point::qps).toList());
    assertEquals(200, run.qpsAt(0.90).orElseThrow());
  }

  @Test
  void theRecallAtARateIsTheBestThatIsAsFast() {
    RunResult run = curve(0.90, 300, 0.95, 200, 0.99, 100);
    assertEquals(0.95, run.recallAt(150));
    assertEquals(0, run.recallAt(400));
  }
}
