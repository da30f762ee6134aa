package io.omendb.storage.wal;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Checksum;
import io.omendb.memory.Memory;
import io.omendb.memory.Posix;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Records that go to the log together: header and records in one piece of memory, so that one write
 * takes them. Filled under the write lock, then owned by the log's thread until it is empty again.
 */
final class WalBatch implements AutoCloseable {
  /** Most bytes a batch may have; a record is smaller. */
  static final int CAPACITY = 1 << 30;

  /** Memory kept when a burst is over. */
  private static final long KEPT = 4L << 20;

  private final AddressSpace space = AddressSpace.reserve(CAPACITY);
  private final ByteBuffer buffer = Checksum.buffer(space.address(), CAPACITY);
  private long end = WalLayout.BATCH_HEADER_BYTES;
  private int count;
  private long firstLsn;
  private long lastLsn;

  /** Bytes of records that lie in the extents and must be synced before the log is. */
  private long bulkBytes;

  private int endSlot;
  private long endHeap;

  boolean isEmpty() {
    return count == 0;
  }

  int count() {
    return count;
  }

  long firstLsn() {
    return firstLsn;
  }

  long lastLsn() {
    return lastLsn;
  }

  long bulkBytes() {
    return bulkBytes;
  }

  /** Slots stored when the last record was added. */
  int endSlot() {
    return endSlot;
  }

  /** Heap bytes stored when the last record was added. */
  long endHeap() {
    return endHeap;
  }

  long records() {
    return space.address() + WalLayout.BATCH_HEADER_BYTES;
  }

  long recordBytes() {
    return end - WalLayout.BATCH_HEADER_BYTES;
  }

  /** Bytes that the batch takes in a file. */
  long fileBytes() {
    return WalLayout.alignBatch(end);
  }

  /** Bytes that the batch would take with one more record. */
  long fileBytesWith(long recordBytes) {
    return WalLayout.alignBatch(end + recordBytes);
  }

  /** Makes room in memory for one more record, so that {@link #add} cannot fail. */
  void reserve(long recordBytes) {
    space.commit(fileBytesWith(recordBytes));
  }

  /**
   * Adds a record, for which {@link #reserve} has made room.
   *
   * @param slots stored so far, the record's included
   * @param heapEnd stored so far, the record's included
   */
  void add(WalRecord record, int slots, long heapEnd) {
    int bytes = record.bytes();
    assert fileBytesWith(bytes) <= space.committedBytes() : "no room was made for " + bytes;
    record.write(space.address() + end);
    end += bytes;
    if (count++ == 0) {
      firstLsn = record.lsn();
    }
    lastLsn = record.lsn();
    endSlot = slots;
    endHeap = heapEnd;
    bulkBytes += record.bulkBytes();
  }

  /** Fills the header; returns the batch's checksum. */
  int seal(long salt, long durableLsn, int previousCrc) {
    long header = space.address();
    Memory.fill(header, WalLayout.BATCH_HEADER_BYTES, (byte) 0);
    Memory.fill(header + end, fileBytes() - end, (byte) 0);
    Memory.putInt(header, WalLayout.BATCH_MAGIC);
    Memory.putInt(header + WalLayout.BATCH_BODY_BYTES, (int) recordBytes());
    Memory.putInt(header + WalLayout.BATCH_COUNT, count);
    Memory.putLong(header + WalLayout.BATCH_FIRST_LSN, firstLsn);
    Memory.putLong(header + WalLayout.BATCH_DURABLE_LSN, durableLsn);
    Memory.putInt(header + WalLayout.BATCH_PREVIOUS_CRC, previousCrc);
    int crc =
        Checksum.salted(
            salt, header + WalLayout.BATCH_BODY_BYTES, end - WalLayout.BATCH_BODY_BYTES);
    Memory.putInt(header + WalLayout.BATCH_CRC, crc);
    return crc;
  }

  /** The sealed batch, padded, for one write. */
  ByteBuffer bytes() {
    return buffer.clear().limit((int) fileBytes());
  }

  void clear() throws IOException {
    if (end > KEPT) {
      long keep = (KEPT + 4095) & -4096;
      Posix.advise(space.address() + keep, space.committedBytes() - keep, Posix.MADV_DONTNEED);
    }
    end = WalLayout.BATCH_HEADER_BYTES;
    count = 0;
    bulkBytes = 0;
  }

  @Override
  public void close() {
    space.close();
  }
}
