package io.omendb.storage.checkpoint;

import io.omendb.memory.Memory;
import io.omendb.storage.file.FramedFile;
import io.omendb.storage.file.FramedFileLayout;
import io.omendb.storage.row.Tombstones;
import java.io.IOException;
import java.nio.file.Path;

/** The tombstones of a checkpoint as a file; see {@link FramedFileLayout}. */
final class TombstoneFile {
  private TombstoneFile() {}

  /** Writes the bits of {@code count} slots from native memory; returns the checksum. */
  static int write(Path file, long bits, int count) throws IOException {
    FramedFile.Writer writer = new FramedFile.Writer();
    for (long at = 0; at < Tombstones.bytesFor(count); at += Long.BYTES) {
      writer.putLong(Memory.getLong(bits + at));
    }
    return writer.replace(file, FramedFileLayout.TOMBSTONES_MAGIC);
  }

  /** Reads the bits of {@code count} slots. */
  static void read(Path file, int expectedCrc, int count, Tombstones into) throws IOException {
    FramedFile.Reader reader = FramedFile.read(file, FramedFileLayout.TOMBSTONES_MAGIC);
    if (reader.crc() != expectedCrc || reader.remaining() != Tombstones.bytesFor(count)) {
      throw reader.corrupt("these are not the tombstones that the manifest names");
    }
    into.ensure(count);
    for (int slot = 0; slot < count; slot += Long.SIZE) {
      long word = reader.getLong();
      while (word != 0) {
        int bit = Long.numberOfTrailingZeros(word);
        if (slot + bit >= count) {
          throw reader.corrupt("a tombstone for slot " + (slot + bit) + " of " + count);
        }
        into.markDeleted(slot + bit);
        word &= word - 1;
      }
    }
  }
}
