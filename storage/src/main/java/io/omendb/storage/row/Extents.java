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
 * <p>Blocks are allocated before a file is mapped and no file is ever truncated, because a store
 * that finds no block kills the process (SIGBUS) when it happens inside compiled vector code.
 *
 * <p>Threads: {@link #ensure}, {@link #used}, {@link #syncTo} and the background thread may run at
 * the same time; one appender at a time. Readers need only an offset published to them.
 */
final class Extents implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Extents.class);

  private static final long FAULT_STEP = 2L << 20;
  private static final long FAULT_AHEAD = 32L << 20;

  private final Path directory;
  private final String kind;
  private final AddressSpace space;
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
  private volatile long faultedBytes;
  private volatile boolean faultAheadUnsupported;
  private volatile long syncedBytes;

  @GuardedBy("this")
  private boolean closed;

  Extents(Path directory, String kind, long reservedBytes, Preallocator preallocator) {
    this.directory = directory;
    this.kind = kind;
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
      if (Files.size(path) != ExtentLayout.size(file)) {
        throw new CorruptFileException(
            path, Files.size(path), "length", ExtentLayout.size(file), Files.size(path));
      }
      grow();
    }
    usedBytes = bytes;
    syncedBytes = bytes;
    faultedBytes = bytes;
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
        grow();
      }
    }
  }

  /** Says how far the space is in use, and has the background thread keep ahead of it. */
  void used(long bytes) {
    usedBytes = bytes;
    if (wantsPreparing() && preparing.compareAndSet(false, true)) {
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

  private boolean wantsPreparing() {
    return wantsFile() || wantsFaulting();
  }

  /** The next file is due when half of the newest is used. */
  private boolean wantsFile() {
    long mapped = mappedBytes;
    if (mapped == 0) {
      return false;
    }
    return usedBytes > mapped - ExtentLayout.size(ExtentLayout.fileAt(mapped - 1)) / 2;
  }

  private boolean wantsFaulting() {
    return !faultAheadUnsupported
        && faultedBytes < mappedBytes
        && faultedBytes < usedBytes + faultAhead() / 2;
  }

  /** A small collection pre-faults little, since each page pre-faulted is a page written. */
  private long faultAhead() {
    return Math.clamp(usedBytes, ExtentLayout.SMALLEST, FAULT_AHEAD);
  }

  private void prepare() {
    try {
      synchronized (this) {
        if (closed) {
          return;
        }
        if (wantsFile()) {
          grow();
        }
      }
      faultAhead(Math.min(mappedBytes, usedBytes + faultAhead()));
    } catch (DiskFullException | CollectionFullException e) {
      LOG.warn("cannot allocate ahead: {}", e.getMessage());
    } catch (IOException e) {
      LOG.warn("cannot prepare {} ahead of use", directory.resolve(kind), e);
    } finally {
      preparing.set(false);
    }
  }

  private void faultAhead(long target) throws IOException {
    long at = Math.max(faultedBytes, usedBytes & -FAULT_STEP);
    while (at < target && !faultAheadUnsupported) {
      long end = Math.min(target, (at & -FAULT_STEP) + FAULT_STEP);
      synchronized (this) {
        if (closed) {
          return;
        }
        populate(at & -4096, end);
      }
      at = end;
      faultedBytes = at;
    }
  }

  private void populate(long from, long to) throws IOException {
    try {
      Posix.advise(space.address() + from, to - from, Posix.MADV_POPULATE_WRITE);
    } catch (PosixException e) {
      if (e.errno() == Posix.ENOSPC) {
        throw e;
      }
      faultAheadUnsupported = true;
      LOG.info("pages are not faulted ahead of use: {}", e.getMessage());
    }
  }

  private synchronized void grow() throws IOException {
    int file = descriptors.size();
    long start = ExtentLayout.start(file);
    long size = ExtentLayout.size(file);
    if (start + size > space.bytes()) {
      throw new CollectionFullException(kind, start);
    }
    Path path = path(file);
    boolean fresh = !Files.exists(path);
    if (fresh) {
      DurableFiles.requireRoom(path, size);
    }
    int fd = Posix.openFile(path);
    try {
      Posix.allocate(fd, 0, size);
      space.mapFile(fd, 0, size, start);
    } catch (PosixException e) {
      Posix.close(fd);
      if (fresh) {
        Files.deleteIfExists(path);
      }
      throw DurableFiles.isDiskFull(e) ? new DiskFullException(path, size, e) : e;
    }
    descriptors.add(fd);
    mappedBytes = start + size;
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
