package io.omendb.storage.row;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;

/**
 * One bit a slot: set when its row is deleted. Off-heap; one writer, readers on any thread, who see
 * a bit once they have seen what was published after it.
 */
public final class Tombstones implements AutoCloseable {
  private final AddressSpace space;
  private final long address;
  private int deleted;

  public Tombstones(int maxSlots) {
    space = AddressSpace.reserve(bytesFor(maxSlots));
    address = space.address();
  }

  /** Bytes of a bitmap, in whole words. */
  public static long bytesFor(int slots) {
    return (slots + 63L) / 64 * 8;
  }

  /** Makes room for slots below {@code count}. */
  public void ensure(int count) {
    space.commit(bytesFor(count));
  }

  public boolean isDeleted(int slot) {
    return ((Memory.getLong(address + (slot >>> 6) * 8L) >>> slot) & 1) != 0;
  }

  /** Sets a bit; false if it was set. */
  public boolean markDeleted(int slot) {
    long word = address + (slot >>> 6) * 8L;
    long bits = Memory.getLong(word);
    if (((bits >>> slot) & 1) != 0) {
      return false;
    }
    Memory.putLong(word, bits | (1L << slot));
    deleted++;
    return true;
  }

  /** Bits set; for the writer. */
  public int deleted() {
    return deleted;
  }

  /** Bits set of slots {@code from} to {@code to}, exclusive; both have been made room for. */
  public int deleted(int from, int to) {
    if (from >= to) {
      return 0;
    }
    int first = from >>> 6;
    int last = (to - 1) >>> 6;
    int count = 0;
    for (int word = first; word <= last; word++) {
      long bits = Memory.getLong(address + word * 8L);
      if (word == first) {
        bits &= -1L << from;
      }
      if (word == last) {
        bits &= -1L >>> -to;
      }
      count += Long.bitCount(bits);
    }
    return count;
  }

  /** Address of the bits, for slots made room for. */
  public long address() {
    return address;
  }

  /** Replaces the bits of the first {@code count} slots. */
  void load(long source, int count) {
    ensure(count);
    Memory.copy(source, address, bytesFor(count));
    deleted = 0;
    for (long at = 0; at < bytesFor(count); at += 8) {
      deleted += Long.bitCount(Memory.getLong(address + at));
    }
  }

  public void copyFrom(Tombstones other, int count) {
    load(other.address, count);
  }

  @Override
  public void close() {
    space.close();
  }
}
