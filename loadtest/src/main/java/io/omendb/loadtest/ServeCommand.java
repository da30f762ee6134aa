package io.omendb.loadtest;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code omendb serve}: the launcher starts the server itself; here it stands in the list. */
@Command(
    name = "serve",
    header = "Serves a data directory over gRPC; see omendb serve --help.",
    description = "Run it by the launcher: omendb serve --help.")
final class ServeCommand implements Runnable {

  @Parameters(arity = "0..*", hidden = true)
  private String[] arguments = {};

  @Override
  public void run() {
    throw new IllegalStateException(
        "serve with " + arguments.length + " arguments is the launcher's: ./omendb serve");
  }
}
