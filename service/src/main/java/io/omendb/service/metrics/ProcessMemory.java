package io.omendb.service.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the operating system says of this process's memory.
public final class ProcessMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String RESIDENT = "VmRSS:";

  private ProcessMemory() {}

  /// Bytes resident now; 0 where the system does not tell.
  public static long residentBytes() {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith(RESIDENT)) {
          String kib = line.substring(RESIDENT.length()).replace("kB", "").strip();
          return Long.parseLong(kib) * 1024;
        }
      }
    } catch (IOException | NumberFormatException e) {
      // No such file, or one of another form: the figure is optional.
      return 0;
    }
    return 0;
  }
}
