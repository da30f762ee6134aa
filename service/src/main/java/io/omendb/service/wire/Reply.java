package io.omendb.service.wire;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

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

  private byte[] bytes = new byte[0];
  private int position;
  private int length;

  Reply() {}

  Reply of(byte[] array, int count) {
    bytes = array;
    position = 0;
    length = count;
    return this;
  }

  @Override
  public int available() {
    return length - position;
  }

  @Override
  public int drainTo(OutputStream target) throws IOException {
    int count = available();
    target.write(bytes, position, count);
    position = length;
    return count;
  }

  @Override
  public int read() {
    return position == length ? -1 : bytes[position++] & 0xff;
  }

  @Override
  public int read(byte[] target, int from, int count) {
    if (count == 0) {
      return 0;
    }
    int part = Math.min(count, available());
    if (part == 0) {
      return -1;
    }
    System.arraycopy(bytes, position, target, from, part);
    position += part;
    return part;
  }
}
