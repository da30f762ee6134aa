package io.omendb.storage.api;

import java.nio.file.Path;

/** A file whose content cannot be trusted. */
public final class CorruptFileException extends StorageException {
  private static final long serialVersionUID = 1L;

  private final String file;
  private final long offset;
  private final String detail;

  public CorruptFileException(Path file, long offset, String detail) {
    super(file + " at offset " + offset + ": " + detail, null);
    this.detail = detail;
    this.file = file.toString();
    this.offset = offset;
  }

  public CorruptFileException(Path file, long offset, String what, long expected, long found) {
    this(
        file,
        offset,
        what + ", expected " + Long.toHexString(expected) + ", found " + Long.toHexString(found));
  }

  /** The damaged or missing file. */
  public String file() {
    return file;
  }

  /** What was found, without file and offset. */
  public String detail() {
    return detail;
  }

  /** Where the damage was seen, in bytes from the start of the file. */
  public long offset() {
    return offset;
  }
}
