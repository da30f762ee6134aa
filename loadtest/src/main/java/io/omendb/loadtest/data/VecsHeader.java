package io.omendb.loadtest.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** What every file of the TEXMEX family begins with, and what its length must be. */
final class VecsHeader {

  /** Greatest dimension taken for true; a larger one says that the file is of another kind. */
  private static final int DIMENSION_MAX = 1 << 16;

  private VecsHeader() {}

  /** The dimension, which stands before the first row. */
  static int dimension(Path path, FileChannel channel) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    if (channel.read(header, 0) < Integer.BYTES) {
      throw new IOException(path + " is empty");
    }
    int dimension = header.getInt(0);
    if (dimension < 1 || dimension > DIMENSION_MAX) {
      throw new IOException(path + ": dimension=" + dimension + ", expected 1 to " + DIMENSION_MAX);
    }
    return dimension;
  }

  /** The number of rows, which must be whole. */
  static int rows(Path path, FileChannel channel, long rowBytes) throws IOException {
    long size = channel.size();
    if (size % rowBytes != 0) {
      throw new IOException(
          path + ": size=" + size + " bytes, expected a multiple of " + rowBytes + " bytes a row");
    }
    return Math.toIntExact(size / rowBytes);
  }
}
