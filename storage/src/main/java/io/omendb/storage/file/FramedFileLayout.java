package io.omendb.storage.file;

/**
 * Frame of the small files that are replaced whole (MANIFEST-G, CATALOGUE, STORE): little-endian.
 *
 * <pre>
 *    0         8            12           16
 *   +---------+------------+------------+----------------------+
 *   | magic   | crc32c u32 | body bytes | body                 |
 *   | u64     | of the body| u32        |                      |
 *   +---------+------------+------------+----------------------+
 *
 *   text       bytes u32, UTF-8
 *   STORE      major u32 | minor u32 | incompatible features u64 | compatible features u64
 *              uuid 2 × u64
 *   CATALOGUE  next directory u64 | count u32 | { directory u64, uuid 2 × u64, schema } …
 *   schema     name text | dimension u32 | id kind u32 | count u32 | { key text, value text } …
 *   MANIFEST   generation u64 | uuid 2 × u64 | schema
 *              checkpoint lsn u64 | slots u32 | heap bytes u64 | first log file u64
 *              crc of tombstones-G u32 | crc of sums-G u32
 *              image generation u64 (0 = none) | count u32 | { stream text, sequence u64,
 *              last seen ms u64 } … | sections of the image u32
 *   tombstones-G   magic and frame as above; body: one bit a slot, in u64 words
 *   sums-G         body: count u32 and crc32c u32 of each 1 MiB block, for vectors, rows, heap;
 *                  the last block of each ends where the checkpoint does
 * </pre>
 */
public final class FramedFileLayout {
  static final int MAGIC = 0;
  static final int CRC = 8;
  static final int BODY_BYTES = 12;
  static final int HEADER_BYTES = 16;

  static final long STORE_MAGIC = 0x3145_524F_5453_4D4FL; // "OMSTORE1"
  static final long CATALOGUE_MAGIC = 0x3154_4143_454D_4F00L;
  public static final long MANIFEST_MAGIC = 0x314E_414D_454D_4F00L;
  public static final long TOMBSTONES_MAGIC = 0x3142_4D54_454D_4F00L;
  public static final long SUMS_MAGIC = 0x314D_5553_454D_4F00L;

  private FramedFileLayout() {}
}
