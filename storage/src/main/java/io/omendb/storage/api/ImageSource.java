package io.omendb.storage.api;

import java.io.IOException;

/**
 * Gives the bytes of an image back in sequence, each checked before it is handed out; then those of
 * each section that was added to it. An image is derived: whoever meets a {@link
 * CorruptFileException} here rebuilds it. One thread at a time.
 */
public interface ImageSource extends AutoCloseable {
  /** Log position of the checkpoint that wrote the section. */
  long lsn();

  /** Slots that the checkpoint covered. */
  int count();

  /** Bytes of the section. */
  long bytes();

  /**
   * Reads the next bytes into native memory.
   *
   * @throws CorruptFileException if a block's checksum is wrong or the image ends before
   */
  void read(long address, long bytes) throws IOException;

  /**
   * Goes on to the next section, all of which is checked; false where there is none.
   *
   * @throws CorruptFileException if it is damaged
   */
  boolean next() throws IOException;

  @Override
  void close() throws IOException;
}
