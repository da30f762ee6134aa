package io.omendb.storage.checkpoint;

/**
 * An image file: little-endian, written once, in sequence.
 *
 * <pre>
 *   0        header, 4096 bytes:  magic u64 | version u32 | crc32c u32 of bytes 16 … 56
 *            generation u64 | uuid 2 × u64 | lsn u64 | slots u32 | 0 u32
 *   4096     data, in blocks of 1 MiB, the last one shorter
 *   …        crc32c u32 of each block
 *   end-32   footer:  magic u64 | data bytes u64 | blocks u32 | crc32c u32 of the block sums
 *            0 u32 | crc32c u32 of the footer before it
 * </pre>
 */
final class ImageLayout {
  static final long HEADER_MAGIC = 0x3147_4D49_454D_4F00L;
  static final long FOOTER_MAGIC = 0x3147_4E45_454D_4F00L;
  static final int VERSION = 1;
  static final int HEADER_BYTES = 4096;
  static final int FIELD_VERSION = 8;
  static final int FIELD_CRC = 12;
  static final int FIELD_GENERATION = 16;
  static final int FIELD_UUID_HIGH = 24;
  static final int FIELD_UUID_LOW = 32;
  static final int FIELD_LSN = 40;
  static final int FIELD_SLOTS = 48;
  static final int FIELDS_END = 56;

  static final int BLOCK = 1 << 20;

  static final int FOOTER_BYTES = 32;
  static final int FOOTER_DATA_BYTES = 8;
  static final int FOOTER_BLOCKS = 16;
  static final int FOOTER_SUMS_CRC = 20;
  static final int FOOTER_CRC = 28;

  private ImageLayout() {}
}
