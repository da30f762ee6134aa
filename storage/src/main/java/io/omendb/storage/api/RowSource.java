package io.omendb.storage.api;

/**
 * The rows of one write, read in place from where they arrived. Valid during the call it is passed
 * to; called on the caller's thread, under the collection's write lock, so it must not block.
 */
public interface RowSource {
  /** Number of rows. */
  int count();

  /**
   * Copies vectors {@code from} … {@code from + n - 1} to native memory: the one copy.
   *
   * @param address where row {@code from} goes; row {@code from + i} goes to {@code address + i *
   *     stride}
   * @param stride bytes between rows; only the first {@code dimension * 4} of each are written
   */
  void copyVectors(int from, int n, long address, int stride);

  /** Numeric id of a row. */
  long numericId(int row);

  /** Bytes of a row's string id, 1 to 256. */
  int stringIdLength(int row);

  /** Copies a row's string id (UTF-8) to native memory. */
  void copyStringId(int row, long address);

  /** Bytes of a row's payload; 0 for none. */
  int payloadLength(int row);

  /** Copies a row's payload to native memory. */
  void copyPayload(int row, long address);
}
