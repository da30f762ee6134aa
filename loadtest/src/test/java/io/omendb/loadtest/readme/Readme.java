package io.omendb.loadtest.readme;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A README, taken apart. */
final class Readme {

  /** The project's root; tests run in their module's directory. */
  static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final String FENCE = "```";

  /**
   * A fenced block.
   *
   * @param heading under which it stands
   * @param language behind the fence
   * @param lines within
   */
  record Block(String heading, String language, List<String> lines) {

    String text() {
      return String.join("\n", lines);
    }
  }

  private final List<String> lines;

  private Readme(List<String> lines) {
    this.lines = lines;
  }

  static Readme read() throws IOException {
    return read(ROOT.resolve("README.md"));
  }

  static Readme read(Path document) throws IOException {
    return new Readme(Files.readAllLines(document));
  }

  List<Block> blocks() {
    List<Block> blocks = new ArrayList<>();
    String heading = "";
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.startsWith("#")) {
        heading = line.replaceFirst("#+ ", "");
      } else if (line.startsWith(FENCE)) {
        int end = i + 1;
        while (!lines.get(end).equals(FENCE)) {
          end++;
        }
        String language = line.substring(FENCE.length());
        blocks.add(new Block(heading, language, List.copyOf(lines.subList(i + 1, end))));
        i = end;
      }
    }
    return blocks;
  }

  /** The rows of the first table whose heading begins so, heading included. */
  List<String> table(String beginning) {
    return lines.stream()
        .dropWhile(line -> !line.startsWith(beginning))
        .takeWhile(line -> line.startsWith("|"))
        .toList();
  }

  String text() {
    return String.join("\n", lines);
  }
}
