package io.omendb.storage.row;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.OrderedMemory;
import io.omendb.storage.api.IdKind;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/**
 * Id → newest slot: an open-addressing table off the heap. Derived from the rows, rebuilt at open.
 *
 * <pre>
 *   entry u64:   hash u32 (high) | slot + 1 u32 (low);   0 = empty
 * </pre>
 *
 * <p>The place of an entry is the low bits of its hash, so a table grows without reading a row. The
 * id itself is not here: a matching hash is confirmed by the row. Hashes are of this process alone:
 * a client that chooses its ids cannot make them meet.
 *
 * <p>Publication: the row first, then the entry by release; readers acquire it. A growing table is
 * filled aside and then published by one volatile store; its predecessor lives until close, because
 * readers may still be in it (all predecessors together are no larger than the table). Entries are
 * replaced, never removed, so a probe ends at an empty place.
 */
public final class IdIndex implements AutoCloseable {
  private static final int SMALLEST = 1 << 10;
  private static final long SEED = new SecureRandom().nextLong();

  /**
   * @param bytesInAll of it and its predecessors
   */
  private record Table(AddressSpace space, long address, int mask, long bytesInAll) {
    static Table of(int capacity, long bytesBefore) {
      AddressSpace space = AddressSpace.reserve(tableBytes(capacity));
      space.commit(tableBytes(capacity));
      return new Table(space, space.address(), capacity - 1, bytesBefore + tableBytes(capacity));
    }

    long place(int index) {
      return address + (index & mask) * 8L;
    }
  }

  private final SlotTable slots;
  private final boolean strings;
  private final List<Table> retired = new ArrayList<>();
  private volatile Table table = Table.of(SMALLEST, 0);
  private int size;

  public IdIndex(SlotTable slots, IdKind kind) {
    this.slots = slots;
    this.strings = kind == IdKind.STRING;
  }

  /** Newest slot of a numeric id, published or not, deleted or not; -1 for none. Any thread. */
  public int find(long id, int hash) {
    Table current = table;
    for (int index = hash; ; index++) {
      long entry = OrderedMemory.getLongAcquire(current.place(index));
      if (entry == 0) {
        return -1;
      }
      if ((int) (entry >>> 32) == hash && slots.id(slot(entry)) == id) {
        return slot(entry);
      }
    }
  }

  /** The same for a string id in native memory. */
  public int find(long address, int length, int hash) {
    Table current = table;
    for (int index = hash; ; index++) {
      long entry = OrderedMemory.getLongAcquire(current.place(index));
      if (entry == 0) {
        return -1;
      }
      if ((int) (entry >>> 32) == hash && sameString(slot(entry), address, length)) {
        return slot(entry);
      }
    }
  }

  /** The same for a string id on the heap. */
  public int find(byte[] utf8, int from, int length, int hash) {
    Table current = table;
    for (int index = hash; ; index++) {
      long entry = OrderedMemory.getLongAcquire(current.place(index));
      if (entry == 0) {
        return -1;
      }
      if ((int) (entry >>> 32) == hash && sameString(slot(entry), utf8, from, length)) {
        return slot(entry);
      }
    }
  }

  /** Makes room for {@code more} new ids. Writer only. */
  public void ensure(int more) {
    long wanted = size + (long) more;
    long capacity = capacityFor(wanted);
    if (capacity <= table.mask() + 1L) {
      return;
    }
    if (capacity > 1 << 30) {
      throw new IllegalStateException("too many ids: " + wanted);
    }
    grow((int) capacity);
  }

  /** Places of a table of so many ids: at most half of them are taken. */
  private static long capacityFor(long ids) {
    return Math.max(SMALLEST, Long.highestOneBit(Math.max(1, 2 * ids - 1)) * 2);
  }

  private static long tableBytes(long capacity) {
    return capacity * Long.BYTES;
  }

  /** Bytes of the index of so many ids that came little by little, its predecessors included. */
  public static long bytesFor(long ids) {
    return 2 * tableBytes(capacityFor(ids)) - tableBytes(SMALLEST);
  }

  /** Bytes of memory in use. Any thread. */
  public long bytes() {
    return table.bytesInAll();
  }

  /** Makes {@code slot}, whose row is stored, the newest of its id. Writer only, after ensure. */
  public void put(int slot, int hash, int previous) {
    Table current = table;
    long entry = ((long) hash << 32) | (slot + 1L);
    for (int index = hash; ; index++) {
      long place = current.place(index);
      long found = Memory.getLong(place);
      if (found == 0) {
        size++;
      } else if ((int) (found >>> 32) != hash || slot(found) != previous) {
        continue;
      }
      OrderedMemory.putLongRelease(place, entry);
      return;
    }
  }

  /** Hash of a stored row's id. */
  public int hashOf(int slot) {
    long id = slots.id(slot);
    return strings ? hash(slots.heapBytes(id), slots.heapLength(id)) : hash(id);
  }

  int size() {
    return size;
  }

  /** Hash of a numeric id: seeded, then the finalizer of SplitMix64. */
  public static int hash(long id) {
    long h = id ^ SEED;
    h = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
    h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
    return (int) (h ^ (h >>> 31));
  }

  /** Hash of a string id in native memory: FNV-1a from a seeded basis, then mixed. */
  public static int hash(long address, int length) {
    long h = 0xCBF29CE484222325L ^ SEED;
    for (int i = 0; i < length; i++) {
      h = (h ^ (Memory.getByte(address + i) & 0xFF)) * 0x100000001B3L;
    }
    return hash(h);
  }

  /** The same hash of a string id on the heap. */
  public static int hash(byte[] utf8, int from, int length) {
    long h = 0xCBF29CE484222325L ^ SEED;
    for (int i = 0; i < length; i++) {
      h = (h ^ (utf8[from + i] & 0xFF)) * 0x100000001B3L;
    }
    return hash(h);
  }

  private static int slot(long entry) {
    return (int) entry - 1;
  }

  private boolean sameString(int slot, long address, int length) {
    long offset = slots.id(slot);
    return slots.heapLength(offset) == length
        && Memory.equal(slots.heapBytes(offset), address, length);
  }

  private boolean sameString(int slot, byte[] utf8, int from, int length) {
    long offset = slots.id(slot);
    if (slots.heapLength(offset) != length) {
      return false;
    }
    long address = slots.heapBytes(offset);
    for (int i = 0; i < length; i++) {
      if (Memory.getByte(address + i) != utf8[from + i]) {
        return false;
      }
    }
    return true;
  }

  private void grow(int capacity) {
    Table old = table;
    Table next = Table.of(capacity, old.bytesInAll());
    for (int i = 0; i <= old.mask(); i++) {
      long entry = Memory.getLong(old.place(i));
      if (entry == 0) {
        continue;
      }
      int index = (int) (entry >>> 32);
      while (Memory.getLong(next.place(index)) != 0) {
        index++;
      }
      Memory.putLong(next.place(index), entry);
    }
    retired.add(old);
    table = next;
  }

  @Override
  public void close() {
    table.space().close();
    retired.forEach(old -> old.space().close());
  }
}
