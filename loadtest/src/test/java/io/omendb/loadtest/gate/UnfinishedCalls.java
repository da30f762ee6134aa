package io.omendb.loadtest.gate;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** HTTP/2 by hand: calls on one connection whose messages begin and do not end. */
final class UnfinishedCalls implements Closeable {
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int WINDOW_UPDATE = 8;
  private static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;
  private static final int FRAME_BYTES = 16_384;
  private static final int FIRST_WINDOW = 65_535;

  private final Socket socket;
  private final DataOutputStream out;
  private final Semaphore window = new Semaphore(FIRST_WINDOW);
  private final Map<Integer, Semaphore> streamWindows = new ConcurrentHashMap<>();
  private final Set<Integer> ended = ConcurrentHashMap.newKeySet();

  private UnfinishedCalls(Socket socket) throws IOException {
    this.socket = socket;
    this.out = new DataOutputStream(socket.getOutputStream());
  }

  /**
   * Opens calls and sends the beginning of a message of each.
   *
   * @param path of the method
   * @param bytes of a message that are sent; one is missing
   */
  static UnfinishedCalls open(InetSocketAddress server, String path, int calls, int bytes)
      throws IOException, InterruptedException {
    UnfinishedCalls connection =
        new UnfinishedCalls(new Socket(server.getAddress(), server.getPort()));
    connection.out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    connection.write(SETTINGS, 0, 0, new byte[0]);
    Thread.ofVirtual().start(connection::read);
    byte[] beginning = ByteBuffer.allocate(bytes).put((byte) 0).putInt(bytes - 4).array();
    for (int call = 0; call < calls; call++) {
      int stream = 2 * call + 1;
      connection.write(HEADERS, END_HEADERS, stream, headers(path));
      for (int at = 0; at < bytes && !connection.ended.contains(stream); at += FRAME_BYTES) {
        int length = Math.min(FRAME_BYTES, bytes - at);
        connection.await(connection.streamWindow(stream), length);
        connection.await(connection.window, length);
        byte[] payload = new byte[length];
        System.arraycopy(beginning, at, payload, 0, length);
        connection.write(DATA, 0, stream, payload);
      }
    }
    return connection;
  }

  private Semaphore streamWindow(int stream) {
    return streamWindows.computeIfAbsent(stream, key -> new Semaphore(FIRST_WINDOW));
  }

  private void await(Semaphore credit, int length) throws IOException, InterruptedException {
    if (!credit.tryAcquire(length, 30, TimeUnit.SECONDS)) {
      throw new IOException("the server takes no more; it ended " + ended);
    }
  }

  /** Calls that the server has ended. */
  int ended() {
    return ended.size();
  }

  private synchronized void write(int type, int flags, int stream, byte[] payload)
      throws IOException {
    out.writeByte(payload.length >>> 16);
    out.writeShort(payload.length);
    out.writeByte(type);
    out.writeByte(flags);
    out.writeInt(stream);
    out.write(payload);
    out.flush();
  }

  private void read() {
    try {
      DataInputStream in = new DataInputStream(socket.getInputStream());
      while (true) {
        int length = (in.readUnsignedByte() << 16) | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        byte[] payload = in.readNBytes(length);
        if (type == WINDOW_UPDATE) {
          Semaphore credit = stream == 0 ? window : streamWindow(stream);
          credit.release(ByteBuffer.wrap(payload).getInt());
        } else if (type == RST_STREAM || (type == HEADERS && (flags & END_STREAM) != 0)) {
          if (ended.add(stream)) {
            streamWindow(stream).release(1 << 30);
          }
        }
      }
    } catch (IOException closed) {
      // by us, or by the server: its calls do not go on
    }
  }

  /** HPACK, every header as a literal that is not indexed. */
  private static byte[] headers(String path) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    String[] headers = {
      ":method", "POST",
      ":scheme", "http",
      ":path", path,
      ":authority", "localhost",
      "content-type", "application/grpc",
      "te", "trailers"
    };
    for (int i = 0; i < headers.length; i += 2) {
      block.write(0);
      for (String text : new String[] {headers[i], headers[i + 1]}) {
        block.write(text.length());
        block.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
      }
    }
    return block.toByteArray();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
