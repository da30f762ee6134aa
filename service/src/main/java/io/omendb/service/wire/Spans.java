package io.omendb.service.wire;

import java.util.Arrays;

/// A list of byte ranges of a message: the values of a repeated field, or the runs of a packed one.
///
/// A packed field is one run, almost always. A client may cut it as it likes, down to one element a
/// run, and then this list costs 8 bytes an element; long lists are not kept between messages.
final class Spans {
  private static final int KEPT = 64 * 1024;

  private int[] offsets = new int[8];
  private int[] lengths = new int[8];
  private int count;
  private int bytes;

  // The span used last and the bytes in all spans before it.
  private int hint;
  private int hintStart;

  void clear() {
    count = 0;
    bytes = 0;
    hint = 0;
    hintStart = 0;
    if (offsets.length > KEPT) {
      offsets = new int[8];
      lengths = new int[8];
    }
  }

  void add(int offset, int length) {
    if (count == offsets.length) {
      offsets = Arrays.copyOf(offsets, 2 * count);
      lengths = Arrays.copyOf(lengths, 2 * count);
    }
    offsets[count] = offset;
    lengths[count] = length;
    count++;
    bytes += length;
  }

  int count() {
    return count;
  }

  /// Sum of all lengths.
  int bytes() {
    return bytes;
  }

  int offset(int span) {
    return offsets[span];
  }

  int length(int span) {
    return lengths[span];
  }

  /// The offset in the message of byte `position` of all spans laid end to end.
  int locate(int position) {
    if (position < hintStart) {
      hint = 0;
      hintStart = 0;
    }
    while (position >= hintStart + lengths[hint]) {
      hintStart += lengths[hint];
      hint++;
    }
    return offsets[hint] + (position - hintStart);
  }

  /// Bytes from `position` to the end of the span that [#locate] just found it in.
  int contiguous(int position) {
    return hintStart + lengths[hint] - position;
  }
}
