package io.omendb.loadtest.rivals;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program that is run to its end; what it says on its error stream is told if it fails. */
public record Command(List<String> words) {
  private static final int TOLD = 2_000;
  private static final String OURS = "io.omendb.loadtest.Cli";

  static Command of(List<String> words) {
    return new Command(words);
  }

  /** A command of OmenDB, in a JVM of its own with the options of this one. */
  public static Command ofOurs(List<String> arguments) {
    List<String> words = new ArrayList<>();
    words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    words.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    words.addAll(List.of("-cp", System.getProperty("java.class.path", ""), OURS));
    words.addAll(arguments);
    return new Command(words);
  }

  /**
   * Runs it.
   *
   * @return what it printed
   * @throws IOException with its last words if it ended with another status than 0
   */
  public String output() throws IOException {
    Path errors = Files.createTempFile("omendb-bench", ".log");
    try {
      Process process = new ProcessBuilder(words).redirectError(errors.toFile()).start();
      try {
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        if (status != 0) {
          String told = Files.readString(errors).strip();
          String last = told.substring(Math.max(0, told.length() - TOLD));
          throw new IOException(words.getFirst() + " ended with status " + status + ": " + last);
        }
        return output;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      } finally {
        process.destroyForcibly();
      }
    } finally {
      Files.deleteIfExists(errors);
    }
  }

  /** Runs it, and takes the last line: libraries print before it what they like. */
  String lastLine() throws IOException {
    return output().strip().lines().reduce("", (_, line) -> line);
  }
}
