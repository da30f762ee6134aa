package io.omendb.loadtest.bench;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.omendb.loadtest.report.Commit;
import io.omendb.loadtest.report.Interpolation;
import io.omendb.loadtest.report.Machine;
import io.omendb.loadtest.report.Plot;
import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.report.ProgressBar;
import io.omendb.loadtest.rivals.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code omendb bench growth}: {@code bench index} at several numbers of rows. */
@picocli.CommandLine.Command(
    name = "growth",
    header = "Measures engine and index at several numbers of rows.",
    description =
        "Runs bench index for each number, in a process of its own; where the base has fewer rows,"
            + " further ones are those of the base again, with noise. Writes growth.md, growth.svg"
            + " and a JSON file for each. Ten million rows of 128 dimensions want 16 GB of memory,"
            + " 20 GB of disk in the temporary directory, and half an hour.")
final class GrowthBench implements Callable<Integer> {
  private static final String EFS = "10,20,40,80,160,320";
  private static final double MANY = 0.95;
  private static final double NEARLY_ALL = 0.99;

  @Mixin private DatasetOptions setOptions = new DatasetOptions();

  @Option(
      names = "--sizes",
      split = ",",
      defaultValue = "10000,100000,1000000,10000000",
      paramLabel = "N",
      description = "Numbers of rows. Default: ${DEFAULT-VALUE}.")
  private List<Integer> sizes = List.of();

  @Option(
      names = "--threads",
      defaultValue = "2",
      paramLabel = "N",
      description = "Threads that build. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--out",
      defaultValue = "target/growth",
      paramLabel = "DIR",
      description = "Where the report goes. Default: ${DEFAULT-VALUE}.")
  private Path out = Path.of("");

  /** What one run of bench index has found. */
  private record Size(JsonObject found) {
    double of(String field) {
      return found.get(field).getAsDouble();
    }

    /** Where its curve reaches a recall. */
    double at(double recall, String field) {
      List<JsonObject> curve = new ArrayList<>();
      for (JsonElement point : found.getAsJsonArray("curve")) {
        if (point.getAsJsonObject().get("ef").getAsInt() > 0) {
          curve.add(point.getAsJsonObject());
        }
      }
      return Interpolation.atRecall(
          curve.stream().mapToDouble(point -> point.get("recall_at_10").getAsDouble()).toArray(),
          curve.stream().mapToDouble(point -> point.get(field).getAsDouble()).toArray(),
          recall);
    }

    /** Of a search that names no ef. */
    double byDefault(String field) {
      for (JsonElement point : found.getAsJsonArray("curve")) {
        if (point.getAsJsonObject().get("ef").getAsInt() == 0) {
          return point.getAsJsonObject().get(field).getAsDouble();
        }
      }
      return Double.NaN;
    }
  }

  @Override
  public Integer call() throws IOException {
    Files.createDirectories(out);
    Progress progress = ProgressBar.onStandardError();
    List<Size> found = new ArrayList<>();
    for (int rows : sizes) {
      progress.start(String.format(Locale.ROOT, "%,d rows", rows), 1);
      Path json = out.resolve(rows + ".json");
      List<String> arguments = new ArrayList<>(List.of("bench", "index"));
      arguments.addAll(setOptions.arguments(rows));
      arguments.addAll(List.of("--threads", Integer.toString(threads)));
      arguments.addAll(List.of("--warm", "--page-out"));
      arguments.addAll(List.of("--ef", EFS, "--json", json.toString()));
      String unused = Command.ofOurs(arguments).output();
      found.add(new Size(JsonParser.parseString(Files.readString(json)).getAsJsonObject()));
      progress.add(1);
      progress.finish();
    }
    String table = table(found);
    Files.writeString(out.resolve("growth.md"), table);
    Files.writeString(out.resolve("growth.svg"), plot(found).svg());
    System.out.print(table);
    return 0;
  }

  private static String table(List<Size> found) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "Commit %s, %s.%n%n",
            Commit.current(),
            Machine.describe().get("processor")));
    row(text, "rows", found, size -> size.of("count"), 0);
    text.append("|---|").append("---|".repeat(found.size())).append('\n');
    row(text, "built, vectors/s", found, size -> size.of("vectors_per_second"), 0);
    row(text, "processor, us a vector", found, GrowthBench::buildCpuMicros, 1);
    row(text, "distances at recall 0.95", found, size -> size.at(MANY, "distance_computations"), 0);
    row(text, "at 0.99", found, size -> size.at(NEARLY_ALL, "distance_computations"), 0);
    row(text, "searches/s at recall 0.95", found, size -> size.at(MANY, "qps"), 0);
    row(text, "at 0.99", found, size -> size.at(NEARLY_ALL, "qps"), 0);
    row(text, "default search: recall", found, size -> size.byDefault("recall_at_10"), 4);
    row(text, "default search: searches/s", found, size -> size.byDefault("qps"), 0);
    row(text, "… with half of the pages out", found, size -> size.of("paged_out_qps"), 0);
    row(text, "memory, bytes a vector", found, size -> size.of("bytes_per_vector"), 0);
    row(text, "disk, bytes a vector", found, size -> size.of("disk_bytes") / size.of("count"), 0);
    row(text, "most resident, MB", found, size -> size.of("rss_max_bytes") / 1e6, 0);
    return text.toString();
  }

  private static double buildCpuMicros(Size size) {
    return 1e6 * size.of("build_cpu_seconds") / size.of("count");
  }

  private static void row(
      StringBuilder text, String name, List<Size> found, ToDoubleFunction<Size> of, int digits) {
    text.append("| ").append(name).append(" |");
    for (Size size : found) {
      double value = of.applyAsDouble(size);
      String cell =
          Double.isNaN(value) ? "–" : String.format(Locale.ROOT, "%,." + digits + "f", value);
      text.append(' ').append(cell).append(" |");
    }
    text.append('\n');
  }

  private static Plot plot(List<Size> found) {
    Plot plot = new Plot("Growth", Plot.Across.ROWS, "a second, or a query");
    plot.add("distances at 0.95", points(found, size -> size.at(MANY, "distance_computations")));
    plot.add("at 0.99", points(found, size -> size.at(NEARLY_ALL, "distance_computations")));
    plot.add("searches/s at 0.95", points(found, size -> size.at(MANY, "qps")));
    plot.add("at 0.99", points(found, size -> size.at(NEARLY_ALL, "qps")));
    plot.add("vectors/s built", points(found, size -> size.of("vectors_per_second")));
    return plot;
  }

  private static List<Plot.Point> points(List<Size> found, ToDoubleFunction<Size> of) {
    return found.stream()
        .map(size -> new Plot.Point(size.of("count"), of.applyAsDouble(size)))
        .toList();
  }
}
