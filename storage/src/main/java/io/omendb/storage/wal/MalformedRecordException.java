package io.omendb.storage.wal;

/** A record whose batch checksum is right contradicts itself; the reader adds where it lies. */
public final class MalformedRecordException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Says what is wrong. */
  public MalformedRecordException(String detail) {
    super(detail);
  }
}
