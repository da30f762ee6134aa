package io.omendb.storage.api;

import java.nio.file.Path;

/** A data directory of a format that this version does not read. */
public final class FormatException extends StorageException {
  private static final long serialVersionUID = 1L;

  public FormatException(Path file, String detail) {
    super(file + ": " + detail, null);
  }
}
