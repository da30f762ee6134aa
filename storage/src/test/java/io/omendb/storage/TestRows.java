package io.omendb.storage;

import io.omendb.memory.Memory;
import io.omendb.storage.api.RowCheck;
import io.omendb.storage.api.RowSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Rows on the heap; every vector and payload follows from its id and version. */
final class TestRows implements RowSource {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final class Row {
    final long id;
    final byte[] stringId;
    final int version;
    final byte[] payload;

    Row(long id, byte[] stringId, int version, byte[] payload) {
      this.id = id;
      this.stringId = stringId;
      this.version = version;
      this.payload = payload;
    }
  }

  private final int dimension;
  private final List<Row> rows = new ArrayList<>();

  TestRows(int dimension) {
    this.dimension = dimension;
  }

  static TestRows range(int dimension, long from, int count, int version) {
    TestRows rows = new TestRows(dimension);
    for (int i = 0; i < count; i++) {
      rows.add(from + i, version);
    }
    return rows;
  }

  TestRows add(long id, int version) {
    rows.add(new Row(id, stringId(id).getBytes(StandardCharsets.UTF_8), version, new byte[0]));
    return this;
  }

  TestRows addWithPayload(long id, int version) {
    byte[] utf8 = stringId(id).getBytes(StandardCharsets.UTF_8);
    rows.add(new Row(id, utf8, version, payload(id, version)));
    return this;
  }

  static String stringId(long id) {
    return "id-" + id + "-é".repeat((int) (id % 5));
  }

  /** Adds a row with this payload. */
  void addWithPayload(long id, byte[] payload) {
    rows.add(new Row(id, ("id-" + id).getBytes(StandardCharsets.UTF_8), 1, payload));
  }

  static byte[] payload(long id, int version) {
    return ("payload " + id + " " + version + "x".repeat((int) (id % 13)))
        .getBytes(StandardCharsets.UTF_8);
  }

  static float component(long id, int version, int index) {
    return id * 0.5f + version * 1000f + index;
  }

  static float norm(long id, int version) {
    return component(id, version, 0);
  }

  /** Accepts all rows; the "norm" is the first component, so that a mix-up shows. */
  static final RowCheck CHECK =
      (address, stride, n, norms) -> {
        for (int i = 0; i < n; i++) {
          norms[i] = Memory.getFloat(address + (long) i * stride);
        }
      };

  @Override
  public int count() {
    return rows.size();
  }

  @Override
  public void copyVectors(int from, int n, MemorySegment target, long at, int stride) {
    for (int i = 0; i < n; i++) {
      Row row = rows.get(from + i);
      for (int d = 0; d < dimension; d++) {
        target.set(FLOAT, at + (long) i * stride + 4L * d, component(row.id, row.version, d));
      }
    }
  }

  @Override
  public long numericId(int row) {
    return rows.get(row).id;
  }

  @Override
  public int stringIdLength(int row) {
    return rows.get(row).stringId.length;
  }

  @Override
  public void copyStringId(int row, MemorySegment target, long at) {
    byte[] utf8 = rows.get(row).stringId;
    MemorySegment.copy(utf8, 0, target, ValueLayout.JAVA_BYTE, at, utf8.length);
  }

  @Override
  public int payloadLength(int row) {
    return rows.get(row).payload.length;
  }

  @Override
  public void copyPayload(int row, MemorySegment target, long at) {
    byte[] payload = rows.get(row).payload;
    MemorySegment.copy(payload, 0, target, ValueLayout.JAVA_BYTE, at, payload.length);
  }
}
