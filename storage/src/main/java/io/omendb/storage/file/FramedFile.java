package io.omendb.storage.file;

import io.omendb.memory.Checksum;
import io.omendb.storage.api.CorruptFileException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.UUID;

/** Reads and writes small files with a magic and a checksum; see {@link FramedFileLayout}. */
public final class FramedFile {
  private FramedFile() {}

  /** Builds a body. */
  public static final class Writer {
    private ByteBuffer bytes = buffer(1 << 10);

    public Writer() {
      bytes.position(FramedFileLayout.HEADER_BYTES);
    }

    public Writer putInt(int value) {
      room(Integer.BYTES).putInt(value);
      return this;
    }

    public Writer putLong(long value) {
      room(Long.BYTES).putLong(value);
      return this;
    }

    public Writer putUuid(UUID value) {
      return putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
    }

    public Writer putText(String value) {
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
    public int replace(Path file, long magic) throws IOException {
      bytes.flip();
      int body = bytes.limit() - FramedFileLayout.HEADER_BYTES;
      int crc = Checksum.of(bytes, FramedFileLayout.HEADER_BYTES, body);
      bytes.putLong(FramedFileLayout.MAGIC, magic);
      bytes.putInt(FramedFileLayout.CRC, crc);
      bytes.putInt(FramedFileLayout.BODY_BYTES, body);
      DurableFiles.replace(file, bytes);
      return crc;
    }
  }

  /** Walks a body. */
  public static final class Reader {
    private final Path file;
    private final ByteBuffer bytes;
    private final int crc;

    private Reader(Path file, ByteBuffer bytes, int crc) {
      this.file = file;
      this.bytes = bytes;
      this.crc = crc;
    }

    /** Checksum of the body. */
    public int crc() {
      return crc;
    }

    public int getInt() throws CorruptFileException {
      try {
        return bytes.getInt();
      } catch (BufferUnderflowException e) {
        throw cut();
      }
    }

    public long getLong() throws CorruptFileException {
      try {
        return bytes.getLong();
      } catch (BufferUnderflowException e) {
        throw cut();
      }
    }

    public UUID getUuid() throws CorruptFileException {
      long high = getLong();
      return new UUID(high, getLong());
    }

    public String getText() throws CorruptFileException {
      int length = getInt();
      if (length < 0 || length > bytes.remaining()) {
        throw cut();
      }
      byte[] utf8 = new byte[length];
      bytes.get(utf8);
      return new String(utf8, StandardCharsets.UTF_8);
    }

    /** A count of things of at least so many bytes each. */
    public int getCount(int least) throws CorruptFileException {
      int count = getInt();
      if (count < 0 || (long) count * least > bytes.remaining()) {
        throw cut();
      }
      return count;
    }

    public int remaining() {
      return bytes.remaining();
    }

    public CorruptFileException corrupt(String detail) {
      return new CorruptFileException(file, bytes.position(), detail);
    }

    private CorruptFileException cut() {
      return corrupt("the content ends too early");
    }
  }

  /** Reads a file and checks magic, length and checksum. */
  public static Reader read(Path file, long magic) throws IOException {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new CorruptFileException(file, 0, "the file is missing");
    } catch (IOException e) {
      throw DurableFiles.naming(file, e);
    }
    if (content.length < FramedFileLayout.HEADER_BYTES) {
      throw new CorruptFileException(file, content.length, "the header is cut");
    }
    ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    long found = bytes.getLong(FramedFileLayout.MAGIC);
    if (found != magic) {
      throw new CorruptFileException(file, FramedFileLayout.MAGIC, "magic", magic, found);
    }
    int body = content.length - FramedFileLayout.HEADER_BYTES;
    if (bytes.getInt(FramedFileLayout.BODY_BYTES) != body) {
      throw new CorruptFileException(
          file,
          FramedFileLayout.BODY_BYTES,
          "body bytes",
          bytes.getInt(FramedFileLayout.BODY_BYTES),
          body);
    }
    int expected = bytes.getInt(FramedFileLayout.CRC);
    int actual = Checksum.of(bytes, FramedFileLayout.HEADER_BYTES, body);
    if (expected != actual) {
      throw new CorruptFileException(
          file, FramedFileLayout.CRC, "checksum", expected & 0xFFFFFFFFL, actual & 0xFFFFFFFFL);
    }
    return new Reader(file, bytes.position(FramedFileLayout.HEADER_BYTES), actual);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
