package io.omendb.service.wire;

import com.google.protobuf.MessageLite;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A growing buffer that the hot replies are encoded into, in the protobuf wire format.
///
/// Nested messages need their length before their content; callers compute it with the `size…`
/// methods, which mirror the `put…` ones. One per thread that answers, so that a reply allocates
/// nothing: [#finish] lends the bytes until the next [#clear]. One array while the reply is small;
/// a large one lies in several, since doubling one would take three times its size.
///
/// Not thread-safe.
public final class ReplyBuffer {
  /// The largest array, but for a field that is longer; larger ones are not kept.
  private static final int ARRAY_BYTES = 1 << 20;

  private final Reply reply = new Reply();
  private final List<Reply.Part> full = new ArrayList<>();
  private byte[] bytes = new byte[1024];

  /// Bytes used of the array at hand.
  private int length;

  /// Bytes in those that are full.
  private int fullBytes;

  /// Starts a reply; what was lent before becomes invalid.
  public void clear() {
    length = 0;
    fullBytes = 0;
    full.clear();
    if (bytes.length > ARRAY_BYTES) {
      bytes = new byte[1024];
    }
  }

  /// Length so far.
  public int length() {
    return fullBytes + length;
  }

  /// The reply, valid until the next [#clear] of this buffer.
  ///
  /// Netty's transport copies it while the message is sent. A transport that reads later, as the
  /// in-process one does, needs `copied`: a reply with bytes of its own.
  public Reply finish(boolean copied) {
    if (copied) {
      byte[] own = new byte[length()];
      int at = 0;
      for (Reply.Part part : full) {
        System.arraycopy(part.bytes(), 0, own, at, part.length());
        at += part.length();
      }
      System.arraycopy(bytes, 0, own, at, length);
      return new Reply().of(List.of(), own, own.length);
    }
    return reply.of(full, bytes, length);
  }

  /// Puts a uint32, uint64, bool or enum field, unless it is 0.
  public void putVarint(int field, long value) {
    if (value != 0) {
      room(20);
      varint(field << 3);
      varint(value);
    }
  }

  /// Puts a fixed64 field, also if it is 0.
  public void putFixed64(int field, long value) {
    room(10);
    varint(field << 3 | 1);
    putLittleEndian(value);
  }

  /// Puts eight bytes without a tag, as an element of a packed field.
  public void putLittleEndian(long value) {
    room(Long.BYTES);
    for (int i = 0; i < Long.BYTES; i++) {
      bytes[length++] = (byte) (value >>> (8 * i));
    }
  }

  /// Puts a float field, unless its bits are 0.
  public void putFloat(int field, float value) {
    int bits = Float.floatToRawIntBits(value);
    if (bits != 0) {
      room(14);
      varint(field << 3 | 5);
      for (int i = 0; i < Integer.BYTES; i++) {
        bytes[length++] = (byte) (bits >>> (8 * i));
      }
    }
  }

  /// Puts the tag and length of a record whose `size` bytes follow.
  public void putRecord(int field, int size) {
    room(20);
    varint(field << 3 | 2);
    varint(size);
  }

  /// Puts a nested message of generated code.
  public void putMessage(int field, MessageLite message) {
    byte[] encoded = message.toByteArray();
    putRecord(field, encoded.length);
    room(encoded.length);
    System.arraycopy(encoded, 0, bytes, length, encoded.length);
    length += encoded.length;
  }

  /// Makes room for `count` bytes and returns where they go in [#array]; the caller fills them.
  public int reserve(int count) {
    room(count);
    int at = length;
    length += count;
    return at;
  }

  /// The array at hand, where [#reserve] made room; changes when the reply grows.
  public byte[] array() {
    return bytes;
  }

  /// Bytes of a varint.
  static int sizeVarint(long value) {
    return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
  }

  /// Bytes of what [#putVarint(int, long)] puts.
  static int sizeVarint(int field, long value) {
    return value == 0 ? 0 : sizeVarint((long) field << 3) + sizeVarint(value);
  }

  /// Bytes of what [#putFixed64] puts.
  public static int sizeFixed64(int field) {
    return sizeVarint((long) field << 3) + Long.BYTES;
  }

  /// Bytes of what [#putFloat] puts.
  public static int sizeFloat(int field, float value) {
    return Float.floatToRawIntBits(value) == 0 ? 0 : sizeVarint((long) field << 3) + Float.BYTES;
  }

  /// Bytes of a record with its content of `size` bytes. A long: sums of these may not fit an int.
  public static long sizeRecord(int field, long size) {
    return sizeVarint((long) field << 3) + sizeVarint(size) + size;
  }

  private void varint(long value) {
    while ((value & ~0x7fL) != 0) {
      bytes[length++] = (byte) (value | 0x80);
      value >>>= 7;
    }
    bytes[length++] = (byte) value;
  }

  private void room(int count) {
    if (count <= bytes.length - length) {
      return;
    }
    long wanted = Math.max((long) length + count, 2L * bytes.length);
    if (wanted <= ARRAY_BYTES) {
      bytes = Arrays.copyOf(bytes, (int) wanted);
      return;
    }
    full.add(new Reply.Part(bytes, length));
    fullBytes = Math.addExact(fullBytes, length);
    bytes = new byte[Math.max(count, ARRAY_BYTES)];
    length = 0;
  }
}
