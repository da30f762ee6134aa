package io.omendb.storage.checkpoint;

import io.omendb.memory.Checksum;
import io.omendb.memory.Memory;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.ImageSource;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Reads an image back in sequence, checking each block. An image is derived: whoever meets a {@link
 * CorruptFileException} here rebuilds it. One thread at a time.
 */
public final class ImageFileReader implements ImageSource {
  private final Path path;
  private final FileChannel channel;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment block = arena.allocate(ImageLayout.BLOCK, 64);
  private final ByteBuffer blockBytes = block.asByteBuffer();
  private final long lsn;
  private final int slots;
  private final long dataBytes;
  private final int[] sums;
  private int nextBlock;
  private int taken;
  private int filled;

  private ImageFileReader(
      Path path, FileChannel channel, long lsn, int slots, long dataBytes, int[] sums) {
    this.path = path;
    this.channel = channel;
    this.lsn = lsn;
    this.slots = slots;
    this.dataBytes = dataBytes;
    this.sums = sums;
  }

  /** Opens an image and checks header, footer and block sums, not yet the blocks. */
  public static ImageFileReader open(Path path, long generation, UUID collection)
      throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      ByteBuffer header = read(path, channel, 0, ImageLayout.HEADER_BYTES);
      check(path, 0, "image magic", ImageLayout.HEADER_MAGIC, header.getLong(0));
      check(
          path,
          ImageLayout.FIELD_VERSION,
          "image version",
          ImageLayout.VERSION,
          header.getInt(ImageLayout.FIELD_VERSION));
      check(
          path,
          ImageLayout.FIELD_CRC,
          "image header checksum",
          header.getInt(ImageLayout.FIELD_CRC),
          ImageFileWriter.headerCrc(header));
      check(
          path,
          ImageLayout.FIELD_GENERATION,
          "image generation",
          generation,
          header.getLong(ImageLayout.FIELD_GENERATION));
      UUID found =
          new UUID(
              header.getLong(ImageLayout.FIELD_UUID_HIGH),
              header.getLong(ImageLayout.FIELD_UUID_LOW));
      if (!found.equals(collection)) {
        throw new CorruptFileException(
            path, ImageLayout.FIELD_UUID_HIGH, "the image belongs to collection " + found);
      }
      return openBody(
          path,
          channel,
          header.getLong(ImageLayout.FIELD_LSN),
          header.getInt(ImageLayout.FIELD_SLOTS));
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static ImageFileReader openBody(Path path, FileChannel channel, long lsn, int slots)
      throws IOException {
    long footerAt = channel.size() - ImageLayout.FOOTER_BYTES;
    if (footerAt < ImageLayout.HEADER_BYTES) {
      throw new CorruptFileException(path, channel.size(), "the image is cut");
    }
    ByteBuffer footer = read(path, channel, footerAt, ImageLayout.FOOTER_BYTES);
    check(path, footerAt, "image footer magic", ImageLayout.FOOTER_MAGIC, footer.getLong(0));
    check(
        path,
        footerAt + ImageLayout.FOOTER_CRC,
        "image footer checksum",
        footer.getInt(ImageLayout.FOOTER_CRC),
        Checksum.of(footer, 0, ImageLayout.FOOTER_CRC));
    long dataBytes = footer.getLong(ImageLayout.FOOTER_DATA_BYTES);
    int blocks = footer.getInt(ImageLayout.FOOTER_BLOCKS);
    long sumsAt = ImageLayout.HEADER_BYTES + dataBytes;
    check(path, footerAt, "image length", footerAt, sumsAt + (long) blocks * Integer.BYTES);
    ByteBuffer sumBytes = read(path, channel, sumsAt, blocks * Integer.BYTES);
    check(
        path,
        sumsAt,
        "checksum of the block sums",
        footer.getInt(ImageLayout.FOOTER_SUMS_CRC),
        Checksum.of(sumBytes, 0, sumBytes.capacity()));
    int[] sums = new int[blocks];
    sumBytes.asIntBuffer().get(sums);
    return new ImageFileReader(path, channel, lsn, slots, dataBytes, sums);
  }

  @Override
  public long lsn() {
    return lsn;
  }

  @Override
  public int count() {
    return slots;
  }

  @Override
  public long bytes() {
    return dataBytes;
  }

  @Override
  public void read(long address, long bytes) throws IOException {
    for (long done = 0; done < bytes; ) {
      if (taken == filled) {
        readBlock();
      }
      int part = (int) Math.min(filled - taken, bytes - done);
      Memory.copy(block.address() + taken, address + done, part);
      taken += part;
      done += part;
    }
  }

  /** Reads the rest of the image and checks it. */
  public void verify() throws IOException {
    while ((long) nextBlock * ImageLayout.BLOCK < dataBytes) {
      readBlock();
    }
  }

  private void readBlock() throws IOException {
    long start = (long) nextBlock * ImageLayout.BLOCK;
    if (start >= dataBytes) {
      throw new CorruptFileException(
          path, ImageLayout.HEADER_BYTES + dataBytes, "the image ends before what is read");
    }
    filled = (int) Math.min(ImageLayout.BLOCK, dataBytes - start);
    taken = 0;
    long at = ImageLayout.HEADER_BYTES + start;
    int read = DurableFiles.readFully(path, channel, blockBytes.clear().limit(filled), at);
    if (read < filled) {
      throw new CorruptFileException(path, at + read, "the image is cut");
    }
    check(
        path,
        at,
        "checksum of an image block",
        sums[nextBlock],
        Checksum.of(block.address(), filled));
    nextBlock++;
  }

  private static ByteBuffer read(Path path, FileChannel channel, long at, int bytes)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int read = DurableFiles.readFully(path, channel, buffer, at);
    if (read < bytes) {
      throw new CorruptFileException(path, at + read, "the image is cut");
    }
    return buffer.flip();
  }

  private static void check(Path path, long at, String what, long expected, long found)
      throws CorruptFileException {
    if (expected != found) {
      throw new CorruptFileException(path, at, what, expected, found);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    arena.close();
  }
}
