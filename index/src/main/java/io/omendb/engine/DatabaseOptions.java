package io.omendb.engine;

import io.omendb.storage.api.Durability;

/**
 * How a database runs.
 *
 * @param durability when data reaches the device
 * @param linkerThreads threads that link new rows, 1..256
 */
public record DatabaseOptions(Durability durability, int linkerThreads) {
  /** Checks the range. */
  public DatabaseOptions {
    if (linkerThreads < 1 || linkerThreads > 256) {
      throw new IllegalArgumentException("linkerThreads=" + linkerThreads + ", expected 1..256");
    }
  }

  /** Sync before acknowledgement; one linker thread a processor. */
  public static DatabaseOptions defaults() {
    return new DatabaseOptions(new Durability.Always(), Runtime.getRuntime().availableProcessors());
  }
}
