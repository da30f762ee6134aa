package io.omendb.engine;

import io.omendb.storage.api.Durability;
import io.omendb.storage.api.FailureHandler;

/**
 * How a database runs.
 *
 * @param durability when data reaches the device
 * @param linkerThreads threads that link new rows, 1..256
 * @param failureHandler told when a write or sync has failed for good, or a thread has ended
 */
public record DatabaseOptions(
    Durability durability, int linkerThreads, FailureHandler failureHandler) {
  /** Checks the range. */
  public DatabaseOptions {
    if (linkerThreads < 1 || linkerThreads > 256) {
      throw new IllegalArgumentException("linkerThreads=" + linkerThreads + ", expected 1..256");
    }
  }

  /**
   * Sync before acknowledgement; one linker thread a processor; after a failure the collection
   * refuses writes, and the host goes on.
   */
  public static DatabaseOptions defaults() {
    return new DatabaseOptions(
        new Durability.Always(), Runtime.getRuntime().availableProcessors(), FailureHandler.NONE);
  }
}
