package io.omendb.service.wire;

/// The way of vector bytes from a request to where they are kept or used.
public enum BytePath {
  /// One copy, from a direct network buffer.
  DIRECT,
  /// One copy, from a heap buffer of the transport.
  HEAP,
  /// Read through a stream without buffers, then copied.
  FALLBACK
}
