package io.omendb.service.config;

import io.omendb.storage.api.Durability;
import java.net.InetSocketAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Makes values of what people write. A refusal's message is what was expected.
final class Values {
  private static final Pattern BYTES = Pattern.compile("(\\d{1,18})\\s*(|KiB|MiB|GiB)");
  private static final Duration LEAST_KEEP_ALIVE = Duration.ofSeconds(10);
  private static final Pattern TIME = Pattern.compile("(\\d{1,9})\\s*(ms|s|m)");
  private static final Pattern ADDRESS = Pattern.compile("(\\[(.*)]|[^\\[]*?):(\\d{1,5})");

  private Values() {}

  static Path path(String text) {
    try {
      if (!text.isEmpty()) {
        return Path.of(text);
      }
    } catch (InvalidPathException e) {
      throw new TypeConversionException("a path: " + e.getReason());
    }
    throw new TypeConversionException("a path");
  }

  static Durability durability(String text) {
    try {
      return Durability.parse(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("always, interval, interval:<time> or os");
    }
  }

  static ITypeConverter<Integer> number(int least, int most) {
    return text -> {
      try {
        int value = Integer.parseInt(text);
        if (value >= least && value <= most) {
          return value;
        }
      } catch (NumberFormatException e) {
        throw new TypeConversionException("a number");
      }
      throw new TypeConversionException("a number from " + least + " to " + most);
    };
  }

  /// A number of threads; 0 for one a processor.
  static int threads(String text) throws Exception {
    int threads = number(0, 1024).convert(text);
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }

  /// Bytes, with an optional KiB, MiB or GiB.
  static ITypeConverter<Integer> bytes(int least, int most) {
    return text -> {
      Matcher matcher = BYTES.matcher(text);
      if (!matcher.matches()) {
        throw new TypeConversionException("bytes, such as 1048576, 512KiB or 16MiB");
      }
      int scale =
          switch (matcher.group(2)) {
            case "KiB" -> 10;
            case "MiB" -> 20;
            case "GiB" -> 30;
            default -> 0;
          };
      long count = Long.parseLong(matcher.group(1));
      if (count > most >> scale || count << scale < least) {
        throw new TypeConversionException("bytes from " + least + " to " + most);
      }
      return (int) (count << scale);
    };
  }

  /// How often clients are pinged; gRPC does it no oftener.
  static Duration keepAlive(String text) {
    Duration time = time(text);
    if (time.compareTo(LEAST_KEEP_ALIVE) < 0) {
      throw new TypeConversionException("a time from 10s on such as 30s or 1m");
    }
    return time;
  }

  /// A time with its unit: ms, s or m.
  static Duration time(String text) {
    Matcher matcher = TIME.matcher(text);
    if (!matcher.matches()) {
      throw new TypeConversionException("a time such as 500ms, 5s or 1m");
    }
    long count = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "ms" -> Duration.ofMillis(count);
      case "s" -> Duration.ofSeconds(count);
      default -> Duration.ofMinutes(count);
    };
  }

  /// A host and a port; the host may be empty (all interfaces) or an IPv6 address in brackets.
  static InetSocketAddress address(String text) {
    Matcher matcher = ADDRESS.matcher(text);
    int port = matcher.matches() ? Integer.parseInt(matcher.group(3)) : -1;
    if (port < 0 || port > 0xffff) {
      throw new TypeConversionException("host:port");
    }
    String host = matcher.group(2) == null ? matcher.group(1) : matcher.group(2);
    InetSocketAddress address =
        host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    if (address.isUnresolved()) {
      throw new TypeConversionException("a host that can be resolved");
    }
    return address;
  }

  /// An address, or nothing: null.
  static @Nullable InetSocketAddress optionalAddress(String text) {
    return text.isEmpty() ? null : address(text);
  }
}
