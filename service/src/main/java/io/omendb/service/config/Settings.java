package io.omendb.service.config;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;

/// Where settings that are no flags come from: an environment variable goes before the file, and
/// that before the default. picocli asks for each option that the command line does not have.
public final class Settings implements CommandLine.IDefaultValueProvider {
  private static final String CONFIG = "--config";

  /// Read by the launcher and by the configuration of the log.
  private static final Set<String> LAUNCHERS_VARIABLES =
      Set.of(
          "OMENDB_HEAP",
          "OMENDB_DIRECT_MEMORY",
          "OMENDB_JAVA_HOME",
          "OMENDB_JAVA_OPTS",
          "OMENDB_LOG",
          "OMENDB_TRANSPORT_LOG");

  private final Map<String, String> environment;
  private final @Nullable Path path;
  private final Properties file;

  private Settings(Map<String, String> environment, @Nullable Path path, Properties file) {
    this.environment = environment;
    this.path = path;
    this.file = file;
  }

  /// The command line's options, made from [Option], and `--config`.
  public static void addTo(CommandSpec spec) {
    for (Option option : Option.values()) {
      spec.addOption(
          OptionSpec.builder(option.flag())
              .type(Object.class)
              .converters(value -> option.type().convert(value.strip()))
              .paramLabel("<" + option.unit() + ">")
              .description(
                  option.meaning(),
                  (option.defaultValue().isEmpty()
                          ? ""
                          : "Default: " + option.defaultValue() + ". ")
                      + "Variable: "
                      + option.variable())
              .build());
    }
    spec.addOption(
        OptionSpec.builder(CONFIG)
            .type(Path.class)
            .paramLabel("<file>")
            .description("Properties file whose keys are the options without the dashes.")
            .build());
  }

  /// Parses the flags alone of a command line whose options came from [#addTo], so that `--help` is
  /// answered whatever the environment and the file hold.
  ///
  /// @throws ParameterException names the flag, the value and what is expected
  public static ParseResult flags(CommandLine line, String... arguments) {
    line.setInterpolateVariables(false);
    line.setDefaultValueProvider(null);
    return parse(line, Option::flag, arguments);
  }

  /// Gives the options that `flags` does not have their values.
  ///
  /// @param flags what [#flags] made of `line`
  /// @throws ParameterException names the source, the value and what is expected
  /// @throws IOException if the file that `--config` names cannot be read
  public static ParseResult complete(
      CommandLine line, ParseResult flags, Map<String, String> environment) throws IOException {
    Path path = flags.matchedOptionValue(CONFIG, (Path) null);
    Settings settings =
        new Settings(environment, path, path == null ? new Properties() : read(path));
    settings.refuseUnknownKeys(line);
    line.setDefaultValueProvider(settings);
    return parse(
        line,
        option -> settings.given(option).source(),
        flags.originalArgs().toArray(new String[0]));
  }

  private static ParseResult parse(
      CommandLine line, Function<Option, String> source, String... arguments) {
    try {
      return line.parseArgs(arguments);
    } catch (ParameterException e) {
      Option option = e.getArgSpec() == null ? null : Option.ofFlag(e.getArgSpec());
      if (option == null || !(e.getCause() instanceof TypeConversionException expected)) {
        throw e;
      }
      throw new ParameterException(
          line,
          source.apply(option) + " is \"" + e.getValue() + "\", expected " + expected.getMessage());
    }
  }

  /// Variables that look like ours and are none: misspelt, most likely. Not those that Kubernetes
  /// sets for a Service named omendb.
  public static List<String> unknownVariables(Map<String, String> environment) {
    Set<String> known = new HashSet<>(LAUNCHERS_VARIABLES);
    for (Option option : Option.values()) {
      known.add(option.variable());
    }
    return environment.keySet().stream()
        .filter(name -> name.startsWith("OMENDB_") && !known.contains(name))
        .filter(name -> !name.matches("OMENDB_(SERVICE_HOST|SERVICE_PORT.*|PORT(_.*)?)"))
        .sorted()
        .toList();
  }

  private static Properties read(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(
          path.toString(), null, "is a directory; " + CONFIG + " names it, expected a file");
    }
    if (!Files.isRegularFile(path)) {
      throw new NoSuchFileException(path.toString(), null, CONFIG + " names it, expected a file");
    }
    Properties file = new Properties();
    try (Reader reader = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
      file.load(reader);
    }
    return file;
  }

  /// A key that no option has is misspelt, most likely.
  private void refuseUnknownKeys(CommandLine line) {
    Properties unknown = new Properties();
    unknown.putAll(file);
    for (Option option : Option.values()) {
      unknown.remove(option.key());
    }
    for (String key : unknown.stringPropertyNames()) {
      throw new ParameterException(
          line, "a key in " + path + " is \"" + key + "\", expected a key that --help lists");
    }
  }

  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    Option option = Option.ofFlag(argument);
    return option == null ? null : given(option).value();
  }

  private record Given(String source, String value) {}

  private Given given(Option option) {
    String variable = environment.get(option.variable());
    if (variable != null && !variable.isEmpty()) {
      return new Given(option.variable(), variable);
    }
    String property = file.getProperty(option.key());
    if (property != null) {
      return new Given(option.key() + " in " + path, property);
    }
    return new Given("the default of " + option.flag(), option.defaultValue());
  }
}
