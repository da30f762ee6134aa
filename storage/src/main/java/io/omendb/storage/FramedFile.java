package io.omendb.storage;

import io.omendb.memory.Checksum;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.UUID;

/** Reads and writes small files with a magic and a checksum; see {@link ManifestLayout}. */
final class FramedFile {
  private FramedFile() {}

  /** Builds a body. */
  static final class Writer {
    private ByteBuffer bytes = buffer(1 << 10);

    Writer() {
      bytes.position(ManifestLayout.HEADER_BYTES);
    }

    Writer putInt(int value) {
      room(Integer.BYTES).putInt(value);
      return this;
    }

    Writer putLong(long value) {
      room(Long.BYTES).putLong(value);
      return this;
    }

    Writer putUuid(UUID value) {
      return putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
    }

    Writer putText(String value) {
      byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
      putInt(utf8.length);
      room(utf8.length).put(utf8);
      return this;
    }

    private ByteBuffer room(int more) {
      if (bytes.remaining() < more) {
        ByteBuffer larger = buffer(Math.max(2 * bytes.capacity(), bytes.position() + more));
        larger.put(bytes.flip());
        bytes = larger;
      }
      return bytes;
    }

    /** Writes the file as {@link DurableFiles#replace} does; returns the body's checksum. */
    int replace(Path file, long magic) throws IOException {
      bytes.flip();
      int body = bytes.limit() - ManifestLayout.HEADER_BYTES;
      int crc = Checksum.of(bytes, ManifestLayout.HEADER_BYTES, body);
      bytes.putLong(ManifestLayout.MAGIC, magic);
      bytes.putInt(ManifestLayout.CRC, crc);
      bytes.putInt(ManifestLayout.BODY_BYTES, body);
      DurableFiles.replace(file, bytes);
      return crc;
    }
  }

  /** Walks a body. */
  static final class Reader {
    private final Path file;
    private final ByteBuffer bytes;
    private final int crc;

    private Reader(Path file, ByteBuffer bytes, int crc) {
      this.file = file;
      this.bytes = bytes;
      this.crc = crc;
    }

    /** Checksum of the body. */
    int crc() {
      return crc;
    }

    int getInt() throws CorruptFileException {
      try {
        return bytes.getInt();
      } catch (BufferUnderflowException e) {
        throw cut();
      }
    }

    long getLong() throws CorruptFileException {
      try {
        return bytes.getLong();
      } catch (BufferUnderflowException e) {
        throw cut();
      }
    }

    UUID getUuid() throws CorruptFileException {
      long high = getLong();
      return new UUID(high, getLong());
    }

    String getText() throws CorruptFileException {
      int length = getInt();
      if (length < 0 || length > bytes.remaining()) {
        throw cut();
      }
      byte[] utf8 = new byte[length];
      bytes.get(utf8);
      return new String(utf8, StandardCharsets.UTF_8);
    }

    /** A count of things of at least so many bytes each. */
    int getCount(int least) throws CorruptFileException {
      int count = getInt();
      if (count < 0 || (long) count * least > bytes.remaining()) {
        throw cut();
      }
      return count;
    }

    int remaining() {
      return bytes.remaining();
    }

    CorruptFileException corrupt(String detail) {
      return new CorruptFileException(file, bytes.position(), detail);
    }

    private CorruptFileException cut() {
      return corrupt("the content ends too early");
    }
  }

  /** Reads a file and checks magic, length and checksum. */
  static Reader read(Path file, long magic) throws IOException {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new CorruptFileException(file, 0, "the file is missing");
    }
    if (content.length < ManifestLayout.HEADER_BYTES) {
      throw new CorruptFileException(file, content.length, "the header is cut");
    }
    ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    long found = bytes.getLong(ManifestLayout.MAGIC);
    if (found != magic) {
      throw new CorruptFileException(file, ManifestLayout.MAGIC, "magic", magic, found);
    }
    int body = content.length - ManifestLayout.HEADER_BYTES;
    if (bytes.getInt(ManifestLayout.BODY_BYTES) != body) {
      throw new CorruptFileException(
          file,
          ManifestLayout.BODY_BYTES,
          "body bytes",
          bytes.getInt(ManifestLayout.BODY_BYTES),
          body);
    }
    int expected = bytes.getInt(ManifestLayout.CRC);
    int actual = Checksum.of(bytes, ManifestLayout.HEADER_BYTES, body);
    if (expected != actual) {
      throw new CorruptFileException(
          file, ManifestLayout.CRC, "checksum", expected & 0xFFFFFFFFL, actual & 0xFFFFFFFFL);
    }
    return new Reader(file, bytes.position(ManifestLayout.HEADER_BYTES), actual);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
