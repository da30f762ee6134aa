package io.omendb.loadtest.report;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One point of a curve: how well and how fast searches with one ef ran. A row of a bench over gRPC
 * also says how many clients searched at once; 0 leaves that out, and the processor time a query.
 */
public record CurveRow(
    int ef,
    int clients,
    double recall,
    double qps,
    double p50Micros,
    double p95Micros,
    double p99Micros,
    double cpuMicros,
    double distanceComputations) {

  /** A row from a run's latencies. */
  public static CurveRow of(
      int ef,
      int clients,
      double recall,
      double seconds,
      Latencies latencies,
      double cpuMicros,
      double distanceComputations) {
    return new CurveRow(
        ef,
        clients,
        recall,
        latencies.count() / seconds,
        latencies.micros(50),
        latencies.micros(95),
        latencies.micros(99),
        cpuMicros,
        distanceComputations);
  }

  /** As a JSON object. */
  public Map<String, Object> json() {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("ef", ef);
    if (clients > 0) {
      row.put("clients", clients);
    }
    row.put("recall_at_10", Rounding.digits(recall, 5));
    row.put("qps", Rounding.digits(qps, 1));
    row.put("p50_us", p50Micros);
    row.put("p95_us", p95Micros);
    row.put("p99_us", p99Micros);
    if (cpuMicros > 0) {
      row.put("cpu_us", Rounding.digits(cpuMicros, 2));
    }
    row.put("distance_computations", Rounding.digits(distanceComputations, 1));
    return row;
  }
}
