package io.omendb.engine;

import io.omendb.storage.api.RowSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Rows on the heap. */
final class TestRows implements RowSource {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final byte[] NOTHING = {};

  private final List<Long> ids = new ArrayList<>();
  private final List<byte[]> stringIds = new ArrayList<>();
  private final List<float[]> vectors = new ArrayList<>();
  private final List<byte[]> payloads = new ArrayList<>();

  /** Ids {@code firstId}, {@code firstId + 1}, … for the vectors {@code from} … {@code to - 1}. */
  static TestRows of(float[][] vectors, int from, int to, long firstId) {
    TestRows rows = new TestRows();
    for (int i = from; i < to; i++) {
      rows.add(firstId + i - from, vectors[i]);
    }
    return rows;
  }

  /** The id of each vector is its index. */
  static TestRows of(float[][] vectors) {
    return of(vectors, 0, vectors.length, 0);
  }

  TestRows add(long id, float... vector) {
    return add(id, NOTHING, NOTHING, vector);
  }

  TestRows addWithPayload(long id, byte[] payload, float... vector) {
    return add(id, NOTHING, payload, vector);
  }

  TestRows addString(String id, byte[] payload, float... vector) {
    return add(0, id.getBytes(StandardCharsets.UTF_8), payload, vector);
  }

  private TestRows add(long id, byte[] stringId, byte[] payload, float[] vector) {
    ids.add(id);
    stringIds.add(stringId);
    vectors.add(vector);
    payloads.add(payload);
    return this;
  }

  @Override
  public int count() {
    return ids.size();
  }

  @Override
  public void copyVectors(int from, int n, MemorySegment target, long at, int stride) {
    for (int i = 0; i < n; i++) {
      float[] vector = vectors.get(from + i);
      for (int d = 0; d < vector.length; d++) {
        target.set(FLOAT, at + (long) i * stride + 4L * d, vector[d]);
      }
    }
  }

  @Override
  public long numericId(int row) {
    return ids.get(row);
  }

  @Override
  public int stringIdLength(int row) {
    return stringIds.get(row).length;
  }

  @Override
  public void copyStringId(int row, MemorySegment target, long at) {
    byte[] utf8 = stringIds.get(row);
    MemorySegment.copy(utf8, 0, target, ValueLayout.JAVA_BYTE, at, utf8.length);
  }

  @Override
  public int payloadLength(int row) {
    return payloads.get(row).length;
  }

  @Override
  public void copyPayload(int row, MemorySegment target, long at) {
    byte[] payload = payloads.get(row);
    MemorySegment.copy(payload, 0, target, ValueLayout.JAVA_BYTE, at, payload.length);
  }
}
