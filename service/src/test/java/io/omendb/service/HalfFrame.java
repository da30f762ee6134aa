package io.omendb.service;

import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.InsertRequest;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// HTTP/2 by hand, to send a frame of BulkInsert, then the first half of another, and then break
/// the connection.
final class HalfFrame implements Closeable {
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int SETTINGS = 4;
  private static final int END_HEADERS = 4;

  private final Socket socket;
  private final int missing;

  private HalfFrame(Socket socket, int missing) {
    this.socket = socket;
    this.missing = missing;
  }

  static HalfFrame send(int port, InsertRequest whole, InsertRequest half) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    write(out, SETTINGS, 0, 0, new byte[0]);
    write(out, HEADERS, END_HEADERS, 1, headers());
    byte[] first = message(BulkClient.frame(whole).build());
    write(out, DATA, 0, 1, first);
    byte[] second = message(BulkClient.frame(half).build());
    int sent = Math.min(second.length / 2, 16_000);
    write(out, DATA, 0, 1, Arrays.copyOf(second, sent));
    out.flush();
    return new HalfFrame(socket, second.length - sent);
  }

  /// With gRPC's prefix: not compressed, length.
  private static byte[] message(BulkInsertRequest frame) {
    byte[] encoded = frame.toByteArray();
    return ByteBuffer.allocate(5 + encoded.length)
        .put((byte) 0)
        .putInt(encoded.length)
        .put(encoded)
        .array();
  }

  private static void write(DataOutputStream out, int type, int flags, int stream, byte[] payload)
      throws IOException {
    out.writeByte(payload.length >>> 16);
    out.writeShort(payload.length);
    out.writeByte(type);
    out.writeByte(flags);
    out.writeInt(stream);
    out.write(payload);
  }

  /// HPACK, every header as a literal that is not indexed.
  private static byte[] headers() {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    String[] headers = {
      ":method", "POST",
      ":scheme", "http",
      ":path", "/omendb.v1.VectorService/BulkInsert",
      ":authority", "localhost",
      "content-type", "application/grpc",
      "te", "trailers"
    };
    for (int i = 0; i < headers.length; i += 2) {
      block.write(0);
      string(block, headers[i]);
      string(block, headers[i + 1]);
    }
    return block.toByteArray();
  }

  private static void string(ByteArrayOutputStream block, String value) {
    block.write(value.length());
    block.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
  }

  int bytesMissing() {
    return missing;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
