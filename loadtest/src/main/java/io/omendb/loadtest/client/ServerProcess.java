package io.omendb.loadtest.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A server in a process of its own, on a free port of the loopback interface: the real thing, which
 * can be killed.
 */
public final class ServerProcess implements AutoCloseable {

  /** How long a server may take to open its port. */
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  /** Lines of output that are kept. */
  private static final int LOG_LINES = 2_000;

  private static final Pattern LISTENING = Pattern.compile("listening on ([^\\s,]+):(\\d+)");

  private final Process process;
  private final Deque<String> log = new ArrayDeque<>();
  private final CompletableFuture<InetSocketAddress> address = new CompletableFuture<>();
  private final Thread reader;

  /**
   * What to start.
   *
   * @param dataDirectory where its data is
   * @param heap Java heap, such as "256m"
   * @param jvmOptions more options of the JVM
   * @param arguments more arguments of the server, such as "--durability", "os"
   * @param variables more variables of its environment
   * @param wrapper a program that becomes the server, with its arguments, such as "setpriv", "--"
   */
  public record Options(
      Path dataDirectory,
      String heap,
      List<String> jvmOptions,
      List<String> arguments,
      Map<String, String> variables,
      List<String> wrapper) {

    /** The launcher's defaults. */
    public static Options defaults(Path dataDirectory) {
      return new Options(dataDirectory, "256m", List.of(), List.of(), Map.of(), List.of());
    }

    /** The same with another heap. */
    public Options withHeap(String size) {
      return new Options(dataDirectory, size, jvmOptions, arguments, variables, wrapper);
    }

    /** The same with other options of the JVM. */
    public Options withJvmOptions(String... options) {
      return new Options(dataDirectory, heap, List.of(options), arguments, variables, wrapper);
    }

    /** The same with other arguments of the server. */
    public Options withArguments(String... arguments) {
      return new Options(dataDirectory, heap, jvmOptions, List.of(arguments), variables, wrapper);
    }

    /** The same with other variables. */
    public Options withVariables(Map<String, String> variables) {
      return new Options(dataDirectory, heap, jvmOptions, arguments, variables, wrapper);
    }

    /** The same with another wrapper. */
    public Options withWrapper(List<String> wrapper) {
      return new Options(dataDirectory, heap, jvmOptions, arguments, variables, wrapper);
    }
  }

  private ServerProcess(Process process) {
    this.process = process;
    this.reader = Thread.ofVirtual().name("server-log").start(this::readLog);
  }

  /**
   * Starts a server and waits until it listens. It may still be recovering: see {@link
   * Connection#awaitServing}.
   *
   * @throws IOException if it cannot be started, ends, or does not listen in time
   */
  public static ServerProcess start(Options options) throws IOException {
    List<String> command = new ArrayList<>(options.wrapper());
    command.addAll(ServerJvm.command(options.heap(), options.jvmOptions()));
    command.addAll(List.of("--data", options.dataDirectory().toString()));
    if (!options.arguments().contains("--listen")) {
      command.addAll(List.of("--listen", "127.0.0.1:0"));
    }
    command.addAll(options.arguments());
    ProcessBuilder process = new ProcessBuilder(command).redirectErrorStream(true);
    process.environment().putAll(options.variables());
    ServerProcess server = new ServerProcess(process.start());
    server.awaitListening();
    return server;
  }

  /**
   * Runs the server's program to its end, for what it only prints.
   *
   * @return what it wrote to standard output
   * @throws IOException if it cannot be started, or its exit status is not 0
   */
  public static String output(String... arguments) throws IOException {
    List<String> command = ServerJvm.command("64m", List.of());
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output;
    try (BufferedReader lines = process.inputReader()) {
      output = lines.lines().collect(Collectors.joining("\n"));
    }
    int status = process.onExit().join().exitValue();
    if (status != 0) {
      throw new IOException(String.join(" ", arguments) + ": exit status " + status);
    }
    return output;
  }

  private void awaitListening() throws IOException {
    try {
      address.orTimeout(START_TIMEOUT.toSeconds(), TimeUnit.SECONDS).join();
    } catch (CompletionException e) {
      kill();
      throw new IOException("the server did not start listening; it said:\n" + log(), e.getCause());
    }
  }

  private void readLog() {
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        keep(line);
        Matcher listening = LISTENING.matcher(line);
        if (listening.find()) {
          int port = Integer.parseInt(listening.group(2));
          address.complete(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        }
      }
    } catch (IOException e) {
      keep("(its output broke off: " + e + ")");
    }
    address.completeExceptionally(new IOException("the server ended"));
  }

  private void keep(String line) {
    synchronized (log) {
      if (log.size() == LOG_LINES) {
        log.removeFirst();
      }
      log.addLast(line);
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return address.join();
  }

  /** Its process id. */
  public long pid() {
    return process.pid();
  }

  /** Whether it runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** The last lines it wrote. */
  public String log() {
    synchronized (log) {
      return String.join("\n", log);
    }
  }

  /** Whether it runs or how it ended, and its last lines: for the message of a failure. */
  public String describe() {
    String state = isAlive() ? "the server runs" : "the server ended with " + process.exitValue();
    return state + "; it said:\n" + log();
  }

  /** Kills it as {@code kill -9} does, and waits until it is gone. */
  public void kill() {
    process.destroyForcibly();
    await(Duration.ofSeconds(30));
  }

  /**
   * Asks it to end as {@code kill} does, and waits.
   *
   * @return its exit status
   * @throws IllegalStateException if it has not ended in time
   */
  public int terminate(Duration timeout) {
    // Not Process.destroy, which closes the stream of its last lines.
    boolean unused = process.toHandle().destroy();
    return await(timeout);
  }

  /**
   * Waits until it ends by itself.
   *
   * @return its exit status
   * @throws IllegalStateException if it has not ended in time
   */
  public int awaitEnd(Duration timeout) {
    return await(timeout);
  }

  private int await(Duration timeout) {
    try {
      if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(
            "the server has not ended within " + timeout + "; it said:\n" + log());
      }
      reader.join();
      return process.exitValue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Kills it if it runs. */
  @Override
  public void close() {
    kill();
  }
}
