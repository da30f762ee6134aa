package io.omendb.engine;

import io.omendb.memory.Memory;
import io.omendb.storage.RowReader;

/**
 * The visible rows of a collection, by slot and by id.
 *
 * <p>Threads: any, without locks, while the collection's lease is held ({@link
 * Collection#acquire}); what is copied out is the caller's. A slot comes from a search or from
 * {@link #find} under the same lease; one that was replaced or deleted since can still be read.
 */
public final class Rows {
  private final RowReader rows;
  private final int dimension;

  Rows(RowReader rows, int dimension) {
    this.rows = rows;
    this.dimension = dimension;
  }

  /** Rows visible and not deleted. */
  public long liveCount() {
    return rows.liveCount();
  }

  /** Slot of a numeric id; −1 for none. */
  public int find(long id) {
    return rows.find(id);
  }

  /** Slot of a string id; −1 for none. */
  public int find(byte[] utf8, int from, int length) {
    return rows.find(utf8, from, length);
  }

  /** Numeric id of a slot. */
  public long numericId(int slot) {
    return rows.numericId(slot);
  }

  /** Bytes of a slot's string id. */
  public int stringIdLength(int slot) {
    return rows.stringIdLength(slot);
  }

  /** Copies a slot's string id; returns its length. */
  public int copyStringId(int slot, byte[] target, int at) {
    return rows.copyStringId(slot, target, at);
  }

  /** Bytes of a slot's payload; 0 for none. */
  public int payloadLength(int slot) {
    return rows.payloadLength(slot);
  }

  /** Copies a slot's payload; returns its length. */
  public int copyPayload(int slot, byte[] target, int at) {
    return rows.copyPayload(slot, target, at);
  }

  /** Copies a slot's vector as little-endian float32, bit for bit as it came. */
  public void copyVector(int slot, byte[] target, int at) {
    if (slot < 0 || slot >= rows.count()) {
      throw new IndexOutOfBoundsException("slot=" + slot + ", count=" + rows.count());
    }
    long row = rows.vectorsAddress() + (long) slot * rows.rowStride();
    Memory.read(row, target, at, dimension * Float.BYTES);
  }
}
