package io.omendb.storage.api;

import java.io.IOException;

/** Takes the bytes of an image in sequence. */
public interface ImageSink {
  /** What a section takes on disk beside its bytes, at most, but for the sums of its blocks. */
  long SECTION_BYTES = 8192;

  /** Slots that the checkpoint of this image covers. */
  int count();

  /**
   * Says about how many bytes will come, before the first.
   *
   * @throws DiskFullException if the disk has no room for them, or would have none left
   */
  void expect(long bytes) throws IOException;

  /** Appends native memory; it may change meanwhile, the checksum is of what was copied. */
  void write(long address, long bytes) throws IOException;
}
