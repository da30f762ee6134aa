import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/// Runs google-java-format over the hand-written Java sources of every module.
///
/// Arguments: `check` or `apply`, and the project's root. `check` names each file that is not in
/// the format and exits with 1.
final class Format {

  public static void main(String[] args) throws IOException {
    boolean apply = args[0].equals("apply");
    Path root = Path.of(args[1]);
    List<Path> sources = sources(root);
    if (sources.isEmpty()) {
      return;
    }
    List<String> arguments = new ArrayList<>();
    if (apply) {
      arguments.add("--replace");
    } else {
      arguments.addAll(List.of("--dry-run", "--set-exit-if-changed"));
    }
    sources.forEach(source -> arguments.add(source.toString()));

    ToolProvider formatter = ToolProvider.findFirst("google-java-format").orElseThrow();
    int status = formatter.run(System.out, System.err, arguments.toArray(new String[0]));
    if (status != 0 && !apply) {
      System.err.println(
          "Not in the project's format: the files named above."
              + " To rewrite them: ./mvnw -N -Pformat process-sources");
    }
    System.exit(status);
  }

  /// A module too, of other languages the rest.
  private static final String CLIENTS = "loadtest/clients";

  /// The Java files below `<module>/src` for every directory of the root and of the clients, and
  /// this file.
  private static List<Path> sources(Path root) throws IOException {
    List<Path> sources = new ArrayList<>();
    try (Stream<Path> modules =
        Stream.concat(Files.list(root), Files.list(root.resolve(CLIENTS)))) {
      for (Path module : modules.sorted().toList()) {
        Path src = module.resolve("src");
        if (Files.isDirectory(src)) {
          try (Stream<Path> files = Files.walk(src)) {
            files.filter(file -> file.toString().endsWith(".java")).sorted().forEach(sources::add);
          }
        }
      }
    }
    sources.add(root.resolve(".mvn/Format.java"));
    return sources;
  }
}
