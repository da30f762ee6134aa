package io.omendb.loadtest;

import io.omendb.storage.StorageVerifier;
import io.omendb.storage.api.StorageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code omendb verify}: tells all there is to tell of a data directory that no server has open.
 */
@Command(
    name = "verify",
    description =
        "Checks a data directory that no server has open: every checksum, every row, every id."
            + " Changes nothing that a start would not. The exit status is 0 if nothing was found,"
            + " 1 if something was.")
public final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "DIR", description = "The data directory.")
  private Path directory = Path.of("");

  @Override
  public Integer call() throws IOException {
    if (!Files.isDirectory(directory)) {
      spec.commandLine().getErr().println("omendb: " + directory + " is not a directory");
      return 1;
    }
    StorageVerifier.Report report;
    try {
      report = StorageVerifier.verify(directory);
    } catch (StorageException e) {
      spec.commandLine().getErr().println("omendb: " + e.getMessage());
      return 1;
    }
    report.problems().forEach(spec.commandLine().getOut()::println);
    spec.commandLine()
        .getOut()
        .printf(
            "%,d collections, %,d live rows, %s%n",
            report.collections(),
            report.rows(),
            report.isClean() ? "nothing wrong" : report.problems().size() + " problems");
    return report.isClean() ? 0 : 1;
  }
}
