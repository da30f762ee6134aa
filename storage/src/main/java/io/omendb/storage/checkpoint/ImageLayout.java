package io.omendb.storage.checkpoint;

/**
 * An image file: little-endian, sections in sequence, each written once and starting at a multiple
 * of 4096 bytes. Section 0 is the image of a moment; each further one has what had changed at a
 * later checkpoint.
 *
 * <pre>
 *   0        header, 4096 bytes:  magic u64 | version u32 | crc32c u32 of bytes 16 … 80
 *            generation u64 | uuid 2 × u64 | lsn u64 | slots u32 | section u32
 *            data bytes u64 | blocks u32 | crc32c u32 of the block sums
 *            crc of the header of the section before, 0 for section 0 | 0 u32
 *   4096     data, in blocks of 1 MiB, the last one shorter
 *   …        crc32c u32 of each block; then 0 up to a multiple of 4096
 * </pre>
 *
 * <p>The manifest says how many sections are valid. What lies behind them is of a checkpoint that
 * was cut off, and is cut off the file before the next is added: it must never be taken for what a
 * later manifest names, since the graph has gone on without it.
 */
final class ImageLayout {
  static final long HEADER_MAGIC = 0x3147_4D49_454D_4F00L;
  static final int VERSION = 2;
  static final int HEADER_BYTES = 4096;
  static final int FIELD_VERSION = 8;
  static final int FIELD_CRC = 12;
  static final int FIELD_GENERATION = 16;
  static final int FIELD_UUID_HIGH = 24;
  static final int FIELD_UUID_LOW = 32;
  static final int FIELD_LSN = 40;
  static final int FIELD_SLOTS = 48;
  static final int FIELD_SECTION = 52;
  static final int FIELD_DATA_BYTES = 56;
  static final int FIELD_BLOCKS = 64;
  static final int FIELD_SUMS_CRC = 68;
  static final int FIELD_CRC_BEFORE = 72;
  static final int FIELDS_END = 80;

  static final int BLOCK = 1 << 20;

  private ImageLayout() {}

  /** Blocks of so many bytes of data. */
  static int blocks(long dataBytes) {
    return Math.toIntExact((dataBytes + BLOCK - 1) / BLOCK);
  }

  /** Bytes from a section's start to that of the next. */
  static long sectionBytes(long dataBytes) {
    long bytes = HEADER_BYTES + dataBytes + (long) Integer.BYTES * blocks(dataBytes);
    return (bytes + HEADER_BYTES - 1) / HEADER_BYTES * HEADER_BYTES;
  }
}
