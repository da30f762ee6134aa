package io.omendb.loadtest;

import io.omendb.loadtest.bench.BenchCommand;
import io.omendb.loadtest.bench.DemoCommand;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** What the launcher starts for everything but {@code serve}. */
@Command(
    name = "omendb",
    description = "A vector database in one process, spoken to over gRPC.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    usageHelpWidth = 100,
    versionProvider = Version.class,
    subcommands = {
      ServeCommand.class,
      DemoCommand.class,
      BenchCommand.class,
      VerifyCommand.class,
      HelpCommand.class
    })
public final class Cli implements Runnable {

  @Spec private @Nullable CommandSpec spec;

  private Cli() {}

  /** Without a command: lists them. */
  @Override
  public void run() {
    CommandLine line = Objects.requireNonNull(spec).commandLine();
    line.usage(line.getOut());
  }

  /** Runs a command; the exit status is 0, 1 if it failed, 2 if it was not understood. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Cli())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(new Failure());
  }

  /** Says what failed in one line; the stack trace is for those who ask for it. */
  private static final class Failure implements IExecutionExceptionHandler {

    @Override
    public int handleExecutionException(
        Exception exception, CommandLine commandLine, ParseResult parseResult) {
      if (Boolean.getBoolean("omendb.trace")) {
        exception.printStackTrace(commandLine.getErr());
      } else {
        commandLine.getErr().println("omendb: " + exception);
      }
      return 1;
    }
  }
}
