package io.omendb.storage.api;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;

/**
 * When written data reaches the device. In every mode an acknowledgement follows write(2), so a
 * killed process loses nothing acknowledged; the modes differ in what a power cut may take.
 */
public sealed interface Durability {
  /** Sync before acknowledgement and visibility: a power cut loses nothing acknowledged. */
  record Always() implements Durability {}

  /** Sync at least every {@code period}: a power cut may lose that much. */
  record Interval(Duration period) implements Durability {
    public Interval {
      if (period.isNegative() || period.isZero()) {
        throw new IllegalArgumentException("period=" + period + ", expected > 0");
      }
    }
  }

  /** Left to the operating system; only a checkpoint syncs. */
  record Os() implements Durability {}

  /** Period of a bare {@code interval}. */
  Duration DEFAULT_PERIOD = Duration.ofMillis(100);

  /**
   * Reads {@code always}, {@code interval}, {@code interval:100ms}, {@code interval:2s} or {@code
   * os}.
   */
  static Durability parse(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    return switch (lower) {
      case "always" -> new Always();
      case "interval" -> new Interval(DEFAULT_PERIOD);
      case "os" -> new Os();
      default -> {
        if (!lower.startsWith("interval:")) {
          throw unknown(text);
        }
        yield new Interval(parsePeriod(lower.substring("interval:".length()), text));
      }
    };
  }

  private static Duration parsePeriod(String period, String text) {
    try {
      return period.endsWith("ms")
          ? Duration.ofMillis(Long.parseLong(period.substring(0, period.length() - 2)))
          : Duration.parse("PT" + period.toUpperCase(Locale.ROOT));
    } catch (NumberFormatException | DateTimeParseException e) {
      throw unknown(text);
    }
  }

  private static IllegalArgumentException unknown(String text) {
    return new IllegalArgumentException(
        "durability=" + text + ", expected always, interval, interval:<n>ms or os");
  }
}
