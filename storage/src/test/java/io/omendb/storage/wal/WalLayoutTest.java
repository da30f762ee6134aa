package io.omendb.storage.wal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.omendb.memory.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Random;
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
    assertEquals(24, WalLayout.RECORD_HEADER_BYTES);
    assertEquals(40, WalLayout.ROWS_BYTES);
    assertEquals(8, WalLayout.DELETE_SLOTS);
  }

  @Test
  void everyRecordComesBack() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(4096, 64);
      MemorySegment target = arena.allocate(8192, 64);
      for (int i = 0; i < 4096; i++) {
        Memory.putByte(block.address() + i, (byte) (i * 7));
      }
      ChronicleRecordEncoder encoder = new ChronicleRecordEncoder(32);
      WalRecord record = new WalRecord();
      record.lsn = 42;
      record.frameSequence = 9;
      record.streamId = "étream".getBytes(StandardCharsets.UTF_8);

      record.type = WalRecord.Type.ROWS;
      record.inline = true;
      record.firstSlot = 5;
      record.count = 3;
      record.heapFrom = 8;
      record.heapBytes = 12;
      record.vectorBytes = 20;
      record.vectorStride = 64;
      record.vectors = block.address();
      record.rows = block.address() + 1024;
      record.heap = block.address() + 2048;
      WalRecord back = roundTrip(encoder, record, target);
      assertEquals(5, back.firstSlot);
      assertEquals(3, back.count);
      assertEquals(12, back.heapBytes);
      for (int row = 0; row < 3; row++) {
        assertEquals(
            -1,
            Memory.ALL
                .asSlice(back.vectors + row * 20L, 20)
                .mismatch(Memory.ALL.asSlice(block.address() + row * 64L, 20)));
      }
      assertEquals(
          -1, Memory.ALL.asSlice(back.rows, 96).mismatch(Memory.ALL.asSlice(record.rows, 96)));
      assertEquals(
          -1, Memory.ALL.asSlice(back.heap, 12).mismatch(Memory.ALL.asSlice(record.heap, 12)));

      record.inline = false;
      record.vectorsCrc = 1;
      record.rowsCrc = 2;
      record.heapCrc = 3;
      back = roundTrip(encoder, record, target);
      assertEquals(1, back.vectorsCrc);
      assertEquals(2, back.rowsCrc);
      assertEquals(3, back.heapCrc);

      record.type = WalRecord.Type.DELETE;
      record.slots = new int[] {3, 1, 4, 1, 5};
      record.count = 5;
      back = roundTrip(encoder, record, target);
      assertArrayEquals(record.slots, java.util.Arrays.copyOf(back.slots, back.count));

      record.type = WalRecord.Type.FRAME_REFUSED;
      record.count = 0;
      roundTrip(encoder, record, target);
    }
  }

  private static WalRecord roundTrip(
      RecordEncoder encoder, WalRecord record, MemorySegment target) {
    int bytes = encoder.encode(record, target.address(), 8192);
    assertEquals(record.encodedBytes(32), bytes);
    WalRecord back = new WalRecord();
    assertEquals(bytes, back.decode(target.address(), bytes, 32));
    assertEquals(record.type, back.type);
    assertEquals(record.lsn, back.lsn);
    assertEquals(record.frameSequence, back.frameSequence);
    assertArrayEquals(record.streamId, back.streamId);
    assertThrows(
        IllegalArgumentException.class, () -> back.decode(target.address(), bytes - 1, 32));
    return back;
  }

  /** Damage that a checksum missed is an exception, never an access out of bounds. */
  @Test
  void decodingGarbageIsRefusedOrHarmless() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("WalLayoutTest seed=" + seed);
    Random random = new Random(seed);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(256, 64);
      WalRecord record = new WalRecord();
      int refused = 0;
      for (int i = 0; i < 100_000; i++) {
        for (int at = 0; at < 256; at += 4) {
          Memory.putInt(memory.address() + at, random.nextInt(random.nextBoolean() ? 64 : 1 << 30));
        }
        Memory.putByte(memory.address() + WalLayout.RECORD_TYPE, (byte) random.nextInt(4));
        try {
          int bytes = record.decode(memory.address(), 256, 32);
          assertEquals(record.encodedBytes(32), bytes);
        } catch (IllegalArgumentException e) {
          refused++;
        }
      }
      assertEquals(true, refused > 90_000);
    }
  }
}
