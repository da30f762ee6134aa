package io.omendb.storage.wal;

/**
 * A record as the log sees it: a position, a length, and bytes that it does not look into. What
 * they mean is the owner's.
 */
public interface WalRecord {
  /** Its position in the log. */
  long lsn();

  /** Bytes it takes, a multiple of 8. */
  int bytes();

  /** Bytes that lie in the extents and must be synced before the record is. */
  long bulkBytes();

  /**
   * Writes the record, its header (bytes and lsn, {@link WalLayout}) included.
   *
   * @param address where it goes; {@link #bytes} are free there
   */
  void write(long address);
}
