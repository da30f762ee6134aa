package io.omendb.storage.api;

import java.nio.file.Path;

/** The data directory is in use, by this process or another. */
public final class LockedException extends StorageException {
  private static final long serialVersionUID = 1L;

  public LockedException(Path file, String holder) {
    super(file + ": the data directory is in use by " + holder, null);
  }
}
