package io.omendb.storage.api;

import java.lang.foreign.MemorySegment;

/**
 * The rows of one write, read in place from where they arrived. Valid during the call it is passed
 * to; called on the caller's thread, under the collection's write lock, so it must not block.
 */
public interface RowSource {
  /** Number of rows. */
  int count();

  /**
   * Copies vectors {@code from} … {@code from + n - 1} to where they stay: the one copy.
   *
   * @param target native memory of the write's vectors; valid during the call
   * @param at where in it row {@code from} goes; row {@code from + i} goes to {@code at + i *
   *     stride}
   * @param stride bytes between rows; only the first {@code dimension * 4} of each are written
   */
  void copyVectors(int from, int n, MemorySegment target, long at, int stride);

  /** Numeric id of a row. */
  long numericId(int row);

  /** Bytes of a row's string id, 1 to 256. */
  int stringIdLength(int row);

  /** Copies a row's string id (UTF-8) into native memory, which is valid during the call. */
  void copyStringId(int row, MemorySegment target, long at);

  /** Bytes of a row's payload; 0 for none. */
  int payloadLength(int row);

  /** Copies a row's payload into native memory, which is valid during the call. */
  void copyPayload(int row, MemorySegment target, long at);
}
