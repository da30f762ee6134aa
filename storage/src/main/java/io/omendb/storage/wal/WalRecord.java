package io.omendb.storage.wal;

import io.omendb.memory.Memory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One log record, to be encoded or just decoded. Mutable and reused: a log of millions of records
 * makes no garbage. Addresses are valid as long as the memory they were taken from.
 */
public final class WalRecord {
  /** What a record says. */
  public enum Type {
    /** Rows added, with the slots they replace named in them. */
    ROWS,
    /** Slots killed. */
    DELETE,
    /** A frame refused. */
    FRAME_REFUSED
  }

  /** What the record says. */
  public Type type = Type.FRAME_REFUSED;

  /** Log position. */
  public long lsn;

  /** UTF-8 of the stream that the record is a frame of, if it is. */
  public byte @Nullable [] streamId;

  /** The client's number of the frame. */
  public long frameSequence;

  /** ROWS: the first slot. */
  public int firstSlot;

  /** ROWS: how many; DELETE: how many of {@link #slots}. */
  public int count;

  /** ROWS: where the heap entries of the record start. */
  public long heapFrom;

  /** ROWS: bytes of heap entries. */
  public long heapBytes;

  /** ROWS: whether vectors, rows and heap entries travel in the record. */
  public boolean inline;

  /** ROWS: bytes of one vector without padding. */
  public int vectorBytes;

  /** ROWS: bytes between vectors at {@link #vectors}; decoded inline vectors have no padding. */
  public int vectorStride;

  /** ROWS: address of the vectors; decoded only where inline. */
  public long vectors;

  /** ROWS: address of the rows; decoded only where inline. */
  public long rows;

  /** ROWS: address of the heap entries; decoded only where inline. */
  public long heap;

  /** ROWS, not inline: CRC32C of the vectors, padding included. */
  public int vectorsCrc;

  /** ROWS, not inline: CRC32C of the rows. */
  public int rowsCrc;

  /** ROWS, not inline: CRC32C of the heap entries. */
  public int heapCrc;

  /** DELETE: the slots. */
  public int[] slots = new int[16];

  /** Bytes that the record takes in the log. */
  public long encodedBytes(int rowBytes) {
    long body =
        switch (type) {
          case ROWS ->
              WalLayout.ROWS_BYTES
                  + (inline ? (long) count * (vectorBytes + rowBytes) + heapBytes : 0);
          case DELETE -> WalLayout.DELETE_SLOTS + 4L * count;
          case FRAME_REFUSED -> 0;
        };
    return WalLayout.body(streamId == null ? 0 : streamId.length) + ((body + 7) & -8);
  }

  /**
   * Decodes the record at an address whose batch checksum was right.
   *
   * @return bytes of the record
   * @throws IllegalArgumentException if the record contradicts itself
   */
  public int decode(long address, long available, int rowBytes) {
    if (available < WalLayout.RECORD_HEADER_BYTES) {
      throw new IllegalArgumentException("record header cut at " + available + " bytes");
    }
    int bytes = Memory.getInt(address + WalLayout.RECORD_BYTES);
    int streamBytes = Memory.getInt(address + WalLayout.RECORD_TYPE) >>> 16;
    int body = WalLayout.body(streamBytes);
    if (bytes < body || bytes > available) {
      throw new IllegalArgumentException(
          "record bytes=" + bytes + ", expected " + body + ".." + available);
    }
    lsn = Memory.getLong(address + WalLayout.RECORD_LSN);
    frameSequence = Memory.getLong(address + WalLayout.RECORD_FRAME_SEQUENCE);
    decodeStream(address + WalLayout.RECORD_HEADER_BYTES, streamBytes);
    inline = (Memory.getByte(address + WalLayout.RECORD_FLAGS) & WalLayout.FLAG_INLINE) != 0;
    switch (Memory.getByte(address + WalLayout.RECORD_TYPE)) {
      case WalLayout.TYPE_ROWS -> decodeRows(address + body, rowBytes);
      case WalLayout.TYPE_DELETE -> decodeDelete(address + body, bytes - body);
      case WalLayout.TYPE_FRAME_REFUSED -> {
        type = Type.FRAME_REFUSED;
        count = 0;
      }
      default ->
          throw new IllegalArgumentException(
              "record type=" + Memory.getByte(address + WalLayout.RECORD_TYPE));
    }
    if (encodedBytes(rowBytes) != bytes) {
      throw new IllegalArgumentException(
          "record bytes=" + bytes + ", expected " + encodedBytes(rowBytes));
    }
    return bytes;
  }

  private void decodeStream(long address, int bytes) {
    if (bytes == 0) {
      streamId = null;
      return;
    }
    if (streamId == null || streamId.length != bytes) {
      streamId = new byte[bytes];
    }
    Memory.read(address, streamId, 0, bytes);
  }

  private void decodeRows(long address, int rowBytes) {
    type = Type.ROWS;
    firstSlot = Memory.getInt(address + WalLayout.ROWS_FIRST_SLOT);
    count = Memory.getInt(address + WalLayout.ROWS_COUNT);
    heapFrom = Memory.getLong(address + WalLayout.ROWS_HEAP_FROM);
    heapBytes = Memory.getLong(address + WalLayout.ROWS_HEAP_BYTES);
    vectorsCrc = Memory.getInt(address + WalLayout.ROWS_VECTORS_CRC);
    rowsCrc = Memory.getInt(address + WalLayout.ROWS_ROWS_CRC);
    heapCrc = Memory.getInt(address + WalLayout.ROWS_HEAP_CRC);
    vectorBytes = Memory.getInt(address + WalLayout.ROWS_VECTOR_BYTES);
    vectorStride = vectorBytes;
    vectors = address + WalLayout.ROWS_BYTES;
    rows = vectors + (long) count * vectorBytes;
    heap = rows + (long) count * rowBytes;
    if (firstSlot < 0 || count < 0 || heapFrom < 0 || heapBytes < 0 || vectorBytes < 0) {
      throw new IllegalArgumentException("negative number in a rows record");
    }
  }

  private void decodeDelete(long address, int available) {
    type = Type.DELETE;
    count = available < WalLayout.DELETE_SLOTS ? -1 : Memory.getInt(address);
    if (count < 0 || count > (available - WalLayout.DELETE_SLOTS) / 4) {
      throw new IllegalArgumentException("delete record count=" + count);
    }
    if (slots.length < count) {
      slots = Arrays.copyOf(slots, Math.max(count, 2 * slots.length));
    }
    Memory.readInts(address + WalLayout.DELETE_SLOTS, slots, 0, count);
  }

  /** The stream id as text, for a record that has one. */
  public @Nullable String streamIdText() {
    return streamId == null ? null : new String(streamId, StandardCharsets.UTF_8);
  }
}
