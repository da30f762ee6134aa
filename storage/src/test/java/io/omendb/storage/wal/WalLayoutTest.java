package io.omendb.storage.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class WalLayoutTest {
  @Test
  void offsets() {
    assertEquals(4096, WalLayout.FILE_HEADER_BYTES);
    assertEquals(12, WalLayout.FILE_CRC);
    assertEquals(32, WalLayout.FILE_SEQUENCE);
    assertEquals(40, WalLayout.FILE_SALT);
    assertEquals(48, WalLayout.FILE_BYTES);
    assertEquals(512, WalLayout.BATCH_ALIGNMENT);
    assertEquals(64, WalLayout.BATCH_HEADER_BYTES);
    assertEquals(4, WalLayout.BATCH_CRC);
    assertEquals(8, WalLayout.BATCH_BODY_BYTES);
    assertEquals(16, WalLayout.BATCH_FIRST_LSN);
    assertEquals(24, WalLayout.BATCH_DURABLE_LSN);
    assertEquals(32, WalLayout.BATCH_PREVIOUS_CRC);
    assertEquals(0, WalLayout.RECORD_BYTES);
    assertEquals(8, WalLayout.RECORD_LSN);
    assertEquals(16, WalLayout.RECORD_HEADER_BYTES);
  }
}
