package io.omendb.service.wire;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The last string of a field that repeats itself from message to message, such as a collection's
/// name, so that it is not decoded anew each time.
final class NameCache {
  private static final int LENGTH_MAX = 128;

  private final byte[] scratch = new byte[LENGTH_MAX];
  private byte[] bytes = new byte[0];
  private String string = "";

  /// The string of `[offset, offset + length)`, which was checked to be UTF-8.
  String get(Fragments fragments, int offset, int length) {
    if (length > LENGTH_MAX) {
      return new String(fragments.bytes(offset, length), StandardCharsets.UTF_8);
    }
    fragments.copy(offset, length, MemorySegment.ofArray(scratch), 0);
    if (!Arrays.equals(scratch, 0, length, bytes, 0, bytes.length)) {
      bytes = Arrays.copyOf(scratch, length);
      string = new String(bytes, StandardCharsets.UTF_8);
    }
    return string;
  }
}
