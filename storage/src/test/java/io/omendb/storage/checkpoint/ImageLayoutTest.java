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
    assertEquals(52, ImageLayout.FIELD_SECTION);
    assertEquals(56, ImageLayout.FIELD_DATA_BYTES);
    assertEquals(64, ImageLayout.FIELD_BLOCKS);
    assertEquals(68, ImageLayout.FIELD_SUMS_CRC);
    assertEquals(72, ImageLayout.FIELD_CRC_BEFORE);
    assertEquals(1 << 20, ImageLayout.BLOCK);
    assertEquals(2, ImageLayout.VERSION);
    assertEquals(8_192, ImageLayout.sectionBytes(1));
    assertEquals(4_096, ImageLayout.sectionBytes(0));
    assertEquals((1 << 20) + 8_192, ImageLayout.sectionBytes(1 << 20));
  }
}
