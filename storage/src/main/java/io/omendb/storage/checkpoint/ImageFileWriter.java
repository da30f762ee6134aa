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

/** Writes an image: copied block by block, so that the checksum is of the very bytes written. */
final class ImageFileWriter implements ImageSink, AutoCloseable {
  private final Path path;
  private final Path temporary;
  private final FileChannel channel;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment block = arena.allocate(ImageLayout.BLOCK, 64);
  private final ByteBuffer blockBytes = block.asByteBuffer();
  private final int slots;
  private int filled;
  private int[] sums = new int[64];
  private int blocks;
  private long dataBytes;

  ImageFileWriter(Path path, long generation, UUID collection, long lsn, int slots)
      throws IOException {
    this.path = path;
    this.slots = slots;
    temporary = DurableFiles.temporary(path);
    Files.deleteIfExists(temporary);
    channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    ByteBuffer header = buffer(ImageLayout.HEADER_BYTES);
    header.putLong(0, ImageLayout.HEADER_MAGIC);
    header.putInt(ImageLayout.FIELD_VERSION, ImageLayout.VERSION);
    header.putLong(ImageLayout.FIELD_GENERATION, generation);
    header.putLong(ImageLayout.FIELD_UUID_HIGH, collection.getMostSignificantBits());
    header.putLong(ImageLayout.FIELD_UUID_LOW, collection.getLeastSignificantBits());
    header.putLong(ImageLayout.FIELD_LSN, lsn);
    header.putInt(ImageLayout.FIELD_SLOTS, slots);
    header.putInt(ImageLayout.FIELD_CRC, headerCrc(header));
    DurableFiles.writeFully(channel, header, 0);
  }

  static int headerCrc(ByteBuffer header) {
    return Checksum.of(
        header,
        ImageLayout.FIELD_GENERATION,
        ImageLayout.FIELDS_END - ImageLayout.FIELD_GENERATION);
  }

  @Override
  public int count() {
    return slots;
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
    DurableFiles.writeFully(
        channel, blockBytes.clear().limit(filled), ImageLayout.HEADER_BYTES + dataBytes);
    dataBytes += filled;
    filled = 0;
  }

  /** Completes the file, syncs it and gives it its name. */
  void commit() throws IOException {
    if (filled > 0) {
      writeBlock();
    }
    ByteBuffer tail = buffer(blocks * Integer.BYTES + ImageLayout.FOOTER_BYTES);
    for (int i = 0; i < blocks; i++) {
      tail.putInt(sums[i]);
    }
    int footer = tail.position();
    tail.putLong(footer, ImageLayout.FOOTER_MAGIC);
    tail.putLong(footer + ImageLayout.FOOTER_DATA_BYTES, dataBytes);
    tail.putInt(footer + ImageLayout.FOOTER_BLOCKS, blocks);
    tail.putInt(footer + ImageLayout.FOOTER_SUMS_CRC, Checksum.of(tail, 0, footer));
    tail.putInt(footer + ImageLayout.FOOTER_CRC, Checksum.of(tail, footer, ImageLayout.FOOTER_CRC));
    DurableFiles.writeFully(channel, tail.position(0), ImageLayout.HEADER_BYTES + dataBytes);
    channel.force(true);
    DurableFiles.rename(temporary, path);
  }

  @Override
  public void close() throws IOException {
    channel.close();
    arena.close();
    Files.deleteIfExists(temporary);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
