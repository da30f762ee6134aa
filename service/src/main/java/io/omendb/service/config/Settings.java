package io.omendb.service.config;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
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

  private final Map<String, String> environment;
  private final Properties file = new Properties();
  private @Nullable Path path;

  private Settings(Map<String, String> environment) {
    this.environment = environment;
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

  /// Parses a command line whose options came from [#addTo].
  ///
  /// @throws ParameterException names the source, the value and what is expected
  /// @throws IOException if the file that `--config` names cannot be read
  public static ParseResult parse(
      CommandLine line, Map<String, String> environment, String... arguments) throws IOException {
    Settings settings = new Settings(environment);
    settings.load(line, arguments);
    line.setDefaultValueProvider(settings);
    try {
      return line.parseArgs(arguments);
    } catch (ParameterException e) {
      Option option = e.getArgSpec() == null ? null : Option.ofFlag(e.getArgSpec());
      if (option == null || !(e.getCause() instanceof TypeConversionException expected)) {
        throw e;
      }
      String flag = option.flag();
      boolean isFlag =
          Stream.of(arguments).anyMatch(each -> each.equals(flag) || each.startsWith(flag + "="));
      String source = isFlag ? flag : settings.given(option).source();
      throw new ParameterException(
          line, source + " is \"" + e.getValue() + "\", expected " + expected.getMessage());
    }
  }

  /// Reads the file, which must be known before anything asks for a default. An unknown key is an
  /// error: it is misspelt, most likely.
  private void load(CommandLine line, String[] arguments) throws IOException {
    CommandSpec only =
        CommandSpec.create().addOption(OptionSpec.builder(CONFIG).type(Path.class).build());
    path =
        new CommandLine(only)
            .setUnmatchedArgumentsAllowed(true)
            .parseArgs(arguments)
            .matchedOptionValue(CONFIG, (Path) null);
    if (path == null) {
      return;
    }
    try (Reader reader = Files.newBufferedReader(path, StandardCharsets.UTF_8)) {
      file.load(reader);
    }
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
