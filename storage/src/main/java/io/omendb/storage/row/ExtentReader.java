package io.omendb.storage.row;

import io.omendb.memory.Memory;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads extents by pread, never through a mapping: a block that the device cannot read is then an
 * {@link IOException}, not a dead process. One thread at a time.
 */
public final class ExtentReader implements AutoCloseable {
  private static final int CHUNK = 1 << 18;

  private final Path directory;
  private final String kind;
  private final List<@Nullable FileChannel> channels = new ArrayList<>();
  private final Arena arena = Arena.ofShared();
  private final ByteBuffer chunk = arena.allocate(CHUNK, 64).asByteBuffer();

  public ExtentReader(Path directory, String kind) {
    this.directory = directory;
    this.kind = kind;
  }

  /** CRC32C of a range. */
  public int checksum(long offset, long bytes) throws IOException {
    CRC32C crc = new CRC32C();
    for (long at = offset; at < offset + bytes; ) {
      int read = readChunk(at, (int) Math.min(CHUNK, offset + bytes - at));
      crc.update(chunk);
      at += read;
    }
    return (int) crc.getValue();
  }

  /** Reads a range into native memory. */
  void read(long offset, long address, long bytes) throws IOException {
    for (long done = 0; done < bytes; ) {
      int read = readChunk(offset + done, (int) Math.min(CHUNK, bytes - done));
      Memory.copy(java.lang.foreign.MemorySegment.ofBuffer(chunk).address(), address + done, read);
      done += read;
    }
  }

  /**
   * Reads at most {@code wanted} bytes, not across files; they are the remaining of {@code chunk}.
   */
  private int readChunk(long offset, int wanted) throws IOException {
    int file = ExtentLayout.fileAt(offset);
    long within = offset - ExtentLayout.start(file);
    int length = (int) Math.min(wanted, ExtentLayout.size(file) - within);
    chunk.clear().limit(length);
    int read = DurableFiles.readFully(path(file), channel(file), chunk, within);
    if (read < length) {
      throw new CorruptFileException(path(file), within + read, "the file ends too early");
    }
    chunk.flip();
    return length;
  }

  /** The file that holds a byte of the space. */
  Path pathAt(long offset) {
    return path(ExtentLayout.fileAt(offset));
  }

  /** Where in its file a byte of the space lies. */
  public static long offsetInFile(long offset) {
    return offset - ExtentLayout.start(ExtentLayout.fileAt(offset));
  }

  private Path path(int file) {
    return directory.resolve(ExtentLayout.name(kind, file));
  }

  private FileChannel channel(int file) throws IOException {
    while (channels.size() <= file) {
      channels.add(null);
    }
    FileChannel channel = channels.get(file);
    if (channel == null) {
      if (!Files.exists(path(file))) {
        throw new CorruptFileException(path(file), 0, "the file is missing");
      }
      channel = FileChannel.open(path(file), StandardOpenOption.READ);
      channels.set(file, channel);
    }
    return channel;
  }

  @Override
  public void close() throws IOException {
    for (FileChannel channel : channels) {
      if (channel != null) {
        channel.close();
      }
    }
    arena.close();
  }
}
