package io.omendb.loadtest.bench;

import io.omendb.loadtest.report.BenchReport;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the result of a bench goes. */
final class ReportOptions {

  @Option(names = "--json", paramLabel = "FILE", description = "Write the result as JSON.")
  private @Nullable Path json;

  /** Prints the table, and writes the JSON if it is wanted. */
  void finish(BenchReport report) throws IOException {
    System.out.print(report.text());
    if (json != null) {
      report.write(json);
    }
  }
}
