package io.omendb.storage.row;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** A change of format is a change of these tables, and of the format version. */
class RowLayoutTest {
  @Test
  void rows() {
    assertEquals(0, RowLayout.ID);
    assertEquals(8, RowLayout.LSN);
    assertEquals(16, RowLayout.PAYLOAD);
    assertEquals(24, RowLayout.PREVIOUS);
    assertEquals(28, RowLayout.NORM);
    assertEquals(32, RowLayout.BYTES);
    assertEquals(8, RowLayout.HEAP_START);
    assertEquals(4, RowLayout.heapEntryBytes(0));
    assertEquals(8, RowLayout.heapEntryBytes(1));
    assertEquals(8, RowLayout.heapEntryBytes(4));
    assertEquals(12, RowLayout.heapEntryBytes(5));
  }

  /** Every byte of the space lies in one file, and files follow each other without gaps. */
  @Test
  void extents() {
    long start = 0;
    for (int file = 0; file < 40; file++) {
      assertEquals(start, ExtentLayout.start(file));
      assertEquals(Math.min(256L << 20, 1L << 20 << file), ExtentLayout.size(file));
      assertEquals(file, ExtentLayout.fileAt(start));
      assertEquals(file, ExtentLayout.fileAt(start + ExtentLayout.size(file) - 1));
      assertEquals(file + 1, ExtentLayout.filesFor(start + 1));
      start += ExtentLayout.size(file);
    }
    assertEquals(0, ExtentLayout.filesFor(0));
    assertEquals("vectors-00012", ExtentLayout.name("vectors", 12));
  }
}
