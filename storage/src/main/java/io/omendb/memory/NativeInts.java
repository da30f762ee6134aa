package io.omendb.memory;

/**
 * An array of int32 off the heap, zero at first: for what is as long as a collection, of which the
 * heap holds none.
 *
 * <p>As with an array, different elements may be written by different threads. After {@link #close}
 * any access kills the process.
 */
public final class NativeInts implements AutoCloseable {
  private final AddressSpace space;
  private final long address;
  private final long length;

  /** An array of so many. */
  public NativeInts(long length) {
    this.length = length;
    this.space = AddressSpace.reserve(Math.max(1, length * Integer.BYTES));
    space.commit(length * Integer.BYTES);
    this.address = space.address();
  }

  /** How many there are. */
  public long length() {
    return length;
  }

  /** Reads one. */
  public int get(long index) {
    assert index >= 0 && index < length : index + " of " + length;
    return Memory.getInt(address + index * Integer.BYTES);
  }

  /** Writes one. */
  public void set(long index, int value) {
    assert index >= 0 && index < length : index + " of " + length;
    Memory.putInt(address + index * Integer.BYTES, value);
  }

  /** Adds to one. */
  public void add(long index, int delta) {
    set(index, get(index) + delta);
  }

  @Override
  public void close() {
    space.close();
  }
}
