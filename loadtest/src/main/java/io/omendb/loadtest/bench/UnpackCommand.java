package io.omendb.loadtest.bench;

import io.omendb.loadtest.report.Progress;
import io.omendb.loadtest.rivals.Comparison;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code omendb bench unpack}: a set of ann-benchmarks as files that the other benches take. */
@Command(
    name = "unpack",
    description =
        "Writes base.fvecs, query.fvecs and truth.ivecs of an HDF5 file of ann-benchmarks, and"
            + " prints the options of a bench on them. Needs python3 with venv, and a network for"
            + " pip the first time.")
final class UnpackCommand implements Callable<Integer> {

  @Parameters(index = "0", paramLabel = "FILE", description = "The .hdf5 file.")
  private Path file = Path.of("");

  @Parameters(index = "1", paramLabel = "DIR", description = "Where to.")
  private Path directory = Path.of("");

  @Option(
      names = "--work",
      defaultValue = "target/rivals",
      paramLabel = "DIR",
      description = "Where what it needs is installed. Default: ${DEFAULT-VALUE}.")
  private Path work = Path.of("");

  @Override
  public Integer call() throws IOException {
    String metric = new Comparison(work, Progress.NONE).unpack(file, directory);
    System.out.printf(
        "--base %s --query %s --truth %s --metric %s%n",
        directory.resolve("base.fvecs"),
        directory.resolve("query.fvecs"),
        directory.resolve("truth.ivecs"),
        metric);
    return 0;
  }
}
