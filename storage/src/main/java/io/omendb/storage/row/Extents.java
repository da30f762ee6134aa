package io.omendb.storage.row;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Posix;
import io.omendb.memory.PosixException;
import io.omendb.storage.api.CollectionFullException;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.Preallocator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One append-only byte space over files of doubling size ({@link ExtentLayout}), mapped side by
 * side so that it is one array of memory.
 *
 * <p>Blocks are allocated before their bytes are addressable and no file is ever cut, because a
 * store that finds no block kills the process (SIGBUS) when it happens inside compiled vector code.
 * Where the device has no room for a whole file, the newest has blocks for its beginning alone, and
 * gets more as they are needed.
 *
 * <p>Threads: {@link #ensure}, {@link #used}, {@link #syncTo} and the background thread may run at
 * the same time; one appender at a time. Readers need only an offset published to them.
 */
final class Extents implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Extents.class);

  /** As much as the file takes: no write waits for it. */
  private static final long AHEAD = Long.MAX_VALUE;

  private final Path directory;
  private final String kind;
  private final AddressSpace space;
  private final int advice;
  private final Preallocator preallocator;

  @GuardedBy("this")
  private final List<Integer> descriptors = new ArrayList<>();

  private final AtomicBoolean preparing = new AtomicBoolean();
  private final Runnable prepare = this::prepare;

  // Volatile: written by one thread at a time, or under the monitor, and read by any.

  /** Files whose names are durable. */
  private volatile int namedFiles;

  private volatile long mappedBytes;
  private volatile long usedBytes;
  private volatile long syncedBytes;

  @GuardedBy("this")
  private boolean closed;

  /**
   * @param advice how its bytes are read; see madvise(2)
   */
  Extents(Path directory, String kind, long reservedBytes, int advice, Preallocator preallocator) {
    this.directory = directory;
    this.kind = kind;
    this.advice = advice;
    this.preallocator = preallocator;
    this.space = AddressSpace.reserve(reservedBytes);
  }

  /** Address of byte 0. */
  long address() {
    return space.address();
  }

  long usedBytes() {
    return usedBytes;
  }

  long mappedBytes() {
    return mappedBytes;
  }

  /**
   * Maps the files that hold the first {@code bytes} bytes, which must be there in full: a short or
   * missing file is refused, never mapped.
   */
  void openExisting(long bytes) throws IOException {
    for (int file = 0; file < ExtentLayout.filesFor(bytes); file++) {
      Path path = path(file);
      if (!Files.exists(path)) {
        throw new CorruptFileException(path, 0, "the file is missing");
      }
      long length = Files.size(path);
      boolean partial =
          file == ExtentLayout.fileAt(bytes - 1)
              && length >= bytes - ExtentLayout.start(file)
              && length % ExtentLayout.SMALLEST == 0;
      if (length != ExtentLayout.size(file) && !partial) {
        throw new CorruptFileException(path, length, "length", ExtentLayout.size(file), length);
      }
      grow(bytes);
    }
    usedBytes = bytes;
    syncedBytes = bytes;
  }

  /**
   * Makes the first {@code bytes} bytes addressable. Usually the background thread has done it.
   *
   * @throws DiskFullException if there is no room; what was addressable stays so
   * @throws CollectionFullException if the space ends before
   */
  void ensure(long bytes) throws IOException {
    if (bytes <= mappedBytes) {
      return;
    }
    synchronized (this) {
      while (mappedBytes < bytes) {
        grow(bytes);
      }
    }
  }

  /** Says how far the space is in use, and has the background thread keep ahead of it. */
  void used(long bytes) {
    usedBytes = bytes;
    if (wantsFile() && preparing.compareAndSet(false, true)) {
      preallocator.execute(prepare);
    }
  }

  /**
   * Writes bytes up to {@code bytes} to the device, with the names of their files. Only bytes after
   * the last sync are looked at: what lies before never changes.
   */
  void syncTo(long bytes) throws IOException {
    int files = files();
    if (files > namedFiles) {
      DurableFiles.syncDirectory(directory);
    }
    long from = syncedBytes;
    if (bytes > from) {
      for (int file = ExtentLayout.fileAt(from); file < ExtentLayout.filesFor(bytes); file++) {
        Posix.syncData(descriptor(file));
      }
    }
    // Set only when done: the log's thread and a checkpoint may sync at once, and neither may
    // take for durable what the other has only begun.
    advanceSynced(files, bytes);
  }

  private synchronized void advanceSynced(int files, long bytes) {
    namedFiles = Math.max(namedFiles, files);
    syncedBytes = Math.max(syncedBytes, bytes);
  }

  private synchronized int files() {
    return descriptors.size();
  }

  private synchronized int descriptor(int file) {
    return descriptors.get(file);
  }

  Path path(int file) {
    return directory.resolve(ExtentLayout.name(kind, file));
  }

  /** The next file is due when half of the newest is used. */
  private boolean wantsFile() {
    long mapped = mappedBytes;
    if (mapped == 0) {
      return false;
    }
    return ExtentLayout.isHalfFull(usedBytes, mapped);
  }

  private void prepare() {
    try {
      synchronized (this) {
        if (closed) {
          return;
        }
        if (wantsFile() && !isPartial()) {
          grow(AHEAD);
        }
      }
    } catch (DiskFullException | CollectionFullException e) {
      LOG.warn("cannot allocate ahead: {}", e.getMessage());
    } catch (IOException e) {
      LOG.warn("cannot prepare {} ahead of use", directory.resolve(kind), e);
    } finally {
      preparing.set(false);
    }
  }

  /** Whether the newest file has blocks for its beginning alone. */
  private synchronized boolean isPartial() {
    return mappedBytes < ExtentLayout.start(descriptors.size());
  }

  /**
   * Makes the rest of the newest file addressable, or a file more: all of it, or where there is no
   * room for that, up to {@code bytes}.
   */
  private synchronized void grow(long bytes) throws IOException {
    if (isPartial()) {
      int file = descriptors.size() - 1;
      long start = ExtentLayout.start(file);
      mappedBytes = start + allocate(file, descriptors.get(file), bytes);
    } else {
      addFile(bytes);
    }
  }

  @GuardedBy("this")
  private void addFile(long bytes) throws IOException {
    int file = descriptors.size();
    long start = ExtentLayout.start(file);
    long size = ExtentLayout.size(file);
    if (start + size > space.bytes()) {
      throw new CollectionFullException(kind, start);
    }
    Path path = path(file);
    boolean fresh = !Files.exists(path);
    int fd = Posix.openFile(path);
    try {
      long allocated = allocate(file, fd, bytes);
      space.mapFile(fd, 0, size, start);
      Posix.advise(space.address() + start, size, advice);
      descriptors.add(fd);
      mappedBytes = start + allocated;
    } catch (IOException e) {
      Posix.close(fd);
      if (fresh) {
        Files.deleteIfExists(path);
      }
      throw e;
    }
  }

  /** Allocates blocks of a file; returns its length then. */
  private long allocate(int file, int fd, long bytes) throws IOException {
    long size = ExtentLayout.size(file);
    long used = Math.min(size, bytes - ExtentLayout.start(file));
    long least = (used + ExtentLayout.SMALLEST - 1) & -ExtentLayout.SMALLEST;
    try {
      return allocate(path(file), fd, size);
    } catch (DiskFullException e) {
      if (bytes == AHEAD || least == size) {
        throw e;
      }
      return allocate(path(file), fd, Math.max(least, Files.size(path(file))));
    }
  }

  private static long allocate(Path path, int fd, long length) throws IOException {
    long more = length - Files.size(path);
    if (more > 0) {
      DurableFiles.requireRoom(path, more);
    }
    try {
      Posix.allocate(fd, 0, length);
      return length;
    } catch (PosixException e) {
      throw DurableFiles.isDiskFull(e) ? new DiskFullException(path, more, e) : e;
    }
  }

  /** Unmaps everything; the caller knows that nobody reads. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    space.close();
    for (int fd : descriptors) {
      Posix.close(fd);
    }
  }
}
