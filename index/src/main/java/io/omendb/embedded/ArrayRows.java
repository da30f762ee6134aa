package io.omendb.embedded;

import io.omendb.storage.api.RowSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Some rows of arrays.
 *
 * @param vectors row-major
 * @param payloads one a row
 * @param first of the rows
 * @param count of them
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record ArrayRows(
    long[] ids, float[] vectors, byte[][] payloads, int dimension, int first, int count)
    implements RowSource {
  private static final ValueLayout.OfFloat STORED =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public void copyVectors(int from, int n, MemorySegment target, long at, int stride) {
    for (int i = 0; i < n; i++) {
      int row = (first + from + i) * dimension;
      MemorySegment.copy(vectors, row, target, STORED, at + (long) i * stride, dimension);
    }
  }

  @Override
  public long numericId(int row) {
    return ids[first + row];
  }

  @Override
  public int stringIdLength(int row) {
    throw new UnsupportedOperationException("ids are numbers");
  }

  @Override
  public void copyStringId(int row, MemorySegment target, long at) {
    throw new UnsupportedOperationException("ids are numbers");
  }

  @Override
  public int payloadLength(int row) {
    return payloads.length == 0 ? 0 : payloads[first + row].length;
  }

  @Override
  public void copyPayload(int row, MemorySegment target, long at) {
    byte[] payload = payloads[first + row];
    MemorySegment.copy(payload, 0, target, ValueLayout.JAVA_BYTE, at, payload.length);
  }
}
