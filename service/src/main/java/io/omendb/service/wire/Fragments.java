package io.omendb.service.wire;

import io.grpc.HasByteBuffer;
import io.omendb.storage.memory.Memory;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The bytes of one message where the transport left them: fragments in network buffers.
///
/// A message above 16 KiB comes in one fragment per HTTP/2 frame, cut again where a socket read
/// ended; values straddle the cuts, so nothing here is read as more than bytes except by
/// [#getLong]. Offsets are bytes from the start of the message.
///
/// A fragment is native (an absolute address) or on the heap (an array). Streams that give no
/// buffers (gzip, in-process, the small pieces that gRPC merges on the heap) are read into heap
/// chunks which this object keeps and reuses.
///
/// **Memory.** [#gather] marks the stream, so that passing the end of a fragment does not release
/// it. The fragments are gRPC's and live until it closes the stream, after `onMessage`. Native
/// reads are unchecked: every offset that comes from the wire is checked against the message's
/// length by [WireReader] before it gets here.
///
/// Not thread-safe.
final class Fragments {
  private static final int CHUNK_BYTES = 64 * 1024;

  /// Chunks kept between messages; larger fallback messages leave theirs to the collector.
  private static final int CHUNKS_KEPT = 16;

  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  // Fragment i covers [starts[i], starts[i + 1]). Its bytes lie at bases[i] + offset, as an
  // absolute
  // address if arrays[i] is null, else as an index of arrays[i]: start is already subtracted.
  private int[] starts = new int[64];
  private long[] bases = new long[64];
  private byte[] @Nullable [] arrays = new byte[64] @Nullable [];
  // Keeps the buffer objects reachable while only their addresses are used.
  private @Nullable ByteBuffer[] owners = new ByteBuffer[64];
  private int count;
  private boolean fallback;
  // The fragment used last: reads are sequential, mostly.
  private int hint;

  private byte[][] chunks = new byte[0][];

  /// Takes hold of all bytes of `in`, which must stay open while they are used.
  ///
  /// Leaves the stream's position at its end.
  void gather(InputStream in) throws IOException {
    clear();
    if (in instanceof HasByteBuffer buffers
        && buffers.byteBufferSupported()
        && in.markSupported()
        && gatherBuffers(in, buffers)) {
      return;
    }
    readThrough(in);
  }

  /// Forgets the message. Does not release buffers: those are gRPC's.
  void clear() {
    Arrays.fill(owners, 0, count, null);
    Arrays.fill(arrays, 0, count, null);
    count = 0;
    starts[0] = 0;
    hint = 0;
    fallback = false;
  }

  /// Length of the message in bytes.
  int length() {
    return starts[count];
  }

  int count() {
    return count;
  }

  int start(int fragment) {
    return starts[fragment];
  }

  long base(int fragment) {
    return bases[fragment];
  }

  byte @Nullable [] array(int fragment) {
    return arrays[fragment];
  }

  /// The way that bytes of a heap fragment take.
  BytePath heapPath() {
    return fallback ? BytePath.FALLBACK : BytePath.HEAP;
  }

  /// Copies `[offset, offset + length)` to native memory, in one copy a fragment, and returns how
  /// many of the bytes came from native fragments.
  int copy(int offset, int length, long address) {
    int fragment = find(offset);
    int from = offset;
    int end = offset + length;
    int nativeBytes = 0;
    while (from < end) {
      int part = Math.min(end, starts[fragment + 1]) - from;
      byte[] array = arrays[fragment];
      if (array == null) {
        Memory.copy(bases[fragment] + from, address, part);
        nativeBytes += part;
      } else {
        Memory.write(array, (int) (bases[fragment] + from), address, part);
      }
      address += part;
      from += part;
      fragment++;
    }
    hint = Math.max(0, fragment - 1);
    return nativeBytes;
  }

  /// As [#copy(int, int, long)], into `target` at byte `at`.
  int copy(int offset, int length, MemorySegment target, long at) {
    int fragment = find(offset);
    int from = offset;
    int end = offset + length;
    int nativeBytes = 0;
    while (from < end) {
      int part = Math.min(end, starts[fragment + 1]) - from;
      byte[] array = arrays[fragment];
      if (array == null) {
        MemorySegment.copy(Memory.ALL, bases[fragment] + from, target, at, part);
        nativeBytes += part;
      } else {
        MemorySegment.copy(MemorySegment.ofArray(array), bases[fragment] + from, target, at, part);
      }
      at += part;
      from += part;
      fragment++;
    }
    hint = Math.max(0, fragment - 1);
    return nativeBytes;
  }

  /// The byte at `offset`.
  byte getByte(int offset) {
    int fragment = find(offset);
    byte[] array = arrays[fragment];
    return array == null
        ? Memory.getByte(bases[fragment] + offset)
        : array[(int) (bases[fragment] + offset)];
  }

  /// The little-endian int64 at `offset`.
  long getLong(int offset) {
    int fragment = find(offset);
    if (offset + Long.BYTES <= starts[fragment + 1]) {
      byte[] array = arrays[fragment];
      return array == null
          ? Memory.getLong(bases[fragment] + offset)
          : MemorySegment.ofArray(array).get(LONG, bases[fragment] + offset);
    }
    long value = 0;
    for (int i = Long.BYTES - 1; i >= 0; i--) {
      value = (value << 8) | (getByte(offset + i) & 0xffL);
    }
    return value;
  }

  /// The bytes of `[offset, offset + length)` as a new array.
  byte[] bytes(int offset, int length) {
    byte[] bytes = new byte[length];
    copy(offset, length, MemorySegment.ofArray(bytes), 0);
    return bytes;
  }

  private int find(int offset) {
    int fragment = hint;
    if (offset < starts[fragment] || offset >= starts[fragment + 1]) {
      if (offset >= length()) {
        return count;
      }
      int found = Arrays.binarySearch(starts, 0, count, offset);
      fragment = found >= 0 ? found : -found - 2;
      hint = fragment;
    }
    return fragment;
  }

  private boolean gatherBuffers(InputStream in, HasByteBuffer buffers) throws IOException {
    int remaining = in.available();
    in.mark(remaining);
    while (remaining > 0) {
      ByteBuffer buffer = buffers.getByteBuffer();
      int length = buffer == null ? 0 : Math.min(buffer.remaining(), remaining);
      if (buffer == null
          || length == 0
          || !(buffer.isDirect() || buffer.hasArray())
          || in.skip(length) != length) {
        // A kind of buffer that we do not know: take the message the other way.
        in.reset();
        clear();
        return false;
      }
      add(buffer, length);
      remaining -= length;
    }
    return true;
  }

  private void add(ByteBuffer buffer, int length) {
    if (buffer.isDirect()) {
      addFragment(MemorySegment.ofBuffer(buffer).address(), null, buffer, length);
    } else {
      addFragment(buffer.arrayOffset() + buffer.position(), buffer.array(), buffer, length);
    }
  }

  private void addFragment(
      long base, byte @Nullable [] array, @Nullable ByteBuffer owner, int length) {
    if (count + 1 == starts.length) {
      int capacity = 2 * starts.length;
      starts = Arrays.copyOf(starts, capacity);
      bases = Arrays.copyOf(bases, capacity);
      arrays = Arrays.copyOf(arrays, capacity);
      owners = Arrays.copyOf(owners, capacity);
    }
    bases[count] = base - starts[count];
    arrays[count] = array;
    owners[count] = owner;
    starts[count + 1] = starts[count] + length;
    count++;
  }

  private void readThrough(InputStream in) throws IOException {
    fallback = true;
    for (int i = 0; ; i++) {
      byte[] chunk = chunk(i);
      int length = in.readNBytes(chunk, 0, chunk.length);
      if (length > 0) {
        addFragment(0, chunk, null, length);
      }
      if (length < chunk.length) {
        return;
      }
    }
  }

  private byte[] chunk(int i) {
    if (i < chunks.length) {
      return chunks[i];
    }
    byte[] chunk = new byte[CHUNK_BYTES];
    if (i < CHUNKS_KEPT) {
      chunks = Arrays.copyOf(chunks, i + 1);
      chunks[i] = chunk;
    }
    return chunk;
  }
}
