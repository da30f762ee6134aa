package io.omendb.loadtest.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServerJvmTest {

  /** As it is packaged; "development" is for what runs from classes. */
  @Test
  void theServerTellsTheVersionOfItsJar() throws IOException {
    String version = ServerProcess.output("--version");
    assertTrue(version.matches("\\d+\\.\\d+\\.\\d+(-SNAPSHOT)?"), version);
  }

  @Test
  void startsTheServerAsTheLauncherDoes() throws IOException {
    String launcher =
        Files.readString(Path.of("..", "omendb"))
            .replace("options=(\n", "options=(\n" + ServerJvm.SIMD + "\n");
    assertTrue(launcher.contains("simd=" + ServerJvm.SIMD), "the SIMD kernels");
    List<String> expected =
        launcher
            .substring(launcher.indexOf("options=(\n") + "options=(\n".length())
            .lines()
            .map(line -> line.strip().replace("\"", ""))
            .takeWhile(line -> !line.equals(")"))
            .filter(line -> !line.startsWith("#"))
            .map(line -> line.replace("$heap", "256m"))
            .map(line -> line.replace("${OMENDB_DIRECT_MEMORY:-512m}", "512m"))
            .toList();
    assertEquals(expected, ServerJvm.options("256m", "512m"));
    assertTrue(launcher.contains("main=" + ServerJvm.MAIN), "the launcher's main class");
  }
}
