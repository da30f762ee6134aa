package io.omendb.loadtest.client;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A request that is already encoded, so that sending it costs a client one copy and a load tester
 * measures the server and not itself.
 *
 * @param bytes the message; must stay as it is until the call has ended
 */
public record RawMessage(MemorySegment bytes) {

  private static final int CHUNK_BYTES = 1 << 16;

  /** A message in an array. */
  public static RawMessage of(byte[] bytes) {
    return new RawMessage(MemorySegment.ofArray(bytes));
  }

  /** The same method, taking encoded requests. */
  static <T> MethodDescriptor<RawMessage, T> method(MethodDescriptor<?, T> method) {
    return method.toBuilder(new Marshaller(), method.getResponseMarshaller()).build();
  }

  private static final class Marshaller implements MethodDescriptor.Marshaller<RawMessage> {

    @Override
    public InputStream stream(RawMessage message) {
      return new SegmentStream(message.bytes);
    }

    @Override
    public RawMessage parse(InputStream stream) {
      throw new UnsupportedOperationException("requests are sent, never read");
    }
  }

  /** Hands the message to the transport, through an array if it is off-heap. */
  private static final class SegmentStream extends InputStream implements KnownLength, Drainable {

    private final MemorySegment bytes;
    private long position;

    SegmentStream(MemorySegment bytes) {
      this.bytes = bytes;
    }

    @Override
    public int available() {
      return Math.toIntExact(bytes.byteSize() - position);
    }

    @Override
    public int read() {
      return position < bytes.byteSize() ? bytes.get(ValueLayout.JAVA_BYTE, position++) & 0xFF : -1;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      if (length > 0 && available() == 0) {
        return -1;
      }
      int n = Math.min(available(), length);
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, position, target, offset, n);
      position += n;
      return n;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int length = available();
      byte[] chunk = new byte[Math.min(length, CHUNK_BYTES)];
      while (available() > 0) {
        target.write(chunk, 0, read(chunk, 0, chunk.length));
      }
      return length;
    }
  }
}
