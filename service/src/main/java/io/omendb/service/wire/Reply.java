package io.omendb.service.wire;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/// An encoded reply on its way into the transport.
///
/// gRPC asks a stream of known length to write itself into its own buffer: one copy, from the
/// encoder's array. The bytes belong to the [ReplyBuffer] that lent them.
public final class Reply extends InputStream implements KnownLength, Drainable {
  /// Hands replies to gRPC as they are.
  public static final Marshaller<Reply> MARSHALLER =
      new Marshaller<>() {
        @Override
        public InputStream stream(Reply reply) {
          return reply;
        }

        @Override
        public Reply parse(InputStream stream) {
          throw new UnsupportedOperationException("replies are only written here");
        }
      };

  /// The start of an array that is full.
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Part(byte[] bytes, int length) {}

  private List<Part> parts = List.of();
  private int next;
  private byte[] last = new byte[0];
  private int lastLength;

  /// The array being read.
  private byte[] bytes = last;

  private int position;
  private int length;

  /// Bytes in the arrays after it.
  private int later;

  Reply() {}

  /// What lies in `full`, one after the other, and then in the first `count` bytes of `array`.
  Reply of(List<Part> full, byte[] array, int count) {
    parts = full;
    next = 0;
    last = array;
    lastLength = count;
    later = count;
    for (int i = 0; i < full.size(); i++) {
      later += full.get(i).length();
    }
    turn();
    return this;
  }

  /// Goes on to the next array; false after the last.
  private boolean turn() {
    if (next > parts.size()) {
      return false;
    }
    bytes = next < parts.size() ? parts.get(next).bytes() : last;
    length = next < parts.size() ? parts.get(next).length() : lastLength;
    position = 0;
    later -= length;
    next++;
    return true;
  }

  @Override
  public int available() {
    return length - position + later;
  }

  @Override
  public int drainTo(OutputStream target) throws IOException {
    int count = available();
    do {
      target.write(bytes, position, length - position);
      position = length;
    } while (turn());
    return count;
  }

  @Override
  public int read() {
    while (position == length) {
      if (!turn()) {
        return -1;
      }
    }
    return bytes[position++] & 0xff;
  }

  @Override
  public int read(byte[] target, int from, int count) {
    if (count == 0) {
      return 0;
    }
    while (position == length) {
      if (!turn()) {
        return -1;
      }
    }
    int part = Math.min(count, length - position);
    System.arraycopy(bytes, position, target, from, part);
    position += part;
    return part;
  }
}
