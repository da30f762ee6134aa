package io.omendb.storage.row;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.RowSource;
import io.omendb.storage.api.WriteLimits;
import io.omendb.storage.api.WriteMode;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What is to become of each row of a write, worked out before anything is copied: which rows apply,
 * which slot each replaces, and how much heap they take. One per collection, used under its write
 * lock; its arrays are reused.
 */
public final class WritePlan implements AutoCloseable {
  private static final long MAX_ID_BYTES = 256L << 20;

  private final SlotTable slots;
  private final IdIndex index;
  private final Tombstones tombstones;
  private final boolean strings;

  /** String ids of the write, staged so that they can be compared before they are stored. */
  private final AddressSpace stagedIds = AddressSpace.reserve(MAX_ID_BYTES);

  private long[] ids = new long[0];
  private int[] idLengths = new int[0];
  private int[] hashes = new int[0];
  private int[] previous = new int[0];
  private int[] rows = new int[0];
  private boolean[] replacing = new boolean[0];
  private int[] places = new int[placesFor(0)];
  private int applied;
  private int inserted;
  private long heapBytes;

  public WritePlan(SlotTable slots, IdIndex index, Tombstones tombstones, IdKind kind) {
    this.slots = slots;
    this.index = index;
    this.tombstones = tombstones;
    this.strings = kind == IdKind.STRING;
  }

  /** Rows that apply. */
  public int applied() {
    return applied;
  }

  /** Applied rows whose id is new. */
  public int inserted() {
    return inserted;
  }

  /** Heap bytes that the applied rows take. */
  public long heapBytes() {
    return heapBytes;
  }

  /** Row of the source that is applied {@code i}-th. */
  public int row(int i) {
    return rows[i];
  }

  public int hash(int i) {
    return hashes[rows[i]];
  }

  /** Slot that held the id of the {@code i}-th applied row, or -1. */
  public int previous(int i) {
    return previous[i];
  }

  /** Numeric id, or address of the staged string id, of a row. */
  long id(int row) {
    return ids[row];
  }

  int idLength(int row) {
    return idLengths[row];
  }

  /** Works out a write whose first applied row takes {@code firstSlot}. */
  public void resolve(RowSource source, WriteMode mode, int firstSlot, AppendResult result) {
    int count = source.count();
    makeRoom(count);
    stageIds(source, count);
    applied = 0;
    inserted = 0;
    heapBytes = 0;
    int mask = placesFor(count) - 1;
    Arrays.fill(places, 0, mask + 1, 0);
    for (int row = 0; row < count; row++) {
      int place = placeOf(row, mask);
      boolean repeated = places[place] != 0;
      int before = repeated ? firstSlot + places[place] - 1 : newest(row);
      boolean exists = repeated || (before >= 0 && !tombstones.isDeleted(before));
      if ((mode == WriteMode.INSERT_ONLY && exists) || (mode == WriteMode.UPDATE_ONLY && !exists)) {
        result.addConflict(row);
        continue;
      }
      previous[applied] = before;
      rows[applied] = row;
      replacing[applied] = exists;
      applied++;
      places[place] = applied;
      inserted += exists ? 0 : 1;
      heapBytes += heapBytes(source, row);
    }
  }

  /** Newest slot of a row's id, whatever its state; -1 for none. */
  private int newest(int row) {
    return strings
        ? index.find(ids[row], idLengths[row], hashes[row])
        : index.find(ids[row], hashes[row]);
  }

  /**
   * Place of a row's id in the table of this write: holds 1 + the applied index of the last row
   * with that id, or 0.
   */
  private int placeOf(int row, int mask) {
    int place = hashes[row] & mask;
    while (places[place] != 0 && !sameId(rows[places[place] - 1], row)) {
      place = (place + 1) & mask;
    }
    return place;
  }

  private boolean sameId(int a, int b) {
    if (!strings) {
      return ids[a] == ids[b];
    }
    return hashes[a] == hashes[b]
        && idLengths[a] == idLengths[b]
        && Memory.equal(ids[a], ids[b], idLengths[a]);
  }

  private void stageIds(RowSource source, int count) {
    if (!strings) {
      for (int row = 0; row < count; row++) {
        ids[row] = source.numericId(row);
        hashes[row] = IdIndex.hash(ids[row]);
      }
      return;
    }
    MemorySegment target = Memory.slice(stagedIds.address(), MAX_ID_BYTES);
    long at = 0;
    for (int row = 0; row < count; row++) {
      int length = source.stringIdLength(row);
      if (length < 1 || length > WriteLimits.MAX_STRING_ID_BYTES) {
        throw new IllegalArgumentException(
            "row "
                + row
                + ": string id of "
                + length
                + " bytes, expected 1.."
                + WriteLimits.MAX_STRING_ID_BYTES);
      }
      stagedIds.commit(at + length);
      ids[row] = stagedIds.address() + at;
      idLengths[row] = length;
      source.copyStringId(row, target, at);
      hashes[row] = IdIndex.hash(ids[row], length);
      at += length;
    }
  }

  private long heapBytes(RowSource source, int row) {
    int payload = source.payloadLength(row);
    if (payload > WriteLimits.MAX_PAYLOAD_BYTES) {
      throw new IllegalArgumentException(
          "row "
              + row
              + ": payload of "
              + payload
              + " bytes, expected 0.."
              + WriteLimits.MAX_PAYLOAD_BYTES);
    }
    return (strings ? RowLayout.heapEntryBytes(idLengths[row]) : 0)
        + (payload > 0 ? RowLayout.heapEntryBytes(payload) : 0);
  }

  private void makeRoom(int count) {
    if (ids.length >= count) {
      return;
    }
    int size = Math.max(count, 2 * ids.length);
    ids = new long[size];
    idLengths = new int[size];
    hashes = new int[size];
    previous = new int[size];
    rows = new int[size];
    replacing = new boolean[size];
    places = new int[placesFor(size)];
  }

  /**
   * Size of the write's own table: a power of two, at most half full. A small write clears little.
   */
  private static int placesFor(int count) {
    return Integer.highestOneBit(Math.max(count, 4)) * 4;
  }

  /**
   * Stores string ids, payloads and rows of the applied rows.
   *
   * @param deferred whether they are not to be found before they are indexed
   */
  public void store(
      RowSource source,
      int firstSlot,
      long lsn,
      boolean deferred,
      long heapFrom,
      float[] squaredNorms) {
    MemorySegment target = Memory.slice(slots.heapAt(heapFrom), heapBytes);
    long heap = heapFrom;
    for (int i = 0; i < applied; i++) {
      int row = rows[i];
      long id = ids[row];
      if (strings) {
        slots.putHeapLength(heap, idLengths[row]);
        Memory.copy(ids[row], slots.heapBytes(heap), idLengths[row]);
        id = heap;
        heap += RowLayout.heapEntryBytes(idLengths[row]);
      }
      long payload = 0;
      int payloadLength = source.payloadLength(row);
      if (payloadLength > 0) {
        slots.putHeapLength(heap, payloadLength);
        source.copyPayload(row, target, slots.heapBytes(heap) - slots.heapAt(heapFrom));
        payload = heap;
        heap += RowLayout.heapEntryBytes(payloadLength);
      }
      long marks = !deferred ? 0 : RowLayout.DEFERRED | (replacing[i] ? RowLayout.REPLACING : 0);
      slots.putRow(firstSlot + i, id, marks | lsn, payload, previous[i], squaredNorms[i]);
    }
  }

  @Override
  public void close() {
    stagedIds.close();
  }
}
