package io.omendb.loadtest.gate;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** File systems of their own for a test, each in a file; needs the right to mount. */
final class LoopVolume {
  private LoopVolume() {}

  /** Mounts a new ext4 of {@code size} at a new directory; false where that cannot be done. */
  static boolean mount(Path image, String size, Path at) throws Exception {
    Files.createDirectory(at);
    return run("truncate", "-s", size, image.toString())
        && run("mkfs.ext4", "-q", image.toString())
        && run("mount", "-o", "loop", image.toString(), at.toString());
  }

  static void unmount(Path at) throws Exception {
    boolean unused = run("umount", at.toString());
  }

  /** Runs a command; whether it succeeded. */
  static boolean run(String... command) throws Exception {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().transferTo(OutputStream.nullOutputStream());
      return process.waitFor() == 0;
    } catch (IOException e) {
      return false; // no such program here
    }
  }
}
