package io.omendb.service.config;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/// The server's settings: the one table of them.
///
/// Flags, environment variables, keys of the file, `--help`, and the README's table all come from
/// here, and so do the types and limits of the values.
public enum Option {
  DATA("data", "directory", "data", "Data directory; made if it is not there.", Values::path),
  LISTEN(
      "listen",
      "host:port",
      "127.0.0.1:50051",
      "Address of the gRPC server; port 0 takes a free one. There is no TLS yet: mind who may reach"
          + " it.",
      Values::address),
  DURABILITY(
      "durability",
      "mode",
      "always",
      "When writes are acknowledged: always (synced), interval[:100ms], or os (written).",
      Values::durability),
  METRICS_LISTEN(
      "metrics-listen",
      "host:port",
      "",
      "Address of the Prometheus endpoint; empty: none.",
      Values::optionalAddress),
  MAX_MESSAGE(
      "max-message",
      "bytes",
      "16MiB",
      "Longest request message; longer: RESOURCE_EXHAUSTED.",
      Values.bytes(64 << 10, 256 << 20)),
  MAX_REPLY(
      "max-reply",
      "bytes",
      "64MiB",
      "Longest reply; a longer one is refused.",
      Values.bytes(64 << 10, 256 << 20)),
  REQUEST_THREADS(
      "request-threads",
      "threads",
      "0",
      "Threads that search and read; 0: one a processor.",
      Values::threads),
  REQUEST_QUEUE(
      "request-queue",
      "requests",
      "1024",
      "Requests that may wait for them; more: QUEUE_FULL.",
      Values.number(1, 1_000_000)),
  LINKER_THREADS(
      "linker-threads",
      "threads",
      "0",
      "Threads that build graphs; 0: one a processor.",
      Values::threads),
  NETWORK_THREADS(
      "network-threads",
      "threads",
      "0",
      "Threads that read requests; 0: one a processor.",
      Values::threads),
  VISIBLE_WAIT(
      "visible-wait",
      "time",
      "5s",
      "Longest wait for min_visible_sequence, whatever the deadline.",
      Values::time),
  MAX_STREAMS(
      "max-streams",
      "streams",
      "256",
      "Bulk streams at a time; more: TOO_MANY.",
      Values.number(1, 100_000)),
  MAX_COLLECTIONS(
      "max-collections",
      "collections",
      "256",
      "Collections; more: TOO_MANY.",
      Values.number(1, 1_000_000)),
  MAX_CONNECTIONS(
      "max-connections",
      "connections",
      "4096",
      "Connections at a time; more are closed as they come.",
      Values.number(1, 1_000_000)),
  MAX_CALLS(
      "max-calls",
      "calls",
      "1000",
      "Calls at a time on one connection; more wait.",
      Values.number(1, 1_000_000)),
  DRAIN("drain", "time", "10s", "Longest time that calls get to end after SIGTERM.", Values::time),
  KEEP_ALIVE(
      "keep-alive",
      "time",
      "10s",
      "How often a silent client is pinged, from 10s on; one that does not answer for 10s is gone.",
      Values::keepAlive),
  WARM_UP(
      "warm-up",
      "time",
      "600ms",
      "Longest time from the start that serving waits for the server's warm-up; 0: none.",
      Values::time);

  private final String key;
  private final String unit;
  private final String defaultValue;
  private final String meaning;

  @SuppressWarnings("ImmutableEnumChecker") // converters have no state
  private final ITypeConverter<?> type;

  Option(String key, String unit, String defaultValue, String meaning, ITypeConverter<?> type) {
    this.key = key;
    this.unit = unit;
    this.defaultValue = defaultValue;
    this.meaning = meaning;
    this.type = type;
  }

  /// Key in the file.
  String key() {
    return key;
  }

  /// Flag on the command line.
  public String flag() {
    return "--" + key;
  }

  /// Environment variable.
  public String variable() {
    return "OMENDB_" + key.replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /// What its value is, in one word.
  public String unit() {
    return unit;
  }

  /// Its value if none is given.
  public String defaultValue() {
    return defaultValue;
  }

  /// What it does, in one sentence.
  public String meaning() {
    return meaning;
  }

  /// What makes its value of a text, within its limits, which stand here and nowhere else.
  ITypeConverter<?> type() {
    return type;
  }

  /// The option of a flag; null for another flag, such as `--help`.
  static @Nullable Option ofFlag(ArgSpec argument) {
    for (Option option : values()) {
      if (argument instanceof OptionSpec spec && spec.longestName().equals(option.flag())) {
        return option;
      }
    }
    return null;
  }

  /// The table in Markdown.
  public static String markdown() {
    StringBuilder table = new StringBuilder();
    table.append("| Flag and file key | Environment | Unit | Default | Meaning |\n");
    table.append("|---|---|---|---|---|\n");
    for (Option option : values()) {
      table
          .append("| `")
          .append(option.flag())
          .append("` | `")
          .append(option.variable())
          .append("` | ")
          .append(option.unit())
          .append(" | ")
          .append(option.defaultValue().isEmpty() ? "" : "`" + option.defaultValue() + "`")
          .append(" | ")
          .append(option.meaning())
          .append(" |\n");
    }
    return table.toString();
  }
}
