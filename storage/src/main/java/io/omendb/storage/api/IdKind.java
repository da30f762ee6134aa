package io.omendb.storage.api;

/** What the ids of a collection are; fixed when it is created. */
public enum IdKind {
  /** Unsigned 64-bit numbers. */
  NUMERIC,
  /** UTF-8 strings of 1 to 256 bytes. */
  STRING
}
