package io.omendb.client;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Vectors, row by row, where the caller has them: they are read when a message is made, and must
 * stay as they are until the call has ended.
 *
 * @param floats count × dimension of them, float32
 * @param order of their bytes
 * @param dimension components of a vector
 */
public record Vectors(MemorySegment floats, ByteOrder order, int dimension) {
  private static final ValueLayout.OfFloat ON_WIRE =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Checks that it is a whole number of vectors. */
  public Vectors {
    if (dimension < 1 || floats.byteSize() % rowBytes(dimension) != 0) {
      throw new IllegalArgumentException(
          "floats is %d bytes, expected whole vectors of dimension=%d"
              .formatted(floats.byteSize(), dimension));
    }
  }

  /** Row-major, {@code count × dimension}. */
  public static Vectors of(float[] rowMajor, int dimension) {
    return of(MemorySegment.ofArray(rowMajor), dimension);
  }

  /** What is between position and limit. */
  public static Vectors of(FloatBuffer buffer, int dimension) {
    return new Vectors(MemorySegment.ofBuffer(buffer), buffer.order(), dimension);
  }

  /** A segment in the byte order of this machine, on or off the heap. */
  public static Vectors of(MemorySegment floats, int dimension) {
    return new Vectors(floats, ByteOrder.nativeOrder(), dimension);
  }

  /** One vector. */
  public static Vectors of(float... vector) {
    return of(vector, vector.length);
  }

  /** How many. */
  public int count() {
    return Math.toIntExact(floats.byteSize() / rowBytes(dimension));
  }

  /** Some of them, in a row. */
  public Vectors slice(int from, int to) {
    long stride = rowBytes(dimension);
    return new Vectors(floats.asSlice(from * stride, (to - from) * stride), order, dimension);
  }

  /** Copies them into a message. */
  void copyTo(byte[] message, int offset) {
    MemorySegment.copy(
        floats,
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order),
        0,
        MemorySegment.ofArray(message),
        ON_WIRE,
        offset,
        floats.byteSize() / Float.BYTES);
  }

  private static long rowBytes(int dimension) {
    return (long) dimension * Float.BYTES;
  }
}
