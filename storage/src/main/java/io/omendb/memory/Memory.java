package io.omendb.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Unchecked access to native memory by absolute address; little-endian, any alignment.
 *
 * <p>All native access of the hot paths goes through the one segment {@link #ALL}: with a single
 * segment class the JIT keeps one profile (mapped and native segments mixed made every kernel 2–3×
 * slower). It checks neither bounds nor liveness. Callers turn only checked ordinals into addresses
 * and hold a lease on what is mapped.
 */
public final class Memory {
  /** The whole address space as one segment. */
  @SuppressWarnings("restricted") // Unchecked on purpose; see above.
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /** Bytes that the processor loads at once, on every processor this runs on. */
  public static final int CACHE_LINE = 64;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Memory() {}

  /** Reads one byte. */
  public static byte getByte(long address) {
    return ALL.get(ValueLayout.JAVA_BYTE, address);
  }

  /** Writes one byte. */
  public static void putByte(long address, byte value) {
    ALL.set(ValueLayout.JAVA_BYTE, address, value);
  }

  /** Reads an int16. */
  public static short getShort(long address) {
    return ALL.get(SHORT, address);
  }

  /** Writes an int16. */
  public static void putShort(long address, short value) {
    ALL.set(SHORT, address, value);
  }

  /** Reads an int32. */
  public static int getInt(long address) {
    return ALL.get(INT, address);
  }

  /** Writes an int32. */
  public static void putInt(long address, int value) {
    ALL.set(INT, address, value);
  }

  /** Reads an int64. */
  public static long getLong(long address) {
    return ALL.get(LONG, address);
  }

  /** Writes an int64. */
  public static void putLong(long address, long value) {
    ALL.set(LONG, address, value);
  }

  /** Reads a float32. */
  public static float getFloat(long address) {
    return ALL.get(FLOAT, address);
  }

  /** Writes a float32. */
  public static void putFloat(long address, float value) {
    ALL.set(FLOAT, address, value);
  }

  /**
   * Reads a byte of each cache line of a range. In a pass of its own over many ranges the loads
   * overlap: the prefetch that Java lacks.
   *
   * @return a value without meaning, to be kept so that the loads are
   */
  public static int touch(long address, int bytes) {
    int touched = 0;
    for (int line = 0; line < bytes; line += CACHE_LINE) {
      touched += getByte(address + line);
    }
    return touched;
  }

  /** A native range with bounds, for whoever is not trusted with addresses. */
  public static MemorySegment slice(long address, long bytes) {
    return ALL.asSlice(address, bytes);
  }

  /** Whether two native ranges hold the same bytes. */
  public static boolean equal(long a, long b, long bytes) {
    return slice(a, bytes).mismatch(slice(b, bytes)) < 0;
  }

  /** Orders two native ranges by their bytes, as unsigned; a prefix comes first. */
  public static int compare(long a, int aBytes, long b, int bBytes) {
    for (int i = 0; i < Math.min(aBytes, bBytes); i++) {
      int order = Byte.compareUnsigned(getByte(a + i), getByte(b + i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(aBytes, bBytes);
  }

  /** Copies between native ranges, which may overlap. */
  public static void copy(long source, long target, long bytes) {
    MemorySegment.copy(ALL, source, ALL, target, bytes);
  }

  /** Fills a native range. */
  public static void fill(long address, long bytes, byte value) {
    ALL.asSlice(address, bytes).fill(value);
  }

  /** Copies native bytes to the heap. */
  public static void read(long address, byte[] target, int from, int length) {
    MemorySegment.copy(ALL, ValueLayout.JAVA_BYTE, address, target, from, length);
  }

  /** Copies heap bytes to native memory. */
  public static void write(byte[] source, int from, long address, int length) {
    MemorySegment.copy(source, from, ALL, ValueLayout.JAVA_BYTE, address, length);
  }

  /** Reads float32 values to the heap. */
  public static void readFloats(long address, float[] target, int from, int length) {
    MemorySegment.copy(ALL, FLOAT, address, target, from, length);
  }

  /** Writes float32 values from the heap. */
  public static void writeFloats(float[] source, int from, long address, int length) {
    MemorySegment.copy(source, from, ALL, FLOAT, address, length);
  }

  /** Reads int32 values to the heap. */
  public static void readInts(long address, int[] target, int from, int length) {
    MemorySegment.copy(ALL, INT, address, target, from, length);
  }

  /** Writes int32 values from the heap. */
  public static void writeInts(int[] source, int from, long address, int length) {
    MemorySegment.copy(source, from, ALL, INT, address, length);
  }
}
