package io.omendb.service.wire;

import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// A message in fragments of chosen sizes and kinds, as a transport would give it.
final class FragmentStream extends InputStream implements HasByteBuffer, KnownLength {
  /// What the fragments are.
  enum Kind {
    DIRECT,
    HEAP,
    MIXED,
    /// Direct ones, some of which cannot be shown as buffers, as where gRPC has merged them.
    PATCHY,
    /// None can be shown.
    NONE
  }

  private final List<ByteBuffer> fragments = new ArrayList<>();
  private final boolean[] hidden;
  private int current;
  private int marked = -1;

  private FragmentStream(boolean[] hidden) {
    this.hidden = hidden;
  }

  /// Cuts `message` at random, into fragments of at most `longest` bytes.
  static FragmentStream of(byte[] message, int longest, Kind kind, RandomGenerator random) {
    FragmentStream stream = new FragmentStream(new boolean[message.length]);
    int from = 0;
    while (from < message.length) {
      int length = Math.min(1 + random.nextInt(longest), message.length - from);
      boolean direct =
          kind == Kind.DIRECT
              || kind == Kind.PATCHY
              || (kind == Kind.MIXED && random.nextBoolean());
      stream.hidden[stream.fragments.size()] =
          kind == Kind.NONE || (kind == Kind.PATCHY && random.nextInt(3) == 0);
      // Something around it, so that reading outside a fragment gives other bytes.
      int before = random.nextInt(4);
      ByteBuffer buffer =
          direct
              ? ByteBuffer.allocateDirect(before + length + 3)
              : ByteBuffer.allocate(before + length + 3);
      buffer.position(before).put(message, from, length).flip().position(before);
      stream.fragments.add(buffer);
      from += length;
    }
    return stream;
  }

  @Override
  public boolean byteBufferSupported() {
    for (int i = current; i < fragments.size(); i++) {
      if (hidden[i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public @Nullable ByteBuffer getByteBuffer() {
    advance();
    if (current == fragments.size()) {
      return null;
    }
    if (hidden[current]) {
      throw new UnsupportedOperationException();
    }
    return fragments.get(current).slice();
  }

  @Override
  public int available() {
    int bytes = 0;
    for (ByteBuffer fragment : fragments.subList(current, fragments.size())) {
      bytes += fragment.remaining();
    }
    return bytes;
  }

  @Override
  public boolean markSupported() {
    return true;
  }

  @Override
  public synchronized void mark(int limit) {
    marked = current;
    fragments.forEach(ByteBuffer::mark);
  }

  @Override
  public synchronized void reset() {
    current = marked;
    fragments.forEach(ByteBuffer::reset);
  }

  @Override
  public long skip(long n) {
    long left = n;
    for (advance(); left > 0 && current < fragments.size(); advance()) {
      ByteBuffer fragment = fragments.get(current);
      int part = (int) Math.min(left, fragment.remaining());
      fragment.position(fragment.position() + part);
      left -= part;
    }
    return n - left;
  }

  @Override
  public int read() {
    advance();
    return current == fragments.size() ? -1 : fragments.get(current).get() & 0xff;
  }

  @Override
  public int read(byte[] target, int from, int length) {
    advance();
    if (current == fragments.size()) {
      return length == 0 ? 0 : -1;
    }
    int part = Math.min(length, fragments.get(current).remaining());
    fragments.get(current).get(target, from, part);
    return part;
  }

  private void advance() {
    while (current < fragments.size() && !fragments.get(current).hasRemaining()) {
      current++;
    }
  }
}
