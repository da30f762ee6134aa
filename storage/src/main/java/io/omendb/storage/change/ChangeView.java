package io.omendb.storage.change;

import io.omendb.memory.Memory;
import io.omendb.storage.wal.MalformedRecordException;
import io.omendb.storage.wal.WalLayout;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads a change where it lies, in a log file or in the batch that was just written: nothing is
 * copied. Reusable; valid as long as the memory it was pointed at. One thread at a time.
 */
public final class ChangeView {
  private final int rowBytes;
  private ChangeType type = ChangeType.FRAME_REFUSED;
  private long address;
  private long body;

  /**
   * @param rowBytes bytes of a stored row, its vector apart
   */
  public ChangeView(int rowBytes) {
    this.rowBytes = rowBytes;
  }

  /**
   * Points at a record whose batch checksum was right.
   *
   * @param bytes of the record, as its header says
   * @throws MalformedRecordException if it contradicts itself
   */
  public void wrap(long newAddress, int bytes) throws MalformedRecordException {
    address = newAddress;
    int streamBytes = streamBytes();
    int bodyAt = ChangeLayout.body(streamBytes);
    if (bytes < bodyAt) {
      throw new MalformedRecordException("record bytes=" + bytes + ", expected " + bodyAt + "..");
    }
    body = address + bodyAt;
    long bodyBytes =
        switch (Memory.getByte(address + ChangeLayout.TYPE)) {
          case ChangeLayout.TYPE_ROWS -> wrapRows(bytes - bodyAt);
          case ChangeLayout.TYPE_DELETE -> wrapDelete(bytes - bodyAt);
          case ChangeLayout.TYPE_FRAME_REFUSED -> {
            type = ChangeType.FRAME_REFUSED;
            yield 0;
          }
          default ->
              throw new MalformedRecordException(
                  "record type=" + Memory.getByte(address + ChangeLayout.TYPE));
        };
    long expected = bodyAt + ((bodyBytes + 7) & -8);
    if (bytes != expected) {
      throw new MalformedRecordException("record bytes=" + bytes + ", expected " + expected);
    }
  }

  private long wrapRows(int available) throws MalformedRecordException {
    type = ChangeType.ROWS;
    if (available < ChangeLayout.ROWS_BYTES) {
      throw new MalformedRecordException("rows record cut at " + available + " bytes");
    }
    if (firstSlot() < 0 || count() < 0 || heapFrom() < 0 || heapBytes() < 0 || vectorBytes() < 0) {
      throw new MalformedRecordException("negative number in a rows record");
    }
    return ChangeLayout.rowsBytes(isInline(), count(), vectorBytes(), rowBytes, heapBytes());
  }

  private long wrapDelete(int available) throws MalformedRecordException {
    type = ChangeType.DELETE;
    int count = available < ChangeLayout.DELETE_SLOTS ? -1 : count();
    if (count < 0 || count > (available - ChangeLayout.DELETE_SLOTS) / 4) {
      throw new MalformedRecordException("delete record count=" + count);
    }
    return ChangeLayout.deleteBytes(count);
  }

  /** What the change says. */
  public ChangeType type() {
    return type;
  }

  /** Log position. */
  public long lsn() {
    return Memory.getLong(address + WalLayout.RECORD_LSN);
  }

  /** The stream that the change is a frame of, if it is. */
  public @Nullable String streamId() {
    int bytes = streamBytes();
    if (bytes == 0) {
      return null;
    }
    byte[] utf8 = new byte[bytes];
    Memory.read(address + ChangeLayout.HEADER_BYTES, utf8, 0, bytes);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  private int streamBytes() {
    return Memory.getInt(address + ChangeLayout.TYPE) >>> 16;
  }

  /** The client's number of the frame. */
  public long frameSequence() {
    return Memory.getLong(address + ChangeLayout.FRAME_SEQUENCE);
  }

  /** ROWS: the first slot. */
  public int firstSlot() {
    return Memory.getInt(body + ChangeLayout.ROWS_FIRST_SLOT);
  }

  /** ROWS, DELETE: how many. */
  public int count() {
    return Memory.getInt(
        body + (type == ChangeType.ROWS ? ChangeLayout.ROWS_COUNT : ChangeLayout.DELETE_COUNT));
  }

  /** DELETE: the i-th slot. */
  public int deletedSlot(int i) {
    return Memory.getInt(body + ChangeLayout.DELETE_SLOTS + 4L * i);
  }

  /** ROWS: where the heap entries start. */
  public long heapFrom() {
    return Memory.getLong(body + ChangeLayout.ROWS_HEAP_FROM);
  }

  /** ROWS: bytes of heap entries. */
  public long heapBytes() {
    return Memory.getLong(body + ChangeLayout.ROWS_HEAP_BYTES);
  }

  /** ROWS: whether vectors, rows and heap entries travel in the record. */
  public boolean isInline() {
    return (Memory.getByte(address + ChangeLayout.FLAGS) & ChangeLayout.FLAG_INLINE) != 0;
  }

  /** ROWS: bytes of one vector; inline vectors have no padding. */
  public int vectorBytes() {
    return Memory.getInt(body + ChangeLayout.ROWS_VECTOR_BYTES);
  }

  /** ROWS, inline: address of the vectors. */
  public long vectors() {
    return body + ChangeLayout.ROWS_BYTES;
  }

  /** ROWS, inline: address of the rows. */
  public long rows() {
    return vectors() + (long) count() * vectorBytes();
  }

  /** ROWS, inline: address of the heap entries. */
  public long heap() {
    return rows() + (long) count() * rowBytes;
  }

  /** ROWS, not inline: CRC32C of the vectors, padding included. */
  public int vectorsCrc() {
    return Memory.getInt(body + ChangeLayout.ROWS_VECTORS_CRC);
  }

  /** ROWS, not inline: CRC32C of the rows. */
  public int rowsCrc() {
    return Memory.getInt(body + ChangeLayout.ROWS_ROWS_CRC);
  }

  /** ROWS, not inline: CRC32C of the heap entries. */
  public int heapCrc() {
    return Memory.getInt(body + ChangeLayout.ROWS_HEAP_CRC);
  }
}
