package io.omendb.storage.row;

import io.omendb.memory.Memory;
import io.omendb.memory.Posix;
import io.omendb.storage.api.CollectionFullException;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.file.Preallocator;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The extents of a collection as a table of slots: vector, row and heap entries of each.
 *
 * <p>Accessors trust the slot: callers check it against a count first.
 */
public final class SlotTable implements AutoCloseable {
  public static final String VECTORS = "vectors";
  public static final String ROWS = "rows";
  public static final String HEAP = "heap";

  /** Address space per collection: vectors dominate, and a process has some 128 TiB. */
  private static final long RESERVED_VECTORS = 128L << 30;

  private static final long RESERVED_HEAP = 64L << 30;

  final Extents vectors;
  final Extents rows;
  final Extents heap;
  public final int stride;
  public final int maxSlots;

  private final long vectorsAddress;
  private final long rowsAddress;
  private final long heapAddress;

  public SlotTable(Path directory, CollectionSchema schema, Preallocator preallocator) {
    stride = schema.vectorStride();
    maxSlots = (int) Math.min(Integer.MAX_VALUE - 1, RESERVED_VECTORS / stride);
    // Read around what a search uses, they would push out of memory what the next one does: with
    // memory for two fifths of a million vectors, a few searches a second.
    int random = Posix.MADV_RANDOM;
    vectors = new Extents(directory, VECTORS, RESERVED_VECTORS, random, preallocator);
    rows = new Extents(directory, ROWS, reservedRows(), Posix.MADV_NORMAL, preallocator);
    heap = new Extents(directory, HEAP, RESERVED_HEAP, random, preallocator);
    vectorsAddress = vectors.address();
    rowsAddress = rows.address();
    heapAddress = heap.address();
  }

  /** Room for every slot, up to a whole number of the largest files. */
  private long reservedRows() {
    return ((long) maxSlots * RowLayout.BYTES / ExtentLayout.LARGEST + 2) * ExtentLayout.LARGEST;
  }

  public void openExisting(int count, long heapBytes) throws IOException {
    vectors.openExisting((long) count * stride);
    rows.openExisting((long) count * RowLayout.BYTES);
    heap.openExisting(heapBytes > RowLayout.HEAP_START ? heapBytes : 0);
  }

  /** Makes room for slots below {@code count} and heap bytes below {@code heapBytes}. */
  public void ensure(long count, long heapBytes) throws IOException {
    if (count > maxSlots) {
      throw new CollectionFullException(VECTORS, RESERVED_VECTORS);
    }
    vectors.ensure(count * stride);
    rows.ensure(count * RowLayout.BYTES);
    if (heapBytes > RowLayout.HEAP_START) {
      heap.ensure(heapBytes);
    }
  }

  /** Makes the vectors of new slots ready to be written; see {@link Posix#touch}. */
  public void touchVectors(int from, int count) {
    Posix.touch(vector(from), (long) count * stride);
  }

  /** Makes the rows of new slots ready to be written, and heap bytes from {@code heapFrom} on. */
  public void touchRows(int from, int count, long heapFrom, long heapBytes) {
    Posix.touch(row(from), (long) count * RowLayout.BYTES);
    Posix.touch(heapAt(heapFrom), heapBytes);
  }

  public void used(int count, long heapBytes) {
    vectors.used((long) count * stride);
    rows.used((long) count * RowLayout.BYTES);
    if (heapBytes > RowLayout.HEAP_START) {
      heap.used(heapBytes);
    }
  }

  public void syncTo(int count, long heapBytes) throws IOException {
    vectors.syncTo((long) count * stride);
    rows.syncTo((long) count * RowLayout.BYTES);
    if (heapBytes > RowLayout.HEAP_START) {
      heap.syncTo(heapBytes);
    }
  }

  public long vectorsAddress() {
    return vectorsAddress;
  }

  public long vector(int slot) {
    return vectorsAddress + (long) slot * stride;
  }

  public long row(int slot) {
    return rowsAddress + (long) slot * RowLayout.BYTES;
  }

  public long heapAt(long offset) {
    return heapAddress + offset;
  }

  public long id(int slot) {
    return Memory.getLong(row(slot) + RowLayout.ID);
  }

  public long lsn(int slot) {
    return Memory.getLong(row(slot) + RowLayout.LSN) & RowLayout.LSN_MASK;
  }

  /** Whether a row is not to be found before it is indexed. */
  public boolean isDeferred(int slot) {
    return (Memory.getLong(row(slot) + RowLayout.LSN) & RowLayout.DEFERRED) != 0;
  }

  /** The slot that a deferred row replaced, live until then; -1 for none. */
  public int replacedByDeferred(int slot) {
    return (Memory.getLong(row(slot) + RowLayout.LSN) & RowLayout.REPLACING) != 0
        ? previous(slot)
        : -1;
  }

  public long payload(int slot) {
    return Memory.getLong(row(slot) + RowLayout.PAYLOAD);
  }

  public int previous(int slot) {
    return Memory.getInt(row(slot) + RowLayout.PREVIOUS);
  }

  public float squaredNorm(int slot) {
    return Memory.getFloat(row(slot) + RowLayout.NORM);
  }

  /**
   * @param markedLsn with the marks of the layout
   */
  void putRow(int slot, long id, long markedLsn, long payload, int previous, float squaredNorm) {
    long row = row(slot);
    Memory.putLong(row + RowLayout.ID, id);
    Memory.putLong(row + RowLayout.LSN, markedLsn);
    Memory.putLong(row + RowLayout.PAYLOAD, payload);
    Memory.putInt(row + RowLayout.PREVIOUS, previous);
    Memory.putFloat(row + RowLayout.NORM, squaredNorm);
  }

  public int heapLength(long offset) {
    return Memory.getInt(heapAddress + offset + RowLayout.HEAP_LENGTH);
  }

  /** Address of a heap entry's bytes. */
  public long heapBytes(long offset) {
    return heapAddress + offset + RowLayout.HEAP_BYTES;
  }

  /** Writes an entry's length and zeroes its padding; the caller writes the bytes. */
  void putHeapLength(long offset, int length) {
    if (length > 0) {
      Memory.putInt(heapAddress + offset + RowLayout.heapEntryBytes(length) - Integer.BYTES, 0);
    }
    Memory.putInt(heapAddress + offset + RowLayout.HEAP_LENGTH, length);
  }

  /** Bytes of the vectors of the slots in use. */
  public long vectorBytes() {
    return vectors.usedBytes();
  }

  /** Bytes of their rows. */
  public long rowBytes() {
    return rows.usedBytes();
  }

  /** Bytes of their payloads and string ids. */
  public long heapBytes() {
    return heap.usedBytes();
  }

  public long mappedBytes() {
    return vectors.mappedBytes() + rows.mappedBytes() + heap.mappedBytes();
  }

  @Override
  public void close() throws IOException {
    try (vectors;
        rows;
        heap) {
      // Each closes, even where another fails.
    }
  }
}
