package io.omendb.loadtest.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a bench found: one JSON object for programs, and the curve as a table for people. */
public final class BenchReport {

  private final Map<String, Object> fields = new LinkedHashMap<>();
  private final List<CurveRow> curve = new ArrayList<>();

  /** Sets a field. Fields appear in the order in which they were first set. */
  public void put(String name, Object value) {
    fields.put(name, value);
  }

  /** Sets a field to a number of so many digits behind the point. */
  public void put(String name, double value, int digits) {
    fields.put(name, Rounding.digits(value, digits));
  }

  /** Adds a point. */
  public void add(CurveRow row) {
    curve.add(row);
  }

  /** The JSON object, with where and from what it was measured. */
  public String json() {
    Map<String, Object> object = new LinkedHashMap<>(fields);
    object.put("curve", curve.stream().map(CurveRow::json).toList());
    object.put("commit", Commit.current());
    object.put("machine", Machine.describe());
    return Json.write(object);
  }

  /** Writes {@link #json} to a file. */
  public void write(Path path) throws IOException {
    Path directory = path.toAbsolutePath().getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    Files.writeString(path, json());
  }

  /** The plain fields, a line each, and the curve. */
  public String text() {
    StringBuilder text = new StringBuilder();
    fields.forEach((name, value) ->
        text.append(String.format(Locale.ROOT, "  %-26s %s%n", name, readable(value))));
    return text.append('\n').append(curveTable()).toString();
  }

  private static String readable(Object value) {
    return switch (value) {
      case Double number -> String.format(Locale.ROOT, "%,.2f", number);
      case Number number -> String.format(Locale.ROOT, "%,d", number.longValue());
      default -> value.toString();
    };
  }

  private Table curveTable() {
    Table table =
        new Table(
            "ef", "clients", "recall@10", "qps", "p50 µs", "p95 µs", "p99 µs", "distances/query");
    for (CurveRow row : curve) {
      table.row(
          Integer.toString(row.ef()),
          row.clients() > 0 ? Integer.toString(row.clients()) : "-",
          String.format(Locale.ROOT, "%.4f", row.recall()),
          String.format(Locale.ROOT, "%,.0f", row.qps()),
          String.format(Locale.ROOT, "%,.1f", row.p50Micros()),
          String.format(Locale.ROOT, "%,.1f", row.p95Micros()),
          String.format(Locale.ROOT, "%,.1f", row.p99Micros()),
          String.format(Locale.ROOT, "%,.0f", row.distanceComputations()));
    }
    return table;
  }
}
