package io.omendb.storage.file;

import io.omendb.storage.api.LockedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a data directory to one process, and within it to one user. Nothing else may open the LOCK
 * file: closing any descriptor of it would silently drop the kernel's lock.
 */
public final class DirectoryLock implements AutoCloseable {
  /** Name of its file. */
  public static final String FILE = "LOCK";

  private static final Set<Path> HELD_HERE = new HashSet<>();

  private final Path directory;
  private final FileChannel channel;

  private DirectoryLock(Path directory, FileChannel channel) {
    this.directory = directory;
    this.channel = channel;
  }

  public static DirectoryLock acquire(Path directory) throws IOException {
    Path real = directory.toRealPath();
    Path file = real.resolve(FILE);
    synchronized (HELD_HERE) {
      if (!HELD_HERE.add(real)) {
        throw new LockedException(file, "this process");
      }
      FileChannel channel = null;
      boolean held = false;
      try {
        channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        @Nullable FileLock lock = channel.tryLock();
        if (lock == null) {
          throw new LockedException(file, "another process");
        }
        held = true;
        return new DirectoryLock(real, channel);
      } finally {
        if (!held) {
          HELD_HERE.remove(real);
          if (channel != null) {
            channel.close();
          }
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    synchronized (HELD_HERE) {
      HELD_HERE.remove(directory);
      channel.close();
    }
  }
}
