package io.omendb.storage.api;

/** What threads that must end in order have in common. */
public final class Joins {
  private Joins() {}

  /** Waits until a thread has ended; an interrupt meanwhile is kept for the caller. */
  public static void join(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
