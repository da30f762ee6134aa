package io.omendb.storage.row;

/**
 * One row of the {@code rows} extents: 32 bytes, little-endian, written once by the appender before
 * its slot is published.
 *
 * <pre>
 *    0        8        16               24         28          32
 *   +--------+--------+----------------+----------+-----------+
 *   | id     | lsn    | payload offset | previous | squared   |
 *   | u64    | u64    | u64, 0 = none  | slot i32 | norm f32  |
 *   +--------+--------+----------------+----------+-----------+
 * </pre>
 *
 * <p>The lsn is in the low 62 bits of its field. The highest is {@link #DEFERRED}; the one below,
 * of a deferred row only, {@link #REPLACING}.
 *
 * <p>{@code id} is the client's number or, with string ids, the heap offset of the string. {@code
 * previous slot} is the slot that held the same id before, live or deleted, or -1.
 *
 * <p>A heap entry is {@code length u32} and as many bytes, padded to 4; offset 0 means none, so the
 * heap starts at {@link #HEAP_START}.
 */
public final class RowLayout {
  static final int ID = 0;
  static final int LSN = 8;
  static final long LSN_MASK = (1L << 62) - 1;
  static final int PAYLOAD = 16;
  static final int PREVIOUS = 24;
  static final int NORM = 28;
  public static final int BYTES = 32;

  /** The row is not to be found before it is indexed. */
  static final long DEFERRED = 1L << 63;

  /** The previous slot was live when the row was written. */
  static final long REPLACING = 1L << 62;

  public static final long HEAP_START = 8;
  static final int HEAP_LENGTH = 0;
  public static final int HEAP_BYTES = 4;

  private RowLayout() {}

  public static long heapEntryBytes(int length) {
    return HEAP_BYTES + ((length + 3L) & -4);
  }
}
