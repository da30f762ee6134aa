package io.omendb.client;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Requests that are encoded already. */
final class EncodedRequests implements MethodDescriptor.Marshaller<byte[]> {

  /** The same method, taking encoded requests. */
  static <T> MethodDescriptor<byte[], T> method(MethodDescriptor<?, T> method) {
    return method.toBuilder(new EncodedRequests(), method.getResponseMarshaller()).build();
  }

  private EncodedRequests() {}

  @Override
  public InputStream stream(byte[] message) {
    return new MessageStream(message);
  }

  @Override
  public byte[] parse(InputStream stream) {
    throw new UnsupportedOperationException("requests are sent, never read");
  }

  /** Hands the message to the transport in one piece. */
  private static final class MessageStream extends ByteArrayInputStream
      implements KnownLength, Drainable {
    MessageStream(byte[] message) {
      super(message);
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      return Math.toIntExact(transferTo(target));
    }
  }
}
