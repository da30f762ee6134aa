package io.omendb.service.wire;

import com.google.protobuf.WireFormat;
import io.omendb.memory.Memory;
import org.jspecify.annotations.Nullable;

/// A cursor over the [Fragments] of a message that reads the elements of the protobuf wire format.
///
/// Accepts and refuses what `CodedInputStream` does, down to its leniences: a varint of up to ten
/// bytes for a 32-bit value, whose upper bits are dropped. Not thread-safe.
final class WireReader {
  /// As in `CodedInputStream`: groups and messages nested deeper are refused.
  private static final int DEPTH_LIMIT = 100;

  private final Fragments fragments;

  // The fragment under the cursor: its byte at an offset lies at base + offset.
  private int fragment;
  private byte @Nullable [] array;
  private long base;
  private int fragmentEnd;

  private int offset;
  private int limit;
  private int depth;

  WireReader(Fragments fragments) {
    this.fragments = fragments;
  }

  /// Goes to the start of the message.
  void start() {
    offset = 0;
    limit = fragments.length();
    depth = 0;
    enter(0);
  }

  /// Bytes from the start of the message to the cursor.
  int offset() {
    return offset;
  }

  /// The next tag; 0 at the end of the message, or of the message nested in it.
  int readTag() throws MalformedMessageException {
    if (offset == limit) {
      return 0;
    }
    int at = offset;
    int tag = (int) readVarint();
    if (WireFormat.getTagFieldNumber(tag) == 0) {
      throw new MalformedMessageException("a tag with field number 0", at);
    }
    return tag;
  }

  /// A varint of up to ten bytes.
  long readVarint() throws MalformedMessageException {
    int at = offset;
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      byte b = readByte();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw new MalformedMessageException("a varint of more than 10 bytes", at);
  }

  /// Four bytes, little-endian.
  int readFixed32() throws MalformedMessageException {
    require(Integer.BYTES);
    int value = 0;
    for (int shift = 0; shift < 32; shift += 8) {
      value |= (readByte() & 0xff) << shift;
    }
    return value;
  }

  /// The length of a record that is wholly there; the cursor stands at its first byte.
  int readLength() throws MalformedMessageException {
    int at = offset;
    int length = (int) readVarint();
    if (length < 0 || length > limit - offset) {
      throw new MalformedMessageException(
          "a length of " + Integer.toUnsignedString(length) + ", past the end", at);
    }
    return length;
  }

  /// The length of a packed record of elements of `size` bytes.
  int readPackedLength(int size) throws MalformedMessageException {
    int at = offset;
    int length = readLength();
    if (length % size != 0) {
      throw new MalformedMessageException(
          "a packed record of " + length + " bytes, no multiple of " + size, at);
    }
    return length;
  }

  /// Passes `length` bytes, which must be there.
  void skip(int length) throws MalformedMessageException {
    require(length);
    offset += length;
  }

  /// Passes `length` bytes, which must be there and be UTF-8.
  void skipUtf8(int length) throws MalformedMessageException {
    int at = offset;
    int end = offset + length;
    // What may follow: `needed` continuation bytes, the next of them in [low, high].
    int needed = 0;
    int low = 0x80;
    int high = 0xbf;
    while (offset < end) {
      int b = readByte() & 0xff;
      if (needed == 0) {
        if (b < 0x80) {
          continue;
        }
        if (b < 0xc2 || b > 0xf4) {
          throw invalidUtf8(at);
        }
        needed = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
        // No overlong forms, no surrogates, nothing above U+10FFFF.
        low = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
        high = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
      } else {
        if (b < low || b > high) {
          throw invalidUtf8(at);
        }
        low = 0x80;
        high = 0xbf;
        needed--;
      }
    }
    if (needed != 0) {
      throw invalidUtf8(at);
    }
  }

  private static MalformedMessageException invalidUtf8(int at) {
    return new MalformedMessageException("a string that is not UTF-8", at);
  }

  /// Passes a field that is not known, whose tag was just read.
  void skipUnknown(int tag) throws MalformedMessageException {
    switch (WireFormat.getTagWireType(tag)) {
      case WireFormat.WIRETYPE_VARINT -> readVarint();
      case WireFormat.WIRETYPE_FIXED64 -> skip(Long.BYTES);
      case WireFormat.WIRETYPE_FIXED32 -> skip(Integer.BYTES);
      case WireFormat.WIRETYPE_LENGTH_DELIMITED -> skip(readLength());
      case WireFormat.WIRETYPE_START_GROUP -> skipGroup(WireFormat.getTagFieldNumber(tag));
      case WireFormat.WIRETYPE_END_GROUP ->
          throw new MalformedMessageException("the end of a group that did not start", offset);
      default -> throw new MalformedMessageException("an unknown wire type", offset);
    }
  }

  /// Passes a nested message of which no field is known, checking that it is one.
  void skipMessage() throws MalformedMessageException {
    int length = readLength();
    int outer = limit;
    limit = offset + length;
    deeper();
    for (int tag = readTag(); tag != 0; tag = readTag()) {
      skipUnknown(tag);
    }
    depth--;
    limit = outer;
  }

  private void skipGroup(int number) throws MalformedMessageException {
    deeper();
    int end = number << 3 | WireFormat.WIRETYPE_END_GROUP;
    for (int tag = readTag(); tag != end; tag = readTag()) {
      if (tag == 0) {
        throw new MalformedMessageException("a group without an end", offset);
      }
      skipUnknown(tag);
    }
    depth--;
  }

  private void deeper() throws MalformedMessageException {
    if (++depth > DEPTH_LIMIT) {
      throw new MalformedMessageException("fields nested too deep", offset);
    }
  }

  private void require(int length) throws MalformedMessageException {
    if (length > limit - offset) {
      throw new MalformedMessageException("the message ends too early", offset);
    }
  }

  private byte readByte() throws MalformedMessageException {
    int at = offset;
    if (at >= limit) {
      throw new MalformedMessageException("the message ends too early", at);
    }
    while (at >= fragmentEnd) {
      enter(fragment + 1);
    }
    offset = at + 1;
    byte[] heap = array;
    return heap == null ? Memory.getByte(base + at) : heap[(int) (base + at)];
  }

  private void enter(int index) {
    fragment = index;
    if (index < fragments.count()) {
      array = fragments.array(index);
      base = fragments.base(index);
      fragmentEnd = fragments.start(index + 1);
    } else {
      array = null;
      base = 0;
      fragmentEnd = 0;
    }
  }
}
