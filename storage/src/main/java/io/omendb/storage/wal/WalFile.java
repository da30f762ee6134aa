package io.omendb.storage.wal;

import io.omendb.memory.Checksum;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One log file, ready to be written to: allocated, its header durable, its name durable. */
public final class WalFile implements AutoCloseable {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String SUFFIX = ".wal";

  /** What a file's header says. */
  record Header(UUID collection, long sequence, long salt, long bytes) {}

  private final Path path;
  private final FileChannel channel;
  private final Header header;
  private long position = WalLayout.FILE_HEADER_BYTES;
  private long lastLsn;

  private WalFile(Path path, FileChannel channel, Header header) {
    this.path = path;
    this.channel = channel;
    this.header = header;
  }

  /** The name of a log file. */
  public static Path path(Path directory, long sequence) {
    return directory.resolve("%016d%s".formatted(sequence, SUFFIX));
  }

  /** The sequence in a log file's name; -1 for another file. */
  public static long sequenceOf(Path file) {
    String name = file.getFileName().toString();
    if (!name.endsWith(SUFFIX)) {
      return -1;
    }
    try {
      return Long.parseLong(name.substring(0, name.length() - SUFFIX.length()));
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /**
   * Creates a file, or makes one of a retired file.
   *
   * @param recycled a file of the same directory, no longer needed, at least {@code bytes} long
   * @throws io.omendb.storage.api.DiskFullException if there is no room
   */
  public static WalFile create(
      Path directory, UUID collection, long sequence, long bytes, @Nullable Path recycled)
      throws IOException {
    Path path = path(directory, sequence);
    Path temporary = DurableFiles.temporary(path);
    if (recycled != null) {
      Files.move(recycled, temporary);
    } else {
      DurableFiles.allocate(temporary, bytes);
    }
    FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE);
    try {
      Header header = new Header(collection, sequence, RANDOM.nextLong(), channel.size());
      DurableFiles.writeFully(channel, encode(header), 0);
      channel.force(true);
      DurableFiles.rename(temporary, path);
      return new WalFile(path, channel, header);
    } catch (IOException | RuntimeException e) {
      channel.close();
      Files.deleteIfExists(temporary);
      throw e;
    }
  }

  /** Takes a file as one that is full: nothing is written to it, the next batch needs another. */
  public static WalFile full(Path path) throws IOException {
    Header header = read(path);
    WalFile file = new WalFile(path, FileChannel.open(path, StandardOpenOption.WRITE), header);
    file.position = header.bytes;
    return file;
  }

  /**
   * Writes a file's bytes again where they lie, and syncs: pages that a failed sync marked clean
   * are not written by another sync alone.
   */
  public static void rewrite(Path path) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(1 << 20);
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      for (long at = 0; at < channel.size(); at += chunk.limit()) {
        DurableFiles.readFully(path, channel, chunk.clear(), at);
        DurableFiles.writeFully(channel, chunk.flip(), at);
      }
      channel.force(false);
    }
  }

  /**
   * Takes a file that holds nothing of worth and gives it a new salt, which no bytes in it match.
   * The header fits a sector, so a crash leaves the old or the new one.
   */
  public static WalFile reset(Path path) throws IOException {
    Header old = read(path);
    FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE);
    Header header = new Header(old.collection, old.sequence, RANDOM.nextLong(), channel.size());
    try {
      DurableFiles.writeFully(channel, encode(header), 0);
      channel.force(true);
      return new WalFile(path, channel, header);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Reads and checks a file's header. */
  static Header read(Path path) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(WalLayout.FILE_HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      DurableFiles.readFully(path, channel, bytes, 0);
    }
    if (bytes.hasRemaining()) {
      throw new CorruptFileException(path, bytes.position(), "the log header is cut");
    }
    long magic = bytes.getLong(WalLayout.FILE_MAGIC_OFFSET);
    if (magic != WalLayout.FILE_MAGIC) {
      throw new CorruptFileException(path, 0, "log magic", WalLayout.FILE_MAGIC, magic);
    }
    int crc = bytes.getInt(WalLayout.FILE_CRC);
    bytes.putInt(WalLayout.FILE_CRC, 0);
    int actual = Checksum.of(bytes, 0, WalLayout.FILE_USED_BYTES);
    if (crc != actual) {
      throw new CorruptFileException(
          path, WalLayout.FILE_CRC, "log header checksum", crc & 0xFFFFFFFFL, actual & 0xFFFFFFFFL);
    }
    int version = bytes.getInt(WalLayout.FILE_VERSION);
    if (version != WalLayout.VERSION) {
      throw new CorruptFileException(
          path, WalLayout.FILE_VERSION, "log version", WalLayout.VERSION, version);
    }
    // All of a file is allocated before it has its name, and its length never changes.
    long expectedBytes = bytes.getLong(WalLayout.FILE_BYTES);
    if (Files.size(path) < expectedBytes) {
      throw new CorruptFileException(
          path, Files.size(path), "the log file was cut, expected " + expectedBytes + " bytes");
    }
    return new Header(
        new UUID(bytes.getLong(WalLayout.FILE_UUID_HIGH), bytes.getLong(WalLayout.FILE_UUID_LOW)),
        bytes.getLong(WalLayout.FILE_SEQUENCE),
        bytes.getLong(WalLayout.FILE_SALT),
        bytes.getLong(WalLayout.FILE_BYTES));
  }

  private static ByteBuffer encode(Header header) {
    ByteBuffer bytes =
        ByteBuffer.allocate(WalLayout.BATCH_ALIGNMENT).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(WalLayout.FILE_MAGIC_OFFSET, WalLayout.FILE_MAGIC);
    bytes.putInt(WalLayout.FILE_VERSION, WalLayout.VERSION);
    bytes.putLong(WalLayout.FILE_UUID_HIGH, header.collection.getMostSignificantBits());
    bytes.putLong(WalLayout.FILE_UUID_LOW, header.collection.getLeastSignificantBits());
    bytes.putLong(WalLayout.FILE_SEQUENCE, header.sequence);
    bytes.putLong(WalLayout.FILE_SALT, header.salt);
    bytes.putLong(WalLayout.FILE_BYTES, header.bytes);
    bytes.putInt(WalLayout.FILE_CRC, Checksum.of(bytes, 0, WalLayout.FILE_USED_BYTES));
    return bytes;
  }

  Path path() {
    return path;
  }

  /** Number of the file in its log. */
  public long sequence() {
    return header.sequence;
  }

  long salt() {
    return header.salt;
  }

  long bytes() {
    return header.bytes;
  }

  long lastLsn() {
    return lastLsn;
  }

  /** Bytes that are still free. */
  long room() {
    return header.bytes - position;
  }

  /** Takes the place of a batch; the caller writes it there. */
  long take(long bytes, long lastLsn) {
    long at = position;
    position += bytes;
    this.lastLsn = lastLsn;
    return at;
  }

  void write(ByteBuffer batch, long at) throws IOException {
    DurableFiles.writeFully(channel, batch, at);
  }

  /** Syncs the data; the length never changes. */
  void sync() throws IOException {
    channel.force(false);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
