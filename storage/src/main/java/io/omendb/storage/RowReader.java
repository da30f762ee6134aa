package io.omendb.storage;

import io.omendb.memory.Memory;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.row.IdIndex;
import io.omendb.storage.row.SlotTable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;

/**
 * Reads the published rows of a collection by slot and by id. Any thread, without locks.
 *
 * <p>A slot read must be below a {@link #count} read before, by the same thread or handed over
 * safely. Addresses lie in mappings that live until the store is closed; the owner makes sure that
 * nobody reads then.
 */
public final class RowReader {
  private static final VarHandle COUNT;

  static {
    try {
      COUNT = MethodHandles.lookup().findVarHandle(RowReader.class, "publishedCount", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final CollectionState state;
  private final CollectionSchema schema;
  private final SlotTable slots;

  // Written by the log's thread alone.
  @SuppressWarnings("unused") // by COUNT
  private int publishedCount;

  private volatile int deletedCount;

  RowReader(CollectionState state) {
    this.state = state;
    this.schema = state.schema;
    this.slots = state.slots;
    this.publishedCount = state.count;
    this.deletedCount = state.publishedTombstones.deleted();
  }

  /** Bytes between the starts of two vectors. */
  public int rowStride() {
    return slots.stride;
  }

  /** Address of slot 0's vector; slot {@code s} lies {@code s * rowStride()} bytes further. */
  public long vectorsAddress() {
    return slots.vectorsAddress();
  }

  /** Slots visible, deleted ones included. What their writers stored is visible to the caller. */
  public int count() {
    return (int) COUNT.getAcquire(this);
  }

  /** Rows visible and not deleted. */
  public int liveCount() {
    int deleted = deletedCount;
    return Math.max(0, count() - deleted);
  }

  /** Rows visible and not deleted of slots {@code from} to {@code to}, exclusive. */
  public int liveCount(int from, int to) {
    int bound = Math.min(to, count());
    return from >= bound ? 0 : bound - from - state.publishedTombstones.deleted(from, bound);
  }

  /** Whether a visible slot's row was deleted or replaced. */
  public boolean isDeleted(int slot) {
    return state.publishedTombstones.isDeleted(checked(slot));
  }

  /** Slot of a numeric id that is visible and not deleted; -1 for none. */
  public int find(long numericId) {
    if (schema.idKind() != IdKind.NUMERIC) {
      throw new IllegalArgumentException("collection " + schema.name() + " has string ids");
    }
    int hash = IdIndex.hash(numericId);
    while (true) {
      int before = count();
      int slot = published(state.index.find(numericId, hash), before);
      if (slot < 0 || !state.publishedTombstones.isDeleted(slot)) {
        return slot;
      }
      if (count() == before) {
        return -1;
      }
    }
  }

  /** Slot of a string id that is visible and not deleted; -1 for none. */
  public int find(byte[] utf8, int from, int length) {
    if (schema.idKind() != IdKind.STRING) {
      throw new IllegalArgumentException("collection " + schema.name() + " has numeric ids");
    }
    int hash = IdIndex.hash(utf8, from, length);
    while (true) {
      int before = count();
      int slot = published(state.index.find(utf8, from, length, hash), before);
      if (slot < 0 || !state.publishedTombstones.isDeleted(slot)) {
        return slot;
      }
      if (count() == before) {
        return -1;
      }
    }
  }

  /** Slot of a string id that is visible and not deleted; -1 for none. */
  public int find(String id) {
    byte[] utf8 = id.getBytes(StandardCharsets.UTF_8);
    return find(utf8, 0, utf8.length);
  }

  /**
   * Walks from the newest slot of an id, which may not be published yet, to one that is.
   *
   * <p>If that one is deleted, the id was deleted, or replaced while we looked. A replacement moves
   * the count before it marks its predecessor, so with the count unmoved the id is gone, and
   * otherwise we look again.
   */
  private int published(int newest, int count) {
    int slot = newest;
    while (slot >= count) {
      slot = slots.previous(slot);
    }
    return slot;
  }

  /** Numeric id of a slot. */
  public long numericId(int slot) {
    return slots.id(checked(slot));
  }

  /** Bytes of a slot's string id. */
  public int stringIdLength(int slot) {
    return slots.heapLength(slots.id(checked(slot)));
  }

  /** Copies a slot's string id (UTF-8) to the heap; returns its length. */
  public int copyStringId(int slot, byte[] target, int from) {
    long offset = slots.id(checked(slot));
    int length = slots.heapLength(offset);
    Memory.read(slots.heapBytes(offset), target, from, length);
    return length;
  }

  private long stringIdAddress(int slot) {
    return slots.heapBytes(slots.id(checked(slot)));
  }

  /** A slot's string id. */
  public String stringId(int slot) {
    byte[] utf8 = new byte[stringIdLength(slot)];
    copyStringId(slot, utf8, 0);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** Orders two slots by id: numbers as unsigned, strings by their bytes; 0 for the same id. */
  public int compareIds(int slot, int other) {
    return switch (schema.idKind()) {
      case NUMERIC -> Long.compareUnsigned(numericId(slot), numericId(other));
      case STRING ->
          Memory.compare(
              stringIdAddress(slot),
              stringIdLength(slot),
              stringIdAddress(other),
              stringIdLength(other));
    };
  }

  /** Bytes of a slot's payload; 0 for none. */
  public int payloadLength(int slot) {
    long offset = slots.payload(checked(slot));
    return offset == 0 ? 0 : slots.heapLength(offset);
  }

  /** Copies a slot's payload to the heap; returns its length. */
  public int copyPayload(int slot, byte[] target, int from) {
    int length = payloadLength(slot);
    if (length > 0) {
      Memory.read(slots.heapBytes(slots.payload(slot)), target, from, length);
    }
    return length;
  }

  /** Address of a slot's payload; meaningless where its length is 0. */
  public long payloadAddress(int slot) {
    return slots.heapBytes(slots.payload(checked(slot)));
  }

  /** A slot's payload; empty for none. */
  public byte[] payload(int slot) {
    byte[] payload = new byte[payloadLength(slot)];
    copyPayload(slot, payload, 0);
    return payload;
  }

  /** Squared norm of a slot's vector, as its check computed it. */
  public float squaredNorm(int slot) {
    return slots.squaredNorm(checked(slot));
  }

  /** Log position of the write that stored a slot. */
  public long slotLsn(int slot) {
    return slots.lsn(checked(slot));
  }

  /** Whether a slot's row was appended as deferred: not to be found before it is indexed. */
  public boolean isDeferred(int slot) {
    return slots.isDeferred(checked(slot));
  }

  /** The slot that a deferred row replaced, live until then; -1 for none. */
  public int replacedByDeferred(int slot) {
    return slots.replacedByDeferred(checked(slot));
  }

  private int checked(int slot) {
    if (slot < 0 || slot >= count()) {
      throw new IndexOutOfBoundsException("slot=" + slot + ", count=" + count());
    }
    return slot;
  }

  /** Makes the slots below {@code count} visible, with all that was stored before. Log thread. */
  void publish(int count) {
    COUNT.setRelease(this, count);
  }

  /** Counts rows just marked deleted. Log thread. */
  void deleted(int more) {
    int before = deletedCount;
    deletedCount = before + more;
  }
}
