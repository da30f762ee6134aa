package io.omendb.loadtest.report;

import java.io.PrintStream;
import java.util.Locale;

/**
 * A bar on a terminal, redrawn in place; where there is no terminal, one line when work ends.
 *
 * <pre>
 *   build        [##############----------------]  47%   470,000 of 1,000,000   31,200/s   17 s left
 * </pre>
 */
public final class ProgressBar implements Progress {

  private static final int WIDTH = 30;
  private static final long REDRAW_NANOS = 200_000_000;

  private final PrintStream out;
  private final boolean terminal;
  private String what = "";
  private long total;
  private long done;
  private long startNanos;
  private long drawnNanos;
  private boolean running;

  private ProgressBar(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  /** A bar on standard error. */
  public static ProgressBar onStandardError() {
    return new ProgressBar(System.err, Style.isTerminal());
  }

  @Override
  public synchronized void start(String what, long total) {
    finish();
    this.what = what;
    this.total = total;
    done = 0;
    startNanos = System.nanoTime();
    drawnNanos = startNanos;
    running = true;
  }

  @Override
  public synchronized void add(long steps) {
    done += steps;
    long now = System.nanoTime();
    if (terminal && now - drawnNanos >= REDRAW_NANOS) {
      drawnNanos = now;
      out.print("\r" + line(now));
      out.flush();
    }
  }

  @Override
  public synchronized void finish() {
    if (running) {
      running = false;
      out.println((terminal ? "\r" : "") + line(System.nanoTime()));
    }
  }

  private String line(long now) {
    double seconds = Math.max(1e-9, (now - startNanos) / 1e9);
    double rate = done / seconds;
    int filled = total <= 0 ? WIDTH : (int) Math.min(WIDTH, WIDTH * done / total);
    String rest =
        running && rate > 0
            ? String.format(Locale.ROOT, "%4.0f s left", Math.max(0, total - done) / rate)
            : String.format(Locale.ROOT, "in %.1f s  ", seconds);
    return String.format(
        Locale.ROOT,
        "  %-20s [%s%s] %3d%%  %,d of %,d  %,.0f/s  %s",
        what,
        "#".repeat(filled),
        "-".repeat(WIDTH - filled),
        total <= 0 ? 100 : Math.min(100, 100 * done / total),
        done,
        total,
        rate,
        rest);
  }
}
