package io.omendb.loadtest.bench;

import io.omendb.loadtest.data.Vectors;
import io.omendb.storage.api.RowSource;
import java.lang.foreign.MemorySegment;

/** Consecutive rows of a set, as the engine takes them; a row's number is its id. */
final class DatasetRows implements RowSource {

  private final Vectors vectors;
  private int first;
  private int count;

  DatasetRows(Vectors vectors) {
    this.vectors = vectors;
  }

  /** The next block. */
  void set(int first, int count) {
    this.first = first;
    this.count = count;
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public void copyVectors(int from, int n, MemorySegment target, long at, int stride) {
    vectors.copy(first + from, n, target, at, stride);
  }

  @Override
  public long numericId(int row) {
    return (long) first + row;
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
    return 0;
  }

  @Override
  public void copyPayload(int row, MemorySegment target, long at) {
    throw new UnsupportedOperationException("there are no payloads");
  }
}
