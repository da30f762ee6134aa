package io.omendb.storage.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** A change of format is a change of these tables, and of the format version. */
class ImageLayoutTest {
  @Test
  void images() {
    assertEquals(4096, ImageLayout.HEADER_BYTES);
    assertEquals(12, ImageLayout.FIELD_CRC);
    assertEquals(16, ImageLayout.FIELD_GENERATION);
    assertEquals(40, ImageLayout.FIELD_LSN);
    assertEquals(48, ImageLayout.FIELD_SLOTS);
    assertEquals(1 << 20, ImageLayout.BLOCK);
    assertEquals(32, ImageLayout.FOOTER_BYTES);
    assertEquals(28, ImageLayout.FOOTER_CRC);
  }
}
