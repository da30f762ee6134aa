package io.omendb.storage.api;

import java.io.IOException;

/**
 * Gives the bytes of an image back in sequence, each checked before it is handed out. An image is
 * derived: whoever meets a {@link CorruptFileException} here rebuilds it. One thread at a time.
 */
public interface ImageSource extends AutoCloseable {
  /** Log position of the checkpoint that wrote the image. */
  long lsn();

  /** Slots that the checkpoint covered. */
  int count();

  /** Bytes of the image. */
  long bytes();

  /**
   * Reads the next bytes into native memory.
   *
   * @throws CorruptFileException if a block's checksum is wrong or the image ends before
   */
  void read(long address, long bytes) throws IOException;

  @Override
  void close() throws IOException;
}
