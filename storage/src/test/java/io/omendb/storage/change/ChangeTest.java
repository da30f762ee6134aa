package io.omendb.storage.change;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.memory.Memory;
import io.omendb.storage.wal.MalformedRecordException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChangeTest {
  private static final int ROW_BYTES = 32;

  @Test
  void offsets() {
    assertEquals(4, ChangeLayout.TYPE);
    assertEquals(5, ChangeLayout.FLAGS);
    assertEquals(6, ChangeLayout.STREAM_BYTES);
    assertEquals(16, ChangeLayout.FRAME_SEQUENCE);
    assertEquals(24, ChangeLayout.HEADER_BYTES);
    assertEquals(40, ChangeLayout.ROWS_BYTES);
    assertEquals(8, ChangeLayout.DELETE_SLOTS);
    assertEquals(24, ChangeLayout.body(0));
    assertEquals(32, ChangeLayout.body(1));
  }

  @Test
  void everyChangeComesBack() throws Exception {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(4096, 64);
      MemorySegment target = arena.allocate(8192, 64);
      for (int i = 0; i < 4096; i++) {
        Memory.putByte(block.address() + i, (byte) (i * 7));
      }
      Change change = new Change(ROW_BYTES);
      change.lsn = 42;
      change.frameSequence = 9;
      change.streamId = "étream".getBytes(StandardCharsets.UTF_8);

      change.type = ChangeType.ROWS;
      change.inline = true;
      change.firstSlot = 5;
      change.count = 3;
      change.heapFrom = 8;
      change.heapBytes = 12;
      change.vectorBytes = 20;
      change.vectorStride = 64;
      change.vectors = block.address();
      change.rows = block.address() + 1024;
      change.heap = block.address() + 2048;
      ChangeView back = roundTrip(change, target);
      assertEquals(0, change.bulkBytes());
      assertEquals(5, back.firstSlot());
      assertEquals(3, back.count());
      assertEquals(8, back.heapFrom());
      assertEquals(12, back.heapBytes());
      assertTrue(back.isInline());
      for (int row = 0; row < 3; row++) {
        assertSame(block.address() + row * 64L, back.vectors() + row * 20L, 20);
      }
      assertSame(change.rows, back.rows(), 96);
      assertSame(change.heap, back.heap(), 12);

      change.inline = false;
      change.vectorsCrc = 1;
      change.rowsCrc = 2;
      change.heapCrc = 3;
      back = roundTrip(change, target);
      assertEquals(3 * 64 + 12, change.bulkBytes());
      assertEquals(1, back.vectorsCrc());
      assertEquals(2, back.rowsCrc());
      assertEquals(3, back.heapCrc());

      change.type = ChangeType.DELETE;
      change.slots = new int[] {3, 1, 4, 1, 5};
      change.count = 5;
      back = roundTrip(change, target);
      assertEquals(5, back.count());
      for (int i = 0; i < 5; i++) {
        assertEquals(change.slots[i], back.deletedSlot(i));
      }

      change.type = ChangeType.FRAME_REFUSED;
      change.count = 0;
      roundTrip(change, target);
      change.streamId = null;
      roundTrip(change, target);
    }
  }

  private static void assertSame(long expected, long found, int bytes) {
    assertTrue(Memory.equal(expected, found, bytes));
  }

  private static ChangeView roundTrip(Change change, MemorySegment target) throws Exception {
    int bytes = change.bytes();
    change.write(target.address());
    ChangeView back = new ChangeView(ROW_BYTES);
    back.wrap(target.address(), bytes);
    assertEquals(change.type, back.type());
    assertEquals(change.lsn, back.lsn());
    assertEquals(change.frameSequence, back.frameSequence());
    String stream =
        change.streamId == null ? null : new String(change.streamId, StandardCharsets.UTF_8);
    assertEquals(stream, back.streamId());
    assertThrows(MalformedRecordException.class, () -> back.wrap(target.address(), bytes - 8));
    return back;
  }

  /** Damage that a checksum missed is an exception, never an access out of bounds. */
  @Test
  void garbageIsRefusedOrHarmless() {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("ChangeTest seed=" + seed);
    Random random = new Random(seed);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(256, 64);
      ChangeView view = new ChangeView(ROW_BYTES);
      int refused = 0;
      for (int i = 0; i < 100_000; i++) {
        for (int at = 0; at < 256; at += 4) {
          Memory.putInt(memory.address() + at, random.nextInt(random.nextBoolean() ? 64 : 1 << 30));
        }
        Memory.putByte(memory.address() + ChangeLayout.TYPE, (byte) random.nextInt(4));
        int bytes = 8 * random.nextInt(2, 33);
        try {
          view.wrap(memory.address(), bytes);
          switch (view.type()) {
            case ROWS ->
                assertTrue(
                    !view.isInline() || view.heap() + view.heapBytes() <= memory.address() + bytes);
            case DELETE -> assertTrue(ChangeLayout.deleteBytes(view.count()) <= bytes);
            case FRAME_REFUSED -> {}
          }
        } catch (MalformedRecordException e) {
          refused++;
        }
      }
      assertTrue(refused > 90_000, "refused=" + refused);
    }
  }
}
