package io.omendb.loadtest.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * For each query the rows of its exact nearest neighbours, nearest first. As a file, {@code
 * .ivecs}: for each query {@code int32 k | int32 row × k}, little-endian.
 */
public final class Neighbours {

  private final int[] rows;
  private final int k;

  /** Takes the array over: k rows for each query, one query behind the other. */
  public Neighbours(int[] rows, int k) {
    if (k < 1 || rows.length % k != 0) {
      throw new IllegalArgumentException("rows=" + rows.length + ", k=" + k);
    }
    this.rows = rows;
    this.k = k;
  }

  /** Reads an {@code .ivecs} file. */
  public static Neighbours read(Path path) throws IOException {
    int k;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      k = VecsHeader.dimension(path, channel);
      VecsHeader.rows(path, channel, (k + 1L) * Integer.BYTES);
    }
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    int[] rows = new int[file.capacity() / Integer.BYTES / (k + 1) * k];
    for (int i = 0; i < rows.length; i++) {
      if (i % k == 0 && file.getInt() != k) {
        throw new IOException(path + ": the lists differ in length, expected " + k + " each");
      }
      rows[i] = file.getInt();
    }
    return new Neighbours(rows, k);
  }

  /** Writes an {@code .ivecs} file. */
  public void write(Path path) throws IOException {
    ByteBuffer file =
        ByteBuffer.allocate((rows.length + queries()) * Integer.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < rows.length; i++) {
      if (i % k == 0) {
        file.putInt(k);
      }
      file.putInt(rows[i]);
    }
    Files.write(path, file.array());
  }

  /** Number of queries. */
  public int queries() {
    return rows.length / k;
  }

  /** Neighbours a query. */
  public int k() {
    return k;
  }

  /** The {@code rank}-th nearest row of a query; rank 0 is the nearest. */
  public int row(int query, int rank) {
    return rows[query * k + rank];
  }

  /** Whether these can be the answers to so many queries over so many rows. */
  public boolean fits(int queryCount, int rowCount, int neighbours) {
    if (queries() < queryCount || k < neighbours) {
      return false;
    }
    for (int query = 0; query < queryCount; query++) {
      for (int rank = 0; rank < neighbours; rank++) {
        int row = row(query, rank);
        if (row < 0 || row >= rowCount) {
          return false;
        }
      }
    }
    return true;
  }
}
