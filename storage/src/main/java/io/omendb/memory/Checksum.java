package io.omendb.memory;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC32C, the checksum of everything on disk. */
public final class Checksum {
  private Checksum() {}

  /** Of native memory, which must be resident: a fault that fails inside would kill the process. */
  public static int of(long address, long bytes) {
    CRC32C crc = new CRC32C();
    update(crc, address, bytes);
    return (int) crc.getValue();
  }

  /**
   * Of native memory, after {@code salt}, so that bytes written under another salt do not match.
   */
  public static int salted(long salt, long address, long bytes) {
    CRC32C crc = new CRC32C();
    for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
      crc.update((int) (salt >>> shift) & 0xFF);
    }
    update(crc, address, bytes);
    return (int) crc.getValue();
  }

  /** Of a buffer's part, by absolute offsets. */
  public static int of(ByteBuffer bytes, int from, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(from, length));
    return (int) crc.getValue();
  }

  /** Adds native memory to a running checksum. */
  public static void update(CRC32C crc, long address, long bytes) {
    for (long done = 0; done < bytes; ) {
      int part = (int) Math.min(1 << 30, bytes - done);
      crc.update(buffer(address + done, part));
      done += part;
    }
  }

  /** Native memory as a buffer for channels; the memory's owner must outlive it. */
  public static ByteBuffer buffer(long address, int bytes) {
    return Memory.ALL.asSlice(address, bytes).asByteBuffer();
  }
}
