package io.omendb.storage.change;

import io.omendb.memory.Memory;
import java.lang.foreign.Arena;
import java.util.logging.Level;
import java.util.logging.Logger;
import net.openhft.chronicle.bytes.Bytes;
import net.openhft.chronicle.bytes.BytesStore;
import net.openhft.chronicle.bytes.PointerBytesStore;

/**
 * Encodes with Chronicle Bytes over memory that we own: a {@link PointerBytesStore} is pointed at
 * the record's place, so encoding neither allocates nor copies twice.
 *
 * <p>Blocks of vectors are copied by {@link Memory}, since they may be strided.
 */
final class ChangeEncoder {
  /**
   * Held, since the log manager holds its loggers weakly; its one warning is about a cleaner we do
   * not use.
   */
  private static final Logger CLEANER =
      Logger.getLogger("net.openhft.chronicle.core.internal.cleaner");

  private static final int SCRATCH_BYTES = 64;
  private static final long SCRATCH = Arena.global().allocate(SCRATCH_BYTES, 8).address();

  static {
    CLEANER.setLevel(Level.OFF);
  }

  private final PointerBytesStore store = BytesStore.nativePointer();
  private final Bytes<?> bytes;

  ChangeEncoder() {
    // Somewhere valid to point at until the first record says where.
    store.set(SCRATCH, SCRATCH_BYTES);
    bytes = store.bytesForWrite();
    // Used under the collection's write lock, by whichever thread holds it.
    bytes.singleThreadedCheckDisabled(true);
  }

  /** Encodes a change into {@link Change#bytes} bytes at an address. */
  void encode(Change record, int rowBytes, long address) {
    int length = record.bytes();
    store.set(address, length);
    bytes.clear();
    byte[] streamId = record.streamId;
    bytes.writeInt(length).writeByte(type(record)).writeByte(flags(record));
    bytes.writeShort((short) (streamId == null ? 0 : streamId.length));
    bytes.writeLong(record.lsn).writeLong(record.frameSequence);
    if (streamId != null) {
      bytes.write(streamId);
      pad();
    }
    switch (record.type) {
      case ROWS -> encodeRows(record, rowBytes);
      case DELETE -> encodeDelete(record);
      case FRAME_REFUSED -> {}
    }
    if (bytes.writePosition() != length) {
      throw new IllegalStateException(
          "record of " + bytes.writePosition() + " bytes, expected " + length);
    }
  }

  private void encodeRows(Change record, int rowBytes) {
    bytes.writeInt(record.firstSlot).writeInt(record.count);
    bytes.writeLong(record.heapFrom).writeLong(record.heapBytes);
    bytes.writeInt(record.vectorsCrc).writeInt(record.rowsCrc).writeInt(record.heapCrc);
    bytes.writeInt(record.vectorBytes);
    if (!record.inline) {
      return;
    }
    long target = bytes.addressForWrite(bytes.writePosition());
    for (int i = 0; i < record.count; i++) {
      Memory.copy(
          record.vectors + (long) i * record.vectorStride,
          target + (long) i * record.vectorBytes,
          record.vectorBytes);
    }
    bytes.writeSkip((long) record.count * record.vectorBytes);
    writeBlock(record.rows, (long) record.count * rowBytes);
    writeBlock(record.heap, record.heapBytes);
    pad();
  }

  private void encodeDelete(Change record) {
    bytes.writeInt(record.count).writeInt(0);
    for (int i = 0; i < record.count; i++) {
      bytes.writeInt(record.slots[i]);
    }
    pad();
  }

  private void writeBlock(long source, long length) {
    Memory.copy(source, bytes.addressForWrite(bytes.writePosition()), length);
    bytes.writeSkip(length);
  }

  private void pad() {
    while ((bytes.writePosition() & 7) != 0) {
      bytes.writeByte((byte) 0);
    }
  }

  private static byte type(Change record) {
    return switch (record.type) {
      case ROWS -> ChangeLayout.TYPE_ROWS;
      case DELETE -> ChangeLayout.TYPE_DELETE;
      case FRAME_REFUSED -> ChangeLayout.TYPE_FRAME_REFUSED;
    };
  }

  private static byte flags(Change record) {
    return record.type == ChangeType.ROWS && record.inline ? ChangeLayout.FLAG_INLINE : 0;
  }
}
