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
 * Reads an image back, section by section, each in sequence, checking each block. An image is
 * derived: whoever meets a {@link CorruptFileException} here rebuilds it. One thread at a time.
 */
public final class ImageFileReader implements ImageSource {
  private final Path path;
  private final FileChannel channel;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment block = arena.allocate(ImageLayout.BLOCK, 64);
  private final ByteBuffer blockBytes = block.asByteBuffer();
  private final int sections;
  private ImageSection section;
  private int[] sums;
  private int nextBlock;
  private int taken;
  private int filled;

  private ImageFileReader(
      Path path, FileChannel channel, ImageSection first, int[] sums, int sections) {
    this.path = path;
    this.channel = channel;
    this.section = first;
    this.sums = sums;
    this.sections = sections;
  }

  /**
   * Opens an image at its first section; checks header and block sums, not yet the blocks.
   *
   * @param sections that the manifest names
   */
  public static ImageFileReader open(Path path, long generation, UUID collection, int sections)
      throws IOException {
    FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
    try {
      ImageSection first = ImageSection.first(path, channel, generation, collection);
      return new ImageFileReader(path, channel, first, sums(path, channel, first), sections);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static int[] sums(Path path, FileChannel channel, ImageSection section)
      throws IOException {
    int blocks = ImageLayout.blocks(section.dataBytes());
    ByteBuffer bytes = ByteBuffer.allocate(blocks * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    int read = DurableFiles.readFully(path, channel, bytes, section.sumsAt());
    if (read < bytes.capacity()) {
      throw new CorruptFileException(path, section.sumsAt() + read, "the image is cut");
    }
    ImageSection.check(
        path,
        section.sumsAt(),
        "checksum of the block sums",
        section.sumsCrc(),
        Checksum.of(bytes, 0, bytes.capacity()));
    int[] sums = new int[blocks];
    bytes.flip().asIntBuffer().get(sums);
    return sums;
  }

  @Override
  public long lsn() {
    return section.lsn();
  }

  @Override
  public int count() {
    return section.slots();
  }

  @Override
  public long bytes() {
    return section.dataBytes();
  }

  @Override
  public boolean next() throws IOException {
    if (section.number() + 1 >= sections) {
      return false;
    }
    ImageSection next = section.next(path, channel);
    sums = sums(path, channel, next);
    section = next;
    begin();
    verify();
    begin();
    return true;
  }

  private void begin() {
    nextBlock = 0;
    taken = 0;
    filled = 0;
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

  /** Reads the rest of the section and checks it. */
  public void verify() throws IOException {
    while ((long) nextBlock * ImageLayout.BLOCK < section.dataBytes()) {
      readBlock();
    }
  }

  private void readBlock() throws IOException {
    long start = (long) nextBlock * ImageLayout.BLOCK;
    if (start >= section.dataBytes()) {
      throw new CorruptFileException(path, section.sumsAt(), "the image ends before what is read");
    }
    filled = (int) Math.min(ImageLayout.BLOCK, section.dataBytes() - start);
    taken = 0;
    long at = section.dataAt() + start;
    int read = DurableFiles.readFully(path, channel, blockBytes.clear().limit(filled), at);
    if (read < filled) {
      throw new CorruptFileException(path, at + read, "the image is cut");
    }
    ImageSection.check(
        path,
        at,
        "checksum of an image block",
        sums[nextBlock],
        Checksum.of(block.address(), filled));
    nextBlock++;
  }

  @Override
  public void close() throws IOException {
    channel.close();
    arena.close();
  }
}
