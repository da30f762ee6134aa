package io.omendb.loadtest.report;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The commit of the source tree that the program runs from. */
public final class Commit {

  private Commit() {}

  /**
   * As {@code git describe} has it, with "-dirty" behind it if the tree has changes; empty outside
   * a source tree.
   */
  public static String current() {
    CodeSource source = Commit.class.getProtectionDomain().getCodeSource();
    return source == null ? "" : of(Path.of(URI.create(source.getLocation().toString())));
  }

  private static String of(Path code) {
    ProcessBuilder git =
        new ProcessBuilder("git", "describe", "--always", "--dirty", "--abbrev=12");
    git.directory(Optional.ofNullable(code.getParent()).orElse(code).toFile());
    git.redirectError(ProcessBuilder.Redirect.DISCARD);
    try {
      Process process = git.start();
      byte[] output = process.getInputStream().readAllBytes();
      if (process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0) {
        return new String(output, StandardCharsets.UTF_8).strip();
      }
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return "";
  }
}
