package io.omendb.loadtest.rivals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Scanner;

/**
 * Processor time of the machine and of this process with the children it has waited for, to tell
 * how much others took while one ran. In hundredths of a second, as Linux counts.
 */
record ProcessorTime(long nanos, long busy, long own) {
  private static final double TICKS_A_SECOND = 100;

  /** In /proc/stat after the name: user, nice, system; idle and iowait come next, then the rest. */
  private static final int BUSY_BEFORE_IDLE = 3;

  private static final int IDLE = 2;
  private static final int BUSY_AFTER_IDLE = 3;

  /** In /proc/self/stat behind the name of the command: fields until utime. */
  private static final int BEFORE_UTIME = 11;

  /** Now. */
  static ProcessorTime read() throws IOException {
    return new ProcessorTime(System.nanoTime(), readBusy(), readOwn());
  }

  private static long readBusy() throws IOException {
    try (Scanner fields = new Scanner(Files.readString(Path.of("/proc/stat")))) {
      fields.next();
      long busy = sum(fields, BUSY_BEFORE_IDLE);
      sum(fields, IDLE);
      return busy + sum(fields, BUSY_AFTER_IDLE);
    }
  }

  private static long readOwn() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    try (Scanner fields = new Scanner(stat.substring(stat.lastIndexOf(')') + 1))) {
      for (int i = 0; i < BEFORE_UTIME; i++) {
        fields.next();
      }
      return sum(fields, 4); // utime, stime, and both of children
    }
  }

  private static long sum(Scanner fields, int count) {
    long sum = 0;
    for (int i = 0; i < count; i++) {
      sum += fields.nextLong();
    }
    return sum;
  }

  /** Processors that others kept busy from then to now. */
  double othersSince(ProcessorTime then) {
    double seconds = (nanos - then.nanos) / 1e9;
    double others = busy - then.busy - (own - then.own);
    return Math.max(0, others / TICKS_A_SECOND / seconds);
  }
}
