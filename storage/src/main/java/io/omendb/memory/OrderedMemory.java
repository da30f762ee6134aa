package io.omendb.memory;

import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Acquire and release access to native memory by absolute address, for what one thread publishes
 * and others read without a lock. Addresses are aligned to the size of the value; little-endian.
 */
public final class OrderedMemory {
  private static final VarHandle LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private static final VarHandle INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

  private OrderedMemory() {}

  /** Reads an int64; what its writer stored before the release is visible afterwards. */
  public static long getLongAcquire(long address) {
    return (long) LONG.getAcquire(Memory.ALL, address);
  }

  /** Sets bits of an int32, of which other threads may set others meanwhile. */
  public static void setBits(long address, int bits) {
    int unused = (int) INT.getAndBitwiseOr(Memory.ALL, address, bits);
  }

  /** Writes an int64; what this thread stored before is visible to who acquires it. */
  public static void putLongRelease(long address, long value) {
    LONG.setRelease(Memory.ALL, address, value);
  }
}
