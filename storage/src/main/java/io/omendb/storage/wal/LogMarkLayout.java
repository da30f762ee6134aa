package io.omendb.storage.wal;

/**
 * Bytes of the mark of a log's end, file {@code MARK} beside the log files. Little-endian.
 *
 * <pre>
 *   file   two slots of 512 bytes, written in turn, so that a torn write leaves the other
 *
 *   slot   0 magic u64 | 8 turn u64, the higher one counts
 *          16 sequence u64 of the newest log file that was made
 *          24 durable lsn u64: the log reaches at least so far
 *          32 crc32c u32 of bytes 0 … 31 | 36 … 511 zero
 * </pre>
 */
final class LogMarkLayout {
  static final String FILE = "MARK";
  static final int SLOT_BYTES = 512;
  static final int SLOTS = 2;

  static final long MAGIC_VALUE = 0x314B_5241_4D4C_4157L; // "WALMARK1"
  static final int MAGIC = 0;
  static final int TURN = 8;
  static final int SEQUENCE = 16;
  static final int DURABLE_LSN = 24;
  static final int CRC = 32;
  static final int USED_BYTES = 36;

  private LogMarkLayout() {}
}
