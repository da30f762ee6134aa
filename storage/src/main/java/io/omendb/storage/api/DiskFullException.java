package io.omendb.storage.api;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** No room for the write. Nothing of it was applied; it may be tried again when there is room. */
public final class DiskFullException extends StorageException {
  private static final long serialVersionUID = 1L;

  /**
   * @param file that found no room
   * @param bytes it asked for
   */
  public DiskFullException(Path file, long bytes, @Nullable Throwable cause) {
    super(file + ": no room for " + bytes + " bytes", cause);
  }
}
