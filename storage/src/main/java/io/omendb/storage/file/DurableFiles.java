package io.omendb.storage.file;

import io.omendb.memory.Posix;
import io.omendb.memory.PosixException;
import io.omendb.storage.api.DiskFullException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Steps that make file names and contents survive a power cut, in the order that does. */
public final class DurableFiles {
  private static final String TEMPORARY = ".tmp";

  /** Of the device, kept free for logs and checkpoints: one in so many bytes, within bounds. */
  private static final int KEPT_SHARE = 64;

  private static final long LEAST_KEPT_BYTES = 2L << 20;
  private static final long MOST_KEPT_BYTES = 64L << 20;

  private DurableFiles() {}

  /**
   * Replaces or creates a file: temporary name, sync, rename, directory sync.
   *
   * @throws DiskFullException if there is no room; the file is as it was
   */
  public static void replace(Path file, ByteBuffer content) throws IOException {
    Path temporary = temporary(file);
    allocate(temporary, content.remaining());
    try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
      writeFully(channel, content, 0);
      channel.force(true);
    }
    rename(temporary, file);
  }

  /**
   * Makes a file anew with all its blocks, so that no write into it finds the disk full.
   *
   * @throws DiskFullException if there is no room; there is no file then
   */
  public static void allocate(Path file, long bytes) throws IOException {
    Files.deleteIfExists(file);
    try {
      int fd = Posix.openFile(file);
      try {
        Posix.allocate(fd, 0, bytes);
      } finally {
        Posix.close(fd);
      }
    } catch (PosixException e) {
      Files.deleteIfExists(file);
      throw isDiskFull(e) ? new DiskFullException(file, bytes, e) : e;
    }
  }

  /** Whether a call failed for want of room: the device's, or the quota's. */
  public static boolean isDiskFull(PosixException e) {
    return e.errno() == Posix.ENOSPC || e.errno() == Posix.EDQUOT;
  }

  /**
   * Refuses what would leave the device without the room that logs and checkpoints need to go on. A
   * large allocation that fails takes every free block while it does, so it is not begun.
   *
   * @param file to be made, of so many bytes
   */
  public static void requireRoom(Path file, long bytes) throws IOException {
    FileStore device = Files.getFileStore(parent(file));
    long kept = Math.clamp(device.getTotalSpace() / KEPT_SHARE, LEAST_KEPT_BYTES, MOST_KEPT_BYTES);
    if (device.getUsableSpace() < bytes + kept) {
      throw new DiskFullException(file, bytes, null);
    }
  }

  /** The name under which a file is prepared before it is renamed to its own. */
  public static Path temporary(Path file) {
    return file.resolveSibling(file.getFileName() + TEMPORARY);
  }

  /** Whether a name is one that {@link #temporary} makes. */
  public static boolean isTemporary(Path file) {
    return file.getFileName().toString().endsWith(TEMPORARY);
  }

  /** Renames within a directory and syncs the directory: afterwards the new name is durable. */
  public static void rename(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    syncDirectory(parent(to));
  }

  /** Makes the names in a directory durable. */
  public static void syncDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  /** Writes all of a buffer at a position. */
  public static void writeFully(FileChannel channel, ByteBuffer source, long position)
      throws IOException {
    long at = position;
    while (source.hasRemaining()) {
      at += channel.write(source, at);
    }
  }

  /**
   * Reads until the buffer is full or the file ends.
   *
   * @param file what {@code channel} reads: a failure names it
   * @return bytes read
   */
  public static int readFully(Path file, FileChannel channel, ByteBuffer target, long position)
      throws IOException {
    int total = 0;
    while (target.hasRemaining()) {
      int read;
      try {
        read = channel.read(target, position + total);
      } catch (IOException e) {
        throw naming(file, e);
      }
      if (read < 0) {
        break;
      }
      total += read;
    }
    return total;
  }

  /** The failure of a read, with the file's name, which the system's words lack. */
  public static IOException naming(Path file, IOException e) {
    String message = e.getMessage();
    return message != null && message.contains(file.toString())
        ? e
        : new IOException(file + ": " + message, e);
  }

  /** Files of a directory, by name. */
  public static List<Path> list(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
      stream.forEach(files::add);
    }
    files.sort(Comparator.naturalOrder());
    return files;
  }

  /** Bytes of the files in a directory and below; those that go meanwhile count as none. */
  public static long treeBytes(Path directory) throws IOException {
    long[] bytes = {0};
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            bytes[0] += attributes.size();
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException gone) {
            return FileVisitResult.CONTINUE;
          }
        });
    return bytes[0];
  }

  /** Deletes a directory and what is in it. */
  public static void deleteTree(Path directory) throws IOException {
    deleteContents(directory);
    Files.deleteIfExists(directory);
  }

  /** Deletes what is in a directory. */
  public static void deleteContents(Path directory) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(directory)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    } catch (NoSuchFileException gone) {
      return;
    }
    for (Path path : paths) {
      if (!path.equals(directory)) {
        Files.deleteIfExists(path);
      }
    }
  }

  private static Path parent(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " has no parent directory");
    }
    return parent;
  }
}
