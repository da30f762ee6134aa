package io.omendb.storage.checkpoint;

import io.omendb.memory.Checksum;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * The header of a section of an image, and where the section starts.
 *
 * @param start offset in the file
 * @param generation of the image
 * @param collection it belongs to
 * @param lsn of the checkpoint that wrote it
 * @param slots that the checkpoint covered
 * @param number 0 for the image of a moment
 * @param dataBytes between header and block sums
 * @param sumsCrc of the block sums
 * @param crcBefore of the section before
 */
record ImageSection(
    long start,
    long generation,
    UUID collection,
    long lsn,
    int slots,
    int number,
    long dataBytes,
    int sumsCrc,
    int crcBefore) {

  /** A section that begins where this one ends, of a later checkpoint; nothing is in it yet. */
  ImageSection following(long laterLsn, int laterSlots) {
    return new ImageSection(
        end(), generation, collection, laterLsn, laterSlots, number + 1, 0, 0, crc());
  }

  /** This section with what is in it. */
  ImageSection holding(long bytes, int crcOfSums) {
    return new ImageSection(
        start, generation, collection, lsn, slots, number, bytes, crcOfSums, crcBefore);
  }

  /** Offset of the data. */
  long dataAt() {
    return start + ImageLayout.HEADER_BYTES;
  }

  /** Offset of the block sums. */
  long sumsAt() {
    return dataAt() + dataBytes;
  }

  /** Where the next section starts. */
  long end() {
    return start + ImageLayout.sectionBytes(dataBytes);
  }

  /** Checksum of the header's fields. */
  int crc() {
    return crcOf(header());
  }

  private static int crcOf(ByteBuffer header) {
    return Checksum.of(
        header,
        ImageLayout.FIELD_GENERATION,
        ImageLayout.FIELDS_END - ImageLayout.FIELD_GENERATION);
  }

  private ByteBuffer header() {
    ByteBuffer header = buffer();
    header.putLong(0, ImageLayout.HEADER_MAGIC);
    header.putInt(ImageLayout.FIELD_VERSION, ImageLayout.VERSION);
    header.putLong(ImageLayout.FIELD_GENERATION, generation);
    header.putLong(ImageLayout.FIELD_UUID_HIGH, collection.getMostSignificantBits());
    header.putLong(ImageLayout.FIELD_UUID_LOW, collection.getLeastSignificantBits());
    header.putLong(ImageLayout.FIELD_LSN, lsn);
    header.putInt(ImageLayout.FIELD_SLOTS, slots);
    header.putInt(ImageLayout.FIELD_SECTION, number);
    header.putLong(ImageLayout.FIELD_DATA_BYTES, dataBytes);
    header.putInt(ImageLayout.FIELD_BLOCKS, ImageLayout.blocks(dataBytes));
    header.putInt(ImageLayout.FIELD_SUMS_CRC, sumsCrc);
    header.putInt(ImageLayout.FIELD_CRC_BEFORE, crcBefore);
    return header;
  }

  /** Writes the header; data and sums are durable. */
  void write(FileChannel channel) throws IOException {
    ByteBuffer header = header();
    header.putInt(ImageLayout.FIELD_CRC, crcOf(header));
    DurableFiles.writeFully(channel, header, start);
  }

  /**
   * Reads the section at the start of an image.
   *
   * @throws CorruptFileException if it is not that of this generation and collection
   */
  static ImageSection first(Path path, FileChannel channel, long generation, UUID collection)
      throws IOException {
    ByteBuffer header = buffer();
    int read = DurableFiles.readFully(path, channel, header, 0);
    if (read < ImageLayout.HEADER_BYTES) {
      throw new CorruptFileException(path, read, "the image is cut");
    }
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
        crcOf(header));
    ImageSection section = of(header, 0);
    check(path, ImageLayout.FIELD_GENERATION, "image generation", generation, section.generation);
    if (!section.collection.equals(collection)) {
      throw new CorruptFileException(
          path,
          ImageLayout.FIELD_UUID_HIGH,
          "the image belongs to collection " + section.collection);
    }
    if (section.sumsAt() > channel.size()) {
      throw new CorruptFileException(path, channel.size(), "the image is cut");
    }
    return section;
  }

  /**
   * Reads the section that follows.
   *
   * @throws CorruptFileException if none does
   */
  ImageSection next(Path path, FileChannel channel) throws IOException {
    ByteBuffer header = buffer();
    int read = DurableFiles.readFully(path, channel, header, end());
    boolean follows =
        read == ImageLayout.HEADER_BYTES
            && header.getLong(0) == ImageLayout.HEADER_MAGIC
            && header.getInt(ImageLayout.FIELD_VERSION) == ImageLayout.VERSION
            && header.getInt(ImageLayout.FIELD_CRC) == crcOf(header)
            && header.getLong(ImageLayout.FIELD_GENERATION) == generation
            && header.getInt(ImageLayout.FIELD_SECTION) == number + 1
            && header.getInt(ImageLayout.FIELD_CRC_BEFORE) == crc();
    if (!follows) {
      throw new CorruptFileException(
          path, end(), "section " + (number + 1) + " of the image is missing");
    }
    return of(header, end());
  }

  /**
   * Reads the last section of an image, by way of all before it.
   *
   * @param sections that are valid
   * @throws CorruptFileException if there are fewer
   */
  static ImageSection last(Path path, long generation, UUID collection, int sections)
      throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      ImageSection last = first(path, channel, generation, collection);
      while (last.number + 1 < sections) {
        last = last.next(path, channel);
      }
      return last;
    }
  }

  private static ImageSection of(ByteBuffer header, long start) {
    return new ImageSection(
        start,
        header.getLong(ImageLayout.FIELD_GENERATION),
        new UUID(
            header.getLong(ImageLayout.FIELD_UUID_HIGH),
            header.getLong(ImageLayout.FIELD_UUID_LOW)),
        header.getLong(ImageLayout.FIELD_LSN),
        header.getInt(ImageLayout.FIELD_SLOTS),
        header.getInt(ImageLayout.FIELD_SECTION),
        header.getLong(ImageLayout.FIELD_DATA_BYTES),
        header.getInt(ImageLayout.FIELD_SUMS_CRC),
        header.getInt(ImageLayout.FIELD_CRC_BEFORE));
  }

  private static ByteBuffer buffer() {
    return ByteBuffer.allocate(ImageLayout.HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  static void check(Path path, long at, String what, long expected, long found)
      throws CorruptFileException {
    if (expected != found) {
      throw new CorruptFileException(path, at, what, expected, found);
    }
  }
}
