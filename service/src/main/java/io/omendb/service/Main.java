package io.omendb.service;

import io.omendb.engine.Database;
import io.omendb.service.config.Option;
import io.omendb.service.config.ServerConfig;
import io.omendb.service.config.Settings;
import io.omendb.service.config.Version;
import io.omendb.storage.api.FailureWords;
import io.omendb.storage.api.StorageException;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/// `omendb serve`: settings → open the port → recover → serve → drain on SIGTERM.
///
/// Says `listening on HOST:PORT` on standard output once the port is open, with the real port, and
/// `serving` once the data is, for whoever started it. Everything else goes to the log on standard
/// error.
public final class Main {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);

  private static final String MARKDOWN = "--options-markdown";

  private static final int EXIT_FAILED = 1;
  private static final int EXIT_USAGE = 2;

  private final PrintWriter out;
  private final PrintWriter err;
  private final WarmUp warmUp;

  private Main(PrintWriter out, PrintWriter err, WarmUp warmUp) {
    this.out = out;
    this.err = err;
    this.warmUp = warmUp;
  }

  /// Runs the server until it is told to stop; exits with 0 after a clean end.
  public static void main(String[] args) throws InterruptedException {
    // At once: what comes before the server is half a second of one processor.
    WarmUp warmUp = WarmUp.start(Path.of(System.getProperty("java.io.tmpdir", "")));
    Runtime.getRuntime().addShutdownHook(new Thread(warmUp::end, "omendb-warm-up-end"));
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    CommandLine line = new CommandLine(spec());
    Main main = new Main(line.getOut(), line.getErr(), warmUp);
    int status = main.run(line, args);
    if (status != 0) {
      System.exit(status);
    }
  }

  /// The command line, made from [Option].
  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create().name("omendb serve");
    spec.usageMessage()
        .description(
            "Serves a data directory over gRPC.",
            "Every option may also stand in a properties file (--config) or the environment;"
                + " a flag goes before a variable, and that before the file.")
        .sortOptions(false)
        .width(100);
    Settings.addTo(spec);
    spec.addOption(
        OptionSpec.builder(MARKDOWN)
            .type(boolean.class)
            .description("Prints the table of options in Markdown.")
            .build());
    return spec.mixinStandardHelpOptions(true);
  }

  private int run(CommandLine line, String[] args) throws InterruptedException {
    try {
      ParseResult flags = Settings.flags(line, args);
      if (line.isUsageHelpRequested()) {
        line.usage(out);
        return 0;
      }
      if (line.isVersionHelpRequested()) {
        say(Version.NAME);
        return 0;
      }
      if (flags.hasMatchedOption(MARKDOWN)) {
        say(Option.markdown().stripTrailing());
        return 0;
      }
      return serve(ServerConfig.of(Settings.complete(line, flags, System.getenv())));
    } catch (ParameterException e) {
      complain(e.getMessage() + " (see --help)");
      return EXIT_USAGE;
    } catch (IOException e) {
      complain(words(e));
      LOG.debug("cannot start", e);
      return EXIT_FAILED;
    }
  }

  /// Why the server cannot start, without Java's words for it.
  private static String words(IOException e) {
    return switch (e) {
      case NoSuchFileException missing when missing.getReason() == null ->
          missing.getFile() + ": cannot be made there";
      case FileAlreadyExistsException file -> file.getFile() + ": not a directory";
      case StorageException known -> FailureWords.of(known);
      case FileSystemException other -> FailureWords.of(other);
      default ->
          e.getCause() instanceof BindException bind
              ? e.getMessage() + ": " + bind.getMessage() + "; is the port in use?"
              : String.valueOf(e.getMessage());
    };
  }

  private int serve(ServerConfig config) throws IOException, InterruptedException {
    LOG.info(
        "OmenDB {}, Java {}, data directory {}, durability {}",
        Version.NAME,
        Runtime.version(),
        config.data().toAbsolutePath(),
        config.durability());
    for (String name : Settings.unknownVariables(System.getenv())) {
      LOG.warn("the variable {} is none of ours, and is not read (see --help)", name);
    }
    if (!isLoopback(config.listen())) {
      LOG.warn(
          "listening on {} without TLS or authentication: whoever reaches it may read and drop all",
          host(config.listen()));
    }
    warmUp.limit(config.warmUp());
    OmenServer server = new OmenServer(config);
    boolean served = false;
    try {
      server.start();
      say("listening on " + host(config.listen()) + ":" + server.port());
      if (server.metricsPort() != 0) {
        say("metrics on port " + server.metricsPort());
      }
      Database database = server.open();
      warmUp.await();
      server.serve(database);
      Runtime.getRuntime()
          .addShutdownHook(new Thread(() -> stop(server, config, warmUp), "omendb-shutdown"));
      served = true;
      say("serving");
    } finally {
      if (!served) {
        server.close();
      }
    }
    // Until a signal starts the hook.
    new CountDownLatch(1).await();
    return 0;
  }

  /// The end after SIGTERM or SIGINT. Without the halt the JVM would exit with 143 or 130, although
  /// nothing went wrong.
  private static void stop(OmenServer server, ServerConfig config, WarmUp warmUp) {
    int status = 0;
    long start = System.nanoTime();
    try {
      LOG.info("told to stop: running calls get {} ms to end", config.drain().toMillis());
      server.drain(config.drain());
      LOG.info("stopped in {} ms", (System.nanoTime() - start) / 1_000_000);
    } catch (IOException | InterruptedException | RuntimeException e) {
      LOG.error("the server did not end cleanly", e);
      status = EXIT_FAILED;
    }
    warmUp.end();
    Runtime.getRuntime().halt(status);
  }

  private static boolean isLoopback(InetSocketAddress address) {
    InetAddress resolved = address.getAddress();
    return resolved != null && resolved.isLoopbackAddress();
  }

  private static String host(InetSocketAddress address) {
    String host = address.getHostString();
    return host.contains(":") ? "[" + host + "]" : host;
  }

  private void say(String line) {
    out.println(line);
    out.flush();
  }

  private void complain(String line) {
    err.println("omendb serve: " + line);
    err.flush();
  }
}
