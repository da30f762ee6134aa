package io.omendb.loadtest.bench;

import io.omendb.engine.Profile;
import io.omendb.engine.Visibility;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.report.ProgressBar;
import io.omendb.loadtest.rivals.Comparison;
import io.omendb.loadtest.rivals.ComparisonReport;
import io.omendb.loadtest.rivals.OmenDbSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code omendb bench rivals}: OmenDB beside others on the same vectors. */
@Command(
    name = "rivals",
    header = "Installs other vector indexes, and measures OmenDB beside them.",
    description =
        "In each round every system builds its index and searches, in turn, in a process of its"
            + " own. All have the same vectors, threads and judge of recall; each has its own"
            + " settings, which the report tells. Writes rivals.json, rivals.md, search.svg and"
            + " build.svg. Needs python3 with venv, a C++ compiler for hnswlib, and the first time"
            + " a network for pip and Maven.")
final class RivalsBench implements Callable<Integer> {

  @Mixin private DatasetOptions setOptions = new DatasetOptions();

  @Option(
      names = "--systems",
      split = ",",
      paramLabel = "NAME",
      description = "Which rivals. Default: all. `list` prints their names.")
  private List<String> systems = List.of();

  @Option(
      names = "--rounds",
      defaultValue = "5",
      paramLabel = "N",
      description = "How often each runs, in turn. Default: ${DEFAULT-VALUE}.")
  private int rounds;

  @Option(
      names = "--threads",
      defaultValue = "2",
      paramLabel = "N",
      description = "Threads that build. Default: ${DEFAULT-VALUE}.")
  private int threads;

  @Option(
      names = "--profile",
      defaultValue = "MEMORY",
      description = "Of OmenDB: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private Profile profile = Profile.MEMORY;

  @Option(
      names = "--visibility",
      defaultValue = "AFTER_BUILD",
      description =
          "Of what OmenDB is given: ${COMPLETION-CANDIDATES}; see bench index. Default:"
              + " ${DEFAULT-VALUE}.")
  private Visibility visibility = Visibility.AFTER_BUILD;

  @Option(
      names = "--warm",
      description =
          "OmenDB's process has built a collection before: see bench index. Without it each process"
              + " of OmenDB compiles while it builds.")
  private boolean warm;

  @Option(
      names = "--out",
      defaultValue = "target/rivals",
      paramLabel = "DIR",
      description = "Where the report goes, and what is installed. Default: ${DEFAULT-VALUE}.")
  private Path out = Path.of("");

  @Override
  public Integer call() throws IOException {
    Progress progress = ProgressBar.onStandardError();
    Comparison comparison = new Comparison(out, progress);
    if (systems.equals(List.of("list"))) {
      comparison.rivals().forEach(System.out::println);
      return 0;
    }
    List<String> names = systems.isEmpty() ? comparison.rivals() : systems;
    comparison.check(names);
    try (Dataset set = setOptions.open(threads, progress)) {
      ComparisonReport report =
          comparison.run(
              names,
              set,
              setOptions.base(),
              setOptions.query(),
              rounds,
              threads,
              new OmenDbSettings(profile, visibility, warm));
      report.write(out);
      System.out.print(report.markdown());
    }
    return 0;
  }
}
