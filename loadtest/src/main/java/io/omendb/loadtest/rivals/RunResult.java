package io.omendb.loadtest.rivals;

import io.omendb.loadtest.report.Interpolation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How one system fared in one round.
 *
 * @param buildSeconds wall time until all rows are in its index
 * @param buildCpuSeconds of all its threads in that time
 * @param peakBytes the most memory that its process had resident
 * @param othersShare processors that others kept busy meanwhile: 0.1 is a tenth of one
 * @param curve in the order of its settings
 */
record RunResult(
    double buildSeconds,
    double buildCpuSeconds,
    long peakBytes,
    double othersShare,
    List<Point> curve) {

  /**
   * All queries with one setting.
   *
   * @param setting the system's own: ef, window, probes; 0 its default
   * @param cpuMicros processor time a query
   */
  record Point(int setting, double recall, double qps, double cpuMicros) {}

  /**
   * Searches a second where the curve reaches a recall, between its points on a logarithmic scale;
   * empty where it does not reach it. A curve that begins above it is as fast as its first point.
   */
  OptionalDouble qpsAt(double recall) {
    List<Point> best = frontier();
    if (best.isEmpty() || recall > best.getLast().recall) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(
        Interpolation.atRecall(
            best.stream().mapToDouble(Point::recall).toArray(),
            best.stream().mapToDouble(Point::qps).toArray(),
            recall));
  }

  /** The highest recall at that many searches a second or more; 0 where all are slower. */
  double recallAt(double qps) {
    return curve.stream().filter(p -> p.qps >= qps).mapToDouble(Point::recall).max().orElse(0);
  }

  /** By recall, without the points that another beats in both: nobody would choose them. */
  List<Point> frontier() {
    List<Point> best = new ArrayList<>();
    List<Point> sorted =
        curve.stream()
            .sorted(Comparator.comparingDouble(Point::recall).thenComparingDouble(Point::qps))
            .toList();
    for (Point point : sorted.reversed()) {
      if (best.isEmpty() || point.qps > best.getLast().qps) {
        best.add(point);
      }
    }
    return best.reversed();
  }
}
