package io.omendb.storage.change;

import io.omendb.storage.wal.WalLayout;

/**
 * Bytes of a log record: what a write changed. Little-endian. The log's own header fields, bytes
 * and lsn, are {@link WalLayout}'s.
 *
 * <pre>
 *   record   0 bytes u32, a multiple of 8 | 4 type u8 | 5 flags u8 | 6 stream id bytes u16
 *            8 lsn u64 | 16 frame sequence u64
 *            24 stream id, padded to 8; then by type
 *
 *   ROWS     0 first slot i32 | 4 count i32 | 8 heap from u64 | 16 heap bytes u64
 *            24 crc of vectors | 28 crc of rows | 32 crc of heap bytes | 36 vector bytes u32
 *            with flag INLINE: vectors (without padding), rows, heap bytes; padded to 8.
 *            Without it those lie in the extents, synced before this record is, and the crcs
 *            (of whole strides) tell whether they arrived.
 *   DELETE   0 count i32 | 4 zero | 8 slots, i32 each, padded to 8
 *   FRAME_REFUSED  nothing: a refused frame has used up its sequence
 * </pre>
 */
final class ChangeLayout {
  static final int TYPE = 4;
  static final int FLAGS = 5;
  static final int STREAM_BYTES = 6;
  static final int FRAME_SEQUENCE = 16;
  static final int HEADER_BYTES = 24;

  static final byte TYPE_ROWS = 1;
  static final byte TYPE_DELETE = 2;
  static final byte TYPE_FRAME_REFUSED = 3;
  static final byte FLAG_INLINE = 1;

  static final int ROWS_FIRST_SLOT = 0;
  static final int ROWS_COUNT = 4;
  static final int ROWS_HEAP_FROM = 8;
  static final int ROWS_HEAP_BYTES = 16;
  static final int ROWS_VECTORS_CRC = 24;
  static final int ROWS_ROWS_CRC = 28;
  static final int ROWS_HEAP_CRC = 32;
  static final int ROWS_VECTOR_BYTES = 36;
  static final int ROWS_BYTES = 40;

  static final int DELETE_COUNT = 0;
  static final int DELETE_SLOTS = 8;

  private ChangeLayout() {}

  /** Offset of what follows the stream id in a record. */
  static int body(int streamBytes) {
    return HEADER_BYTES + ((streamBytes + 7) & -8);
  }

  /** Bytes of a ROWS record after {@link #body}, padding apart. */
  static long rowsBytes(boolean inline, int count, int vectorBytes, int rowBytes, long heapBytes) {
    return ROWS_BYTES + (inline ? count * ((long) vectorBytes + rowBytes) + heapBytes : 0);
  }

  /** Bytes of a DELETE record after {@link #body}, padding apart. */
  static long deleteBytes(int count) {
    return DELETE_SLOTS + 4L * count;
  }
}
