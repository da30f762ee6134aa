package io.omendb.loadtest.rivals;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.report.Commit;
import io.omendb.loadtest.report.Json;
import io.omendb.loadtest.report.Machine;
import io.omendb.loadtest.report.Plot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * What a {@link Comparison} found. A figure is the median of the rounds; a ratio is the median of
 * the rounds' ratios, since in one round all systems met the same neighbours on the machine.
 */
public final class ComparisonReport {
  private static final double MANY = 0.95;
  private static final double NEARLY_ALL = 0.99;

  private final Dataset set;
  private final int threads;
  private final Map<String, List<RunResult>> results;
  private final Map<String, String> about;
  private final Map<String, String> missing;

  ComparisonReport(
      Dataset set,
      int threads,
      Map<String, List<RunResult>> results,
      Map<String, String> about,
      Map<String, String> missing) {
    this.set = set;
    this.threads = threads;
    this.results = results;
    this.about = about;
    this.missing = missing;
  }

  /** Writes rivals.json, rivals.md and two plots into a directory. */
  public void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("rivals.json"), json());
    Files.writeString(directory.resolve("rivals.md"), markdown());
    Files.writeString(directory.resolve("search.svg"), searchPlot().svg());
    Files.writeString(directory.resolve("build.svg"), buildPlot().svg());
  }

  private String json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("dataset", set.name());
    object.put("count", set.base().count());
    object.put("dimension", set.base().dimension());
    object.put("queries", set.queries().count());
    object.put("metric", set.metric().label());
    object.put("build_threads", threads);
    object.put("search_threads", 1);
    object.put("systems", results);
    object.put("about", about);
    object.put("missing", missing);
    object.put("commit", Commit.current());
    object.put("machine", Machine.describe());
    return Json.write(object);
  }

  /** The table, with what it needs to be believed. */
  public String markdown() {
    StringBuilder text = new StringBuilder();
    line(
        text,
        "%s: %,d × %d, %s, %,d queries. %d threads build, one searches; durability `os`; median of"
            + " %d rounds in turn; commit %s.",
        set.name(),
        set.base().count(),
        set.base().dimension(),
        set.metric().label(),
        set.queries().count(),
        threads,
        ours().size(),
        Commit.current());
    Map<String, Object> machine = Machine.describe();
    line(
        text,
        "%s, %s cores.",
        machine.getOrDefault("processor", ""),
        machine.getOrDefault("cores", ""));
    line(text, "");
    line(
        text,
        "| | vectors/s | processor-µs a vector | searches/s at recall 0.95 | at 0.99 | memory, MB |"
            + " others | ours ÷ theirs: build | 0.95 | 0.99 |");
    line(text, "|---|---|---|---|---|---|---|---|---|---|");
    results.forEach((name, runs) -> {
      line(
          text,
          "| %s | %s | %s | %s | %s | %s | %.2f | %s | %s | %s |",
          name,
          number(median(runs, this::rate)),
          decimal(median(runs, run -> 1e6 * run.buildCpuSeconds() / set.base().count())),
          number(median(runs, run -> orNone(run.qpsAt(MANY)))),
          number(median(runs, run -> orNone(run.qpsAt(NEARLY_ALL)))),
          number(median(runs, run -> run.peakBytes() / 1e6)),
          runs.stream().mapToDouble(RunResult::othersShare).max().orElse(0),
          ratio(runs, this::rate),
          ratio(runs, run -> orNone(run.qpsAt(MANY))),
          ratio(runs, run -> orNone(run.qpsAt(NEARLY_ALL))));
    });
    line(text, "");
    line(text, "Others: processors that other work took, at most. –: the recall is not reached.");
    about.forEach((name, what) -> {
      String reason = missing.get(name);
      line(
          text, "- %s: %s%s", name, what, reason == null ? "" : ". Not to be had: " + last(reason));
    });
    return text.toString();
  }

  private static String last(String reason) {
    return reason.lines().reduce("", (_, line) -> line);
  }

  @FormatMethod
  private static void line(StringBuilder text, @FormatString String format, Object... arguments) {
    text.append(String.format(Locale.ROOT, format, arguments)).append('\n');
  }

  /** The rounds of a system; none if it could not be had. */
  List<RunResult> results(String name) {
    return results.getOrDefault(name, List.of());
  }

  private List<RunResult> ours() {
    return results(OmenDb.NAME);
  }

  private double rate(RunResult run) {
    return set.base().count() / run.buildSeconds();
  }

  private static double orNone(OptionalDouble value) {
    return value.orElse(Double.NaN);
  }

  private static double median(List<RunResult> runs, ToDoubleFunction<RunResult> of) {
    return median(runs.stream().mapToDouble(of).toArray());
  }

  /** NaN where one of them is. */
  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted); // NaN last
    int n = sorted.length;
    return n == 0 || Double.isNaN(sorted[n - 1])
        ? Double.NaN
        : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  private String ratio(List<RunResult> theirs, ToDoubleFunction<RunResult> of) {
    List<RunResult> ours = ours();
    if (theirs.equals(ours)) {
      return "";
    }
    double[] ratios =
        IntStream.range(0, Math.min(ours.size(), theirs.size()))
            .mapToDouble(i -> of.applyAsDouble(ours.get(i)) / of.applyAsDouble(theirs.get(i)))
            .toArray();
    return decimal(median(ratios));
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%,.0f", value);
  }

  private static String decimal(double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%.2f", value);
  }

  /** Recall against searches a second, the curve of each system's middle round. */
  private Plot searchPlot() {
    Plot plot = new Plot(title("one thread searches"), Plot.Across.RECALL, "searches/s");
    results.forEach((name, runs) -> {
      List<Plot.Point> points = new ArrayList<>();
      for (RunResult.Point point : middle(runs).frontier()) {
        points.add(new Plot.Point(point.recall(), point.qps()));
      }
      plot.add(name, points);
    });
    return plot;
  }

  /** Recall against the rate of building, where all are asked to search as fast. */
  private Plot buildPlot() {
    double qps = 0.9 * median(ours(), run -> run.qpsAt(MANY).orElse(run.curve().getFirst().qps()));
    Plot plot =
        new Plot(
            title(String.format(Locale.ROOT, "%,.0f searches/s by one thread", qps)),
            Plot.Across.RECALL,
            "vectors/s built by " + threads + " threads");
    results.forEach((name, runs) ->
        plot.add(
            name,
            List.of(
                new Plot.Point(median(runs, run -> run.recallAt(qps)), median(runs, this::rate)))));
    return plot;
  }

  private String title(String what) {
    return String.format(
        Locale.ROOT,
        "%s, %,d × %d: %s",
        set.name(),
        set.base().count(),
        set.base().dimension(),
        what);
  }

  /** The round whose search at recall 0.95, or else its first, is the median. */
  private static RunResult middle(List<RunResult> runs) {
    return runs.stream()
        .sorted((a, b) ->
            Double.compare(
                a.qpsAt(MANY).orElse(a.curve().getFirst().qps()),
                b.qpsAt(MANY).orElse(b.curve().getFirst().qps())))
        .toList()
        .get((runs.size() - 1) / 2);
  }
}
