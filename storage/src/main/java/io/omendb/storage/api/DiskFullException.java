package io.omendb.storage.api;

import org.jspecify.annotations.Nullable;

/** No room for the write. Nothing of it was applied; it may be tried again when there is room. */
public final class DiskFullException extends StorageException {
  private static final long serialVersionUID = 1L;

  public DiskFullException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
