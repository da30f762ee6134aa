package io.omendb.storage.wal;

import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of one log: the one being written, the next, allocated ahead, and those that are full.
 * A file that no checkpoint needs any more is kept for reuse or deleted.
 *
 * <p>Every method is called under the log's lock, which guards every field, but for {@link #sync},
 * {@link #forgetUnsynced} and the list they use: those are of the log's thread, which alone rolls
 * the files.
 */
final class LogFiles {
  private static final Logger LOG = LoggerFactory.getLogger(LogFiles.class);
  private static final long LARGEST_FILE = 64L << 20;
  private static final int RECYCLED_FILES = 2;

  private final String name;
  private final Path directory;
  private final UUID collection;
  private final Executor background;
  private final LogMark mark;
  private WalFile current;
  private @Nullable CompletableFuture<WalFile> next;
  private final List<WalFile> rolled = new ArrayList<>();
  private final ArrayDeque<Path> recycled = new ArrayDeque<>();

  /** Full files not known to be durable. Of the log's thread. */
  private final List<WalFile> unsynced = new ArrayList<>();

  /**
   * @param file to write to, owned from now on
   * @param background runs the allocation of the next file
   */
  LogFiles(
      String name,
      Path directory,
      UUID collection,
      WalFile file,
      LogMark mark,
      Executor background) {
    this.name = name;
    this.directory = directory;
    this.collection = collection;
    this.current = file;
    this.mark = mark;
    this.background = background;
  }

  /** The file being written. */
  WalFile current() {
    return current;
  }

  /**
   * Makes sure that the current file or the next takes so many bytes.
   *
   * @throws io.omendb.storage.api.DiskFullException if there is no room for the log
   */
  void reserve(long bytes) throws IOException {
    if (bytes <= current.room() || bytes <= roomOfNext()) {
      return;
    }
    if (next != null) {
      WalFile tooSmall = next.join();
      next = null;
      tooSmall.close();
      Files.delete(tooSmall.path());
    }
    long least = Math.max(Wal.SMALLEST_FILE, bytes + WalLayout.FILE_HEADER_BYTES);
    long size = Math.max(nextFileBytes(), least);
    next = CompletableFuture.completedFuture(createAfter(current, size, least, recycledFor(size)));
  }

  /** Room of the prepared file, after its preparation; 0 where there is none. */
  private long roomOfNext() {
    if (next == null) {
      return 0;
    }
    try {
      return next.join().room();
    } catch (CompletionException e) {
      // Most likely a full disk; trying again tells.
      LOG.warn("cannot prepare a log file for {} ahead of use: {}", name, e.toString());
      next = null;
      return 0;
    }
  }

  /** The file for the next batch: the current one, or the next where it has too little room. */
  WalFile roll(long bytes) {
    if (bytes > current.room()) {
      if (next == null) {
        throw new IllegalStateException("no log file was reserved for " + bytes + " bytes");
      }
      rolled.add(current);
      unsynced.add(current);
      current = next.join();
      next = null;
    }
    if (next == null && current.room() - bytes < current.bytes() / 2) {
      prepareNext();
    }
    return current;
  }

  private void prepareNext() {
    long bytes = nextFileBytes();
    Path reuse = recycledFor(bytes);
    WalFile predecessor = current;
    next =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return createAfter(predecessor, bytes, Wal.SMALLEST_FILE, reuse);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            },
            background);
  }

  private long nextFileBytes() {
    return Math.min(LARGEST_FILE, 2 * current.bytes());
  }

  private @Nullable Path recycledFor(long bytes) {
    return bytes <= LARGEST_FILE ? recycled.poll() : null;
  }

  /** A file of {@code bytes}, or of {@code least} on a disk that has no more. */
  private WalFile createAfter(WalFile predecessor, long bytes, long least, @Nullable Path reuse)
      throws IOException {
    long sequence = predecessor.sequence() + 1;
    WalFile file;
    try {
      file = WalFile.create(directory, collection, sequence, bytes, reuse);
    } catch (DiskFullException e) {
      if (bytes <= least) {
        throw e;
      }
      file = WalFile.create(directory, collection, sequence, least, null);
    }
    mark.created(sequence);
    return file;
  }

  /** Brings every file written to so far to the device. The log's thread, without the lock. */
  void sync() throws IOException {
    for (WalFile file : unsynced) {
      file.sync();
    }
    unsynced.clear();
    current.sync();
  }

  /** What lies before {@code sequence} is durable by a checkpoint. The log's thread. */
  void forgetUnsynced(long sequence) {
    unsynced.removeIf(file -> file.sequence() < sequence);
  }

  /** Closes the full files before {@code sequence}. */
  void closeRolled(long sequence) throws IOException {
    for (WalFile file : List.copyOf(rolled)) {
      if (file.sequence() < sequence) {
        rolled.remove(file);
        file.close();
      }
    }
  }

  /** Keeps some of the files before {@code sequence} for reuse; the caller deletes the others. */
  List<Path> recycle(long sequence) throws IOException {
    List<Path> retired = new ArrayList<>();
    for (Path file : DurableFiles.list(directory)) {
      long old = WalFile.sequenceOf(file);
      if (old < 0 || old >= sequence || recycled.contains(file)) {
        continue;
      }
      if (recycled.size() < RECYCLED_FILES && Files.size(file) == LARGEST_FILE) {
        recycled.add(file);
      } else {
        retired.add(file);
      }
    }
    return retired;
  }

  /**
   * Closes every file.
   *
   * @param durableLsn up to which the log is durable, for the mark of its end; 0 where that is not
   *     known
   */
  void close(long durableLsn) throws IOException {
    for (WalFile file : rolled) {
      file.close();
    }
    current.close();
    if (roomOfNext() > 0 && next != null) {
      next.join().close();
    }
    mark.reached(durableLsn);
  }
}
