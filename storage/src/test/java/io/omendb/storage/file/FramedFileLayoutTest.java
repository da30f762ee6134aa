package io.omendb.storage.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** A change of format is a change of these tables, and of the format version. */
class FramedFileLayoutTest {
  @Test
  void frames() {
    assertEquals(0, FramedFileLayout.MAGIC);
    assertEquals(8, FramedFileLayout.CRC);
    assertEquals(12, FramedFileLayout.BODY_BYTES);
    assertEquals(16, FramedFileLayout.HEADER_BYTES);
    assertEquals(1, StoreFile.MAJOR);
  }
}
