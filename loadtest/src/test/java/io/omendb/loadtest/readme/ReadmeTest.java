package io.omendb.loadtest.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.client.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ReadmeTest {

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)[^)]*\\)");

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

  private static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>(List.of(Readme.ROOT.resolve("README.md")));
    try (Stream<Path> docs = Files.list(Readme.ROOT.resolve("docs"))) {
      docs.forEach(documents::add);
    }
    return documents;
  }
}
