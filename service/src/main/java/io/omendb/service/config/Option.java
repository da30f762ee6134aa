package io.omendb.service.config;

import java.util.Locale;

/// The server's settings: the one table of them.
///
/// Flags, environment variables, keys of the file, `--help`, and the README's table all come from
/// here; [ServerConfig] gives the values their types and limits.
public enum Option {
  DATA("data", "directory", "data", "Data directory; made if it is not there."),
  LISTEN(
      "listen",
      "host:port",
      "0.0.0.0:50051",
      "Address of the gRPC server; port 0 takes a free one."),
  DURABILITY(
      "durability",
      "mode",
      "always",
      "When writes are acknowledged: always (synced), interval[:100ms], or os (written)."),
  METRICS_LISTEN(
      "metrics-listen", "host:port", "", "Address of the Prometheus endpoint; empty: none."),
  MAX_MESSAGE(
      "max-message", "bytes", "16MiB", "Longest request message; longer: RESOURCE_EXHAUSTED."),
  MAX_REPLY("max-reply", "bytes", "64MiB", "Longest reply; a longer one is refused."),
  REQUEST_THREADS(
      "request-threads", "threads", "0", "Threads that search and read; 0: one a processor."),
  REQUEST_QUEUE(
      "request-queue", "requests", "1024", "Requests that may wait for them; more: QUEUE_FULL."),
  LINKER_THREADS(
      "linker-threads", "threads", "0", "Threads that build graphs; 0: one a processor."),
  NETWORK_THREADS(
      "network-threads", "threads", "0", "Threads that read requests; 0: one a processor."),
  VISIBLE_WAIT(
      "visible-wait",
      "time",
      "5s",
      "Longest wait for min_visible_sequence, whatever the deadline."),
  MAX_STREAMS("max-streams", "streams", "256", "Bulk streams at a time; more: TOO_MANY."),
  MAX_COLLECTIONS("max-collections", "collections", "256", "Collections; more: TOO_MANY."),
  MAX_CALLS("max-calls", "calls", "1000", "Calls at a time on one connection; more wait."),
  DRAIN("drain", "time", "10s", "Longest time that calls get to end after SIGTERM.");

  private final String key;
  private final String unit;
  private final String defaultValue;
  private final String meaning;

  Option(String key, String unit, String defaultValue, String meaning) {
    this.key = key;
    this.unit = unit;
    this.defaultValue = defaultValue;
    this.meaning = meaning;
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
