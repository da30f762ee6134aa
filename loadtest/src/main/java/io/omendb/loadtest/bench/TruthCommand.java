package io.omendb.loadtest.bench;

import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.report.ProgressBar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code omendb bench truth}: exact answers as a file, for benches of others. */
@Command(
    name = "truth",
    description = "Writes the exact 10 nearest neighbours of each query as .ivecs.")
final class TruthCommand implements Callable<Integer> {

  @Mixin private DatasetOptions setOptions = new DatasetOptions();

  @Option(names = "--out", required = true, paramLabel = "FILE", description = "The .ivecs file.")
  private Path out = Path.of("");

  @Override
  public Integer call() throws IOException {
    int threads = Runtime.getRuntime().availableProcessors();
    Path directory = out.toAbsolutePath().getParent();
    if (directory != null) {
      Files.createDirectories(directory);
    }
    try (Dataset set = setOptions.open(threads, ProgressBar.onStandardError())) {
      set.truth().write(out);
    }
    return 0;
  }
}
