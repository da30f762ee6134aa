package io.omendb.storage.api;

/** What one write may hold. Each limit stands here alone; the layers above check against it. */
public final class WriteLimits {
  /** Most rows of one write. */
  public static final int MAX_ROWS = 1 << 20;

  /** Most bytes of a string id, as UTF-8; the least is 1. */
  public static final int MAX_STRING_ID_BYTES = 256;

  /** Most bytes of a payload. */
  public static final int MAX_PAYLOAD_BYTES = 1 << 16;

  private WriteLimits() {}
}
