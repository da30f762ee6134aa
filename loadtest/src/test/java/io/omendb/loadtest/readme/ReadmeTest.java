package io.omendb.loadtest.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.client.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReadmeTest {

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)[^)]*\\)");

  private static final Pattern CLASS = Pattern.compile("`([A-Z][a-z]+[A-Z]\\w+)`");

  @Test
  void tableOfOptionsIsTheServers() throws IOException {
    List<String> printed =
        ServerProcess.output("--options-markdown").lines().map(String::strip).toList();
    assertEquals(printed, Readme.read().table("| Flag and file key |"));
  }

  @Test
  void linksLeadSomewhere() throws IOException {
    for (Path document : documents()) {
      for (MatchResult link : LINK.matcher(Files.readString(document)).results().toList()) {
        String target = link.group(1);
        assertTrue(
            target.startsWith("http") || Files.exists(document.resolveSibling(target)),
            document + " links to " + target);
      }
    }
  }

  /** CI runs the sample. */
  @Test
  void pythonIsThatOfTheSample() throws IOException {
    Path client = Readme.ROOT.resolve("loadtest/clients/python");
    String sample = Files.readString(client.resolve("quickstart.py"));
    for (Path document : List.of(Readme.ROOT.resolve("README.md"), client.resolve("README.md"))) {
      List<Readme.Block> blocks =
          Readme.read(document).blocks().stream()
              .filter(block -> block.language().equals("python"))
              .toList();
      assertEquals(1, blocks.size(), document.toString());
      assertTrue(sample.endsWith(blocks.getFirst().text() + "\n"), document.toString());
    }
  }

  /** CI runs the sample, by the README's command. */
  @Test
  void embeddingIsThatOfTheSample() throws IOException {
    String sample =
        Files.readString(Readme.ROOT.resolve("loadtest/clients/embedded/Embedded.java"));
    List<Readme.Block> blocks =
        Readme.read(Readme.ROOT.resolve("docs/embedding.md")).blocks().stream()
            .filter(block -> block.language().equals("java"))
            .toList();
    assertEquals(1, blocks.size());
    assertEquals(sample, blocks.getFirst().text() + "\n");
  }

  /** The names of classes in HACKING.md are those of the tree; CI runs its commands. */
  @Test
  void hackingNamesClassesThatAreThere() throws IOException {
    Set<String> sources;
    try (Stream<Path> tree = Files.walk(Readme.ROOT)) {
      sources =
          tree.map(path -> path.getFileName().toString())
              .filter(name -> name.endsWith(".java"))
              .collect(Collectors.toSet());
    }
    String text = Files.readString(Readme.ROOT.resolve("HACKING.md"));
    List<String> names = CLASS.matcher(text).results().map(name -> name.group(1)).toList();
    assertTrue(names.size() >= 8, names.toString());
    for (String name : names) {
      assertTrue(sources.contains(name + ".java"), "HACKING.md names " + name);
    }
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents =
        new ArrayList<>(
            List.of(Readme.ROOT.resolve("README.md"), Readme.ROOT.resolve("HACKING.md")));
    try (Stream<Path> docs = Files.list(Readme.ROOT.resolve("docs"))) {
      docs.forEach(documents::add);
    }
    return documents;
  }
}
