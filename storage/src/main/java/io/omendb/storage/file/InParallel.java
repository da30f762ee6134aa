package io.omendb.storage.file;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs a few pieces of work on threads of their own, at open and at checkpoints. */
public final class InParallel {
  private InParallel() {}

  /** Runs all; throws the failure of the first piece that failed. */
  public static void run(List<Callable<Void>> work) throws IOException {
    if (work.isEmpty()) {
      return;
    }
    try (ExecutorService threads =
        Executors.newFixedThreadPool(
            work.size(), Thread.ofPlatform().daemon(true).name("omendb-check-", 0).factory())) {
      List<Future<Void>> results = work.stream().map(threads::submit).toList();
      for (Future<Void> result : results) {
        result.get();
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException unchecked -> throw unchecked;
        case Error error -> throw error;
        case null, default -> throw new IllegalStateException(e);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
