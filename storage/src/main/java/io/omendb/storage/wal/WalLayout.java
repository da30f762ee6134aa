package io.omendb.storage.wal;

/**
 * Bytes of a log file. Little-endian.
 *
 * <pre>
 *   file     header, 4096 bytes; then batches, each starting at a multiple of 512
 *
 *   header   0 magic u64 | 8 version u32 | 12 crc32c u32 of the header with this field 0
 *            16 collection uuid, 2 × u64 | 32 sequence u64 | 40 salt u64 | 48 file bytes u64
 *            fits a sector: it is written whole or not at all
 *
 *   batch    0 magic u32 | 4 crc32c u32 of salt ‖ bytes 8 … end of records
 *            8 record bytes u32 | 12 record count u32
 *            16 first lsn u64 | 24 durable lsn u64 known when the batch was written
 *            32 crc of the batch before u32 (0 for the first), also across files
 *            36 … 64 zero; then the records
 *
 *   record   0 bytes u32, a multiple of 8 | 4 … 8 the owner's | 8 lsn u64 | 16 … the owner's
 * </pre>
 *
 * <p>A file is prepared under a temporary name and renamed once its header is durable, so a header
 * that does not match is damage. A recycled file has a new salt, which old batches do not match.
 * The crc of the batch before chains batches over all files: a lost or foreign batch breaks it.
 */
public final class WalLayout {
  static final long FILE_MAGIC = 0x314C_4157_4E45_4D4FL; // "OMENWAL1"
  static final int VERSION = 1;
  static final int FILE_HEADER_BYTES = 4096;

  static final int FILE_MAGIC_OFFSET = 0;
  static final int FILE_VERSION = 8;
  static final int FILE_CRC = 12;
  static final int FILE_UUID_HIGH = 16;
  static final int FILE_UUID_LOW = 24;
  static final int FILE_SEQUENCE = 32;
  static final int FILE_SALT = 40;
  static final int FILE_BYTES = 48;
  static final int FILE_USED_BYTES = 56;

  static final int BATCH_MAGIC = 0x4254_4157; // "WATB"
  static final int BATCH_ALIGNMENT = 512;
  static final int BATCH_CRC = 4;
  static final int BATCH_BODY_BYTES = 8;
  static final int BATCH_COUNT = 12;
  static final int BATCH_FIRST_LSN = 16;
  static final int BATCH_DURABLE_LSN = 24;
  static final int BATCH_PREVIOUS_CRC = 32;
  static final int BATCH_HEADER_BYTES = 64;

  /** Offset of a record's length. */
  public static final int RECORD_BYTES = 0;

  /** Offset of a record's position in the log. */
  public static final int RECORD_LSN = 8;

  static final int RECORD_HEADER_BYTES = 16;

  private WalLayout() {}

  static long alignBatch(long bytes) {
    return (bytes + BATCH_ALIGNMENT - 1) & -BATCH_ALIGNMENT;
  }
}
