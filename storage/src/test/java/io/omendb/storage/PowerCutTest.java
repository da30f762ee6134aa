package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A power cut: a writer runs on a file system in an image file; it is killed, the image is copied
 * below the page cache, and the copy, which has only what was synced, is mounted and recovered.
 * Needs the right to mount; skipped without it.
 */
@Tag("ci")
class PowerCutTest {
  private static final int CUTS = 4;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path work;

  private Path image() {
    return work.resolve("disk.img");
  }

  private Path live() {
    return work.resolve("live");
  }

  private Path cut() {
    return work.resolve("cut");
  }

  @BeforeEach
  void mountImage() throws Exception {
    Files.createDirectories(live());
    Files.createDirectories(cut());
    boolean ready =
        run("truncate", "-s", "1g", image().toString())
            && run("mkfs.ext4", "-q", image().toString())
            && run("mount", "-o", "loop", image().toString(), live().toString());
    assumeTrue(ready, "an image cannot be mounted here");
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", cut().toString());
    run("umount", live().toString());
  }

  @Test
  void acknowledgedRowsSurviveAPowerCutInModeAlways() throws Exception {
    long acknowledged = 0;
    for (int i = 0; i < CUTS; i++) {
      acknowledged = Math.max(acknowledged, KillTest.runAndKill(data(live()), "always", random()));
      Path copy = work.resolve("copy.img");
      assertTrue(run("cp", "--sparse=always", image().toString(), copy.toString()));
      assertTrue(run("mount", "-o", "loop", copy.toString(), cut().toString()));
      long recovered = KillTest.checkRecovered(data(cut()), "always");
      assertTrue(recovered >= acknowledged, recovered + " >= " + acknowledged);
      assertTrue(run("umount", cut().toString()));
      Files.delete(copy);
    }
    assertTrue(acknowledged > 0);
  }

  private static Path data(Path mount) {
    return mount.resolve("data");
  }

  private static Random random() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("PowerCutTest seed=" + seed);
    return new Random(seed);
  }

  private static boolean run(String... command) throws IOException, InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), () -> command[0] + ": " + output);
      return process.exitValue() == 0;
    } catch (IOException e) {
      assertEquals("mkfs.ext4", command[0], e.toString());
      return false;
    }
  }
}
