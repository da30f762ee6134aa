package io.omendb.storage.file;

import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that prepares ahead of use, so that writers rarely wait: it allocates extents and log
 * files. Work that fails here is repeated by the writer that needs it, who then gets the error.
 */
public final class Preallocator implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Preallocator.class);

  private final LinkedBlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile boolean closed;

  public Preallocator(String name) {
    thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this::run);
    thread.start();
  }

  public void execute(Runnable task) {
    if (!closed) {
      work.add(task);
    }
  }

  private void run() {
    while (!closed) {
      try {
        work.take().run();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException | Error e) {
        // The thread goes on: writers may wait for what it does next.
        LOG.warn("preparing ahead failed; the writer will repeat it", e);
      }
    }
  }

  /** Ends after the task at hand. */
  @Override
  public void close() {
    closed = true;
    work.add(() -> {});
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
