package io.omendb.storage.wal;

/** Encodes records into memory; one thread at a time. */
public interface RecordEncoder {
  /**
   * Encodes a record.
   *
   * @param address where it goes; {@code record.encodedBytes()} bytes are free there
   * @return bytes written, as {@link WalRecord#encodedBytes} told
   */
  int encode(WalRecord record, long address, int capacity);
}
