package io.omendb.loadtest.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/**
 * A file of the TEXMEX family. Each row is its dimension and then its components, little-endian:
 *
 * <pre>
 *   .fvecs   int32 dimension | float32 × dimension
 *   .bvecs   int32 dimension | uint8   × dimension
 * </pre>
 *
 * <p>Rows are read when they are asked for, with {@code pread}: neither the heap nor a mapping
 * holds the file, so that a set of any size leaves the memory that is measured alone.
 */
public final class VectorFile implements Vectors, AutoCloseable {

  private static final ValueLayout.OfFloat FLOAT_LE =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Bytes read at a time, unless one row is longer. */
  private static final int BLOCK_BYTES = 1 << 18;

  private final Path path;
  private final FileChannel channel;
  private final boolean bytes;
  private final int dimension;
  private final int count;
  private final ThreadLocal<ByteBuffer> block;

  private VectorFile(Path path, FileChannel channel, boolean bytes, int dimension, int count) {
    this.path = path;
    this.channel = channel;
    this.bytes = bytes;
    this.dimension = dimension;
    this.count = count;
    int rowBytes = rowBytes();
    int blockBytes = Math.max(1, BLOCK_BYTES / rowBytes) * rowBytes;
    this.block =
        ThreadLocal.withInitial(
            () -> ByteBuffer.allocateDirect(blockBytes).order(ByteOrder.LITTLE_ENDIAN));
  }

  /** Opens a file whole. */
  public static VectorFile open(Path path) throws IOException {
    return open(path, Integer.MAX_VALUE);
  }

  /**
   * Opens the first {@code limit} rows of a file.
   *
   * @throws IOException if it cannot be read, or its length is not that of whole rows
   */
  public static VectorFile open(Path path, int limit) throws IOException {
    boolean bytes = isBytes(path);
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      int dimension = VecsHeader.dimension(path, channel);
      long rowBytes = Integer.BYTES + (long) dimension * (bytes ? 1 : Float.BYTES);
      int rows = VecsHeader.rows(path, channel, rowBytes);
      return new VectorFile(path, channel, bytes, dimension, Math.min(rows, limit));
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean isBytes(Path path) {
    String name = path.getFileName().toString();
    if (name.endsWith(".bvecs")) {
      return true;
    }
    if (name.endsWith(".fvecs")) {
      return false;
    }
    throw new IllegalArgumentException(
        "file=" + path + ", expected a name that ends in .fvecs or .bvecs");
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public void copy(int from, int n, MemorySegment target, long offset, long stride) {
    Objects.checkFromIndexSize(from, n, count);
    ByteBuffer buffer = block.get();
    int blockRows = buffer.capacity() / rowBytes();
    for (int done = 0; done < n; done += blockRows) {
      int rows = Math.min(blockRows, n - done);
      read(buffer, from + done, rows);
      copyBlock(buffer, from + done, rows, target, offset + done * stride, stride);
    }
  }

  private void read(ByteBuffer buffer, int from, int rows) {
    buffer.clear().limit(rows * rowBytes());
    long position = (long) from * rowBytes();
    try {
      while (buffer.hasRemaining()) {
        int read = channel.read(buffer, position + buffer.position());
        if (read < 0) {
          throw new EOFException(path + " ends within row " + from);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void copyBlock(
      ByteBuffer buffer, int from, int rows, MemorySegment target, long offset, long stride) {
    MemorySegment source = MemorySegment.ofBuffer(buffer.clear());
    for (int i = 0; i < rows; i++) {
      int start = i * rowBytes();
      int rowDimension = buffer.getInt(start);
      if (rowDimension != dimension) {
        throw new UncheckedIOException(
            new IOException(
                path
                    + ": row "
                    + (from + i)
                    + " has dimension="
                    + rowDimension
                    + ", expected "
                    + dimension));
      }
      start += Integer.BYTES;
      long to = offset + i * stride;
      if (bytes) {
        for (int j = 0; j < dimension; j++) {
          float component = buffer.get(start + j) & 0xFF;
          target.set(ValueLayout.JAVA_FLOAT_UNALIGNED, to + (long) j * Float.BYTES, component);
        }
      } else {
        MemorySegment.copy(
            source, FLOAT_LE, start, target, ValueLayout.JAVA_FLOAT_UNALIGNED, to, dimension);
      }
    }
  }

  private int rowBytes() {
    return Integer.BYTES + dimension * (bytes ? 1 : Float.BYTES);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
