package io.omendb.storage.change;

import io.omendb.storage.wal.WalRecord;
import org.jspecify.annotations.Nullable;

/**
 * One change to be logged. Mutable and reused under the write lock, so that a write makes no
 * garbage. Addresses are read when the log takes it, before the lock is given back.
 */
public final class Change implements WalRecord {
  private final ChangeEncoder encoder = new ChangeEncoder();
  private final int rowBytes;

  /** What the change says. */
  public ChangeType type = ChangeType.FRAME_REFUSED;

  /** Log position. */
  public long lsn;

  /** UTF-8 of the stream that the change is a frame of, if it is. */
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

  /** ROWS: bytes between vectors at {@link #vectors}. */
  public int vectorStride;

  /** ROWS: address of the vectors. */
  public long vectors;

  /** ROWS: address of the rows. */
  public long rows;

  /** ROWS: address of the heap entries. */
  public long heap;

  /** ROWS, not inline: CRC32C of the vectors, padding included. */
  public int vectorsCrc;

  /** ROWS, not inline: CRC32C of the rows. */
  public int rowsCrc;

  /** ROWS, not inline: CRC32C of the heap entries. */
  public int heapCrc;

  /** DELETE: the slots. */
  public int[] slots = new int[16];

  /**
   * @param rowBytes bytes of a stored row, its vector apart
   */
  public Change(int rowBytes) {
    this.rowBytes = rowBytes;
  }

  @Override
  public long lsn() {
    return lsn;
  }

  @Override
  public int bytes() {
    long body =
        switch (type) {
          case ROWS -> ChangeLayout.rowsBytes(inline, count, vectorBytes, rowBytes, heapBytes);
          case DELETE -> ChangeLayout.deleteBytes(count);
          case FRAME_REFUSED -> 0;
        };
    return Math.toIntExact(
        ChangeLayout.body(streamId == null ? 0 : streamId.length) + ((body + 7) & -8));
  }

  @Override
  public long bulkBytes() {
    return type == ChangeType.ROWS && !inline ? (long) count * vectorStride + heapBytes : 0;
  }

  @Override
  public void write(long address) {
    encoder.encode(this, rowBytes, address);
  }
}
