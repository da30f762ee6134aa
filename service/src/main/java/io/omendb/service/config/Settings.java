package io.omendb.service.config;

import io.omendb.storage.api.Durability;
import java.io.IOException;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Properties;

/// The values given for the [Option]s, each with its source: a flag goes before an environment
/// variable, that before the file, and that before the default.
public final class Settings {
  private record Given(String source, String value) {}

  private final Map<Option, Given> given = new EnumMap<>(Option.class);

  /// Starts with the defaults.
  public Settings() {
    for (Option option : Option.values()) {
      given.put(option, new Given("the default of " + option.flag(), option.defaultValue()));
    }
  }

  /// Takes the keys of a properties file. An unknown key is an error: it is misspelt, most likely.
  public void addFile(Path file) throws IOException, InvalidOptionException {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(reader);
    }
    for (Option option : Option.values()) {
      Object value = properties.remove(option.key());
      if (value != null) {
        given.put(option, new Given(option.key() + " in " + file, value.toString()));
      }
    }
    for (String unknown : properties.stringPropertyNames()) {
      throw new InvalidOptionException("a key in " + file, unknown, "a key that --help lists");
    }
  }

  /// Takes the options' environment variables. An empty variable counts as not set.
  public void addEnvironment(Map<String, String> environment) {
    for (Option option : Option.values()) {
      String value = environment.get(option.variable());
      if (value != null && !value.isEmpty()) {
        given.put(option, new Given(option.variable(), value));
      }
    }
  }

  /// Takes a flag of the command line.
  public void addFlag(Option option, String value) {
    given.put(option, new Given(option.flag(), value));
  }

  String string(Option option) {
    return get(option).value().strip();
  }

  Path path(Option option) throws InvalidOptionException {
    String value = string(option);
    try {
      if (!value.isEmpty()) {
        return Path.of(value);
      }
    } catch (InvalidPathException e) {
      throw invalid(option, "a path: " + e.getReason());
    }
    throw invalid(option, "a path");
  }

  Durability durability(Option option) throws InvalidOptionException {
    try {
      return Durability.parse(string(option));
    } catch (IllegalArgumentException e) {
      throw invalid(option, "always, interval, interval:<time> or os");
    }
  }

  int number(Option option, int least, int most) throws InvalidOptionException {
    try {
      int value = Integer.parseInt(string(option));
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw invalid(option, "a number");
    }
    throw invalid(option, "a number from " + least + " to " + most);
  }

  /// Bytes, with an optional KiB, MiB or GiB.
  int bytes(Option option, int least, int most) throws InvalidOptionException {
    String value = string(option);
    int scale = 0;
    for (String suffix : new String[] {"KiB", "MiB", "GiB"}) {
      scale += 10;
      if (value.endsWith(suffix)) {
        value = value.substring(0, value.length() - suffix.length()).strip();
        break;
      }
      if (scale == 30) {
        scale = 0;
      }
    }
    try {
      long bytes = Math.multiplyExact(Long.parseLong(value), 1L << scale);
      if (bytes >= least && bytes <= most) {
        return (int) bytes;
      }
    } catch (NumberFormatException | ArithmeticException e) {
      throw invalid(option, "bytes, such as 1048576, 512KiB or 16MiB");
    }
    throw invalid(option, "bytes from " + least + " to " + most);
  }

  /// A time with its unit: ms, s or m.
  Duration time(Option option) throws InvalidOptionException {
    String value = string(option);
    int digits = 0;
    while (digits < value.length() && Character.isDigit(value.charAt(digits))) {
      digits++;
    }
    if (digits > 0 && digits < 10) {
      long count = Long.parseLong(value.substring(0, digits));
      switch (value.substring(digits).strip()) {
        case "ms" -> {
          return Duration.ofMillis(count);
        }
        case "s" -> {
          return Duration.ofSeconds(count);
        }
        case "m" -> {
          return Duration.ofMinutes(count);
        }
        default -> {}
      }
    }
    throw invalid(option, "a time such as 500ms, 5s or 1m");
  }

  /// A host and a port; the host may be empty (all interfaces) or an IPv6 address in brackets.
  InetSocketAddress address(Option option) throws InvalidOptionException {
    String value = string(option);
    int colon = value.lastIndexOf(':');
    if (colon >= 0) {
      try {
        int port = Integer.parseInt(value.substring(colon + 1));
        String host = value.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
          host = host.substring(1, host.length() - 1);
        }
        if (port >= 0 && port <= 0xffff) {
          InetSocketAddress address =
              host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
          if (!address.isUnresolved()) {
            return address;
          }
          throw invalid(option, "a host that can be resolved");
        }
      } catch (NumberFormatException e) {
        throw invalid(option, "host:port");
      }
    }
    throw invalid(option, "host:port");
  }

  private Given get(Option option) {
    Given value = given.get(option);
    if (value == null) {
      throw new AssertionError(option);
    }
    return value;
  }

  private InvalidOptionException invalid(Option option, String expected) {
    Given value = get(option);
    return new InvalidOptionException(value.source(), value.value(), expected);
  }
}
