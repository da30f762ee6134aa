package io.omendb.storage.api;

/**
 * How a data directory is kept.
 *
 * @param durability when data reaches the device
 * @param checkpointWalBytes log bytes after which a checkpoint is due
 * @param inlineBytes writes up to this many bytes of vectors and payloads travel in the log itself;
 *     larger ones are synced in place and the log carries their checksums
 * @param backlogBytes bytes waiting for the log above which a collection says so; at four times as
 *     many, writers wait
 * @param verifyBytes truth up to this size is verified before it is served
 * @param failureHandler what follows a failed log write or sync
 */
public record StorageOptions(
    Durability durability,
    long checkpointWalBytes,
    int inlineBytes,
    long backlogBytes,
    long verifyBytes,
    FailureHandler failureHandler) {

  public StorageOptions {
    check("checkpointWalBytes", checkpointWalBytes, 1 << 10, 1L << 40);
    check("inlineBytes", inlineBytes, 0, 1 << 20);
    check("backlogBytes", backlogBytes, 1 << 10, 64L << 20);
    check("verifyBytes", verifyBytes, 0, Long.MAX_VALUE);
  }

  /** Sync always, checkpoint after 128 MiB of log, halt on failure. */
  public static StorageOptions defaults() {
    return new StorageOptions(
        new Durability.Always(), 128L << 20, 64 << 10, 64L << 20, 2L << 30, FailureHandler.HALT);
  }

  /** The same with another durability. */
  public StorageOptions withDurability(Durability other) {
    return new StorageOptions(
        other, checkpointWalBytes, inlineBytes, backlogBytes, verifyBytes, failureHandler);
  }

  /** The same with another failure handler. */
  public StorageOptions withFailureHandler(FailureHandler other) {
    return new StorageOptions(
        durability, checkpointWalBytes, inlineBytes, backlogBytes, verifyBytes, other);
  }

  /** The same with another checkpoint threshold, in log bytes. */
  public StorageOptions withCheckpointWalBytes(long other) {
    return new StorageOptions(
        durability, other, inlineBytes, backlogBytes, verifyBytes, failureHandler);
  }

  private static void check(String name, long value, long least, long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(name + "=" + value + ", expected " + least + ".." + most);
    }
  }
}
