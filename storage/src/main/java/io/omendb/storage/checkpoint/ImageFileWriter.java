package io.omendb.storage.checkpoint;

import io.omendb.memory.Checksum;
import io.omendb.memory.Memory;
import io.omendb.storage.api.ImageSink;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Writes a section of an image: copied block by block, so that the checksum is of the very bytes
 * written. The first is written under a temporary name; others are appended.
 */
final class ImageFileWriter implements ImageSink, AutoCloseable {
  private final Path path;

  /** Null: the section is appended to what the path has. */
  private final @Nullable Path temporary;

  private final FileChannel channel;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment block = arena.allocate(ImageLayout.BLOCK, 64);
  private final ByteBuffer blockBytes = block.asByteBuffer();

  /** Without the lengths and checksums of what is still to come. */
  private final ImageSection begun;

  private int filled;
  private int[] sums = new int[64];
  private int blocks;
  private long dataBytes;
  private boolean committed;

  private ImageFileWriter(
      Path path, @Nullable Path temporary, FileChannel channel, ImageSection begun) {
    this.path = path;
    this.temporary = temporary;
    this.channel = channel;
    this.begun = begun;
  }

  /** Begins a new image. */
  static ImageFileWriter create(Path path, long generation, UUID collection, long lsn, int slots)
      throws IOException {
    Path temporary = DurableFiles.temporary(path);
    Files.deleteIfExists(temporary);
    return new ImageFileWriter(
        path,
        temporary,
        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
        new ImageSection(0, generation, collection, lsn, slots, 0, 0, 0, 0));
  }

  /**
   * Begins a section behind the last that a checkpoint committed. What lies there is of one that
   * was cut off.
   */
  static ImageFileWriter append(Path path, ImageSection last, long lsn, int slots)
      throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE);
    try {
      if (channel.size() > last.end()) {
        channel.truncate(last.end());
        channel.force(true);
      }
      return new ImageFileWriter(path, null, channel, last.following(lsn, slots));
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public int count() {
    return begun.slots();
  }

  @Override
  public void expect(long bytes) throws IOException {
    DurableFiles.requireRoom(path, bytes);
  }

  @Override
  public void write(long address, long bytes) throws IOException {
    for (long done = 0; done < bytes; ) {
      int part = (int) Math.min(ImageLayout.BLOCK - filled, bytes - done);
      Memory.copy(address + done, block.address() + filled, part);
      filled += part;
      done += part;
      if (filled == ImageLayout.BLOCK) {
        writeBlock();
      }
    }
  }

  private void writeBlock() throws IOException {
    if (blocks == sums.length) {
      sums = Arrays.copyOf(sums, 2 * blocks);
    }
    sums[blocks++] = Checksum.of(block.address(), filled);
    DurableFiles.writeFully(channel, blockBytes.clear().limit(filled), begun.dataAt() + dataBytes);
    dataBytes += filled;
    filled = 0;
  }

  /**
   * Completes the section, syncs it and, if it is the first, gives the file its name; returns the
   * section.
   */
  ImageSection commit() throws IOException {
    if (filled > 0) {
      writeBlock();
    }
    long sumsAt = begun.holding(dataBytes, 0).sumsAt();
    long end = begun.holding(dataBytes, 0).end();
    ByteBuffer tail =
        ByteBuffer.allocate(Math.toIntExact(end - sumsAt)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < blocks; i++) {
      tail.putInt(sums[i]);
    }
    ImageSection whole = begun.holding(dataBytes, Checksum.of(tail, 0, blocks * Integer.BYTES));
    DurableFiles.writeFully(channel, tail.position(0), sumsAt);
    channel.force(true);
    whole.write(channel);
    channel.force(true);
    if (temporary != null) {
      DurableFiles.rename(temporary, path);
    }
    committed = true;
    return whole;
  }

  @Override
  public void close() throws IOException {
    arena.close();
    try (channel) {
      if (temporary == null && !committed) {
        channel.truncate(begun.start());
      }
    }
    if (temporary != null) {
      Files.deleteIfExists(temporary);
    }
  }
}
