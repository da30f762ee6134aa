package io.omendb.service.wire;

import io.grpc.Detachable;
import io.grpc.HasByteBuffer;
import io.grpc.KnownLength;
import io.omendb.memory.Memory;
import io.omendb.memory.Posix;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Objects;
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
/// it. The fragments are gRPC's and live until it closes the stream, after `onMessage`; unless
/// [#takeOver] makes them ours, until [#clear]. Native reads are unchecked: every offset that comes
/// from the wire is checked against the message's length by [WireReader] before it gets here.
///
/// Not thread-safe.
final class Fragments {
  private static final int CHUNK_BYTES = 64 * 1024;

  /// Chunks kept between messages; larger fallback messages leave theirs to the collector.
  private static final int CHUNKS_KEPT = 1;

  /// What is read at a time where a fragment has no buffer; those are short.
  private static final int PIECE_BYTES = 1024;

  /// After so many fragments without a buffer the rest is read without asking.
  private static final int REFUSALS_MAX = 16;

  private static final byte[] NO_BYTES = {};

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
  // What the fragments belong to: gRPC's until it is taken over.
  private @Nullable InputStream source;
  private boolean ours;
  // The fragment used last: reads are sequential, mostly.
  private int hint;

  private byte[][] kept = new byte[0][];
  private byte[] chunk = NO_BYTES;
  private int chunksUsed;
  private int chunkFilled;

  /// Takes hold of all bytes of `in`, which must stay open while they are used.
  ///
  /// Leaves the stream's position at its end.
  void gather(InputStream in) throws IOException {
    clear();
    if (in instanceof HasByteBuffer buffers && in instanceof KnownLength && in.markSupported()) {
      source = in;
      gatherBuffers(in, buffers);
    } else {
      readThrough(in);
    }
  }

  /// Whether all bytes lie in arrays of this object.
  boolean isOwn() {
    return source == null;
  }

  /// Makes gRPC's buffers ours, so that they outlive `onMessage`; false where it does not give
  /// them. Once a message.
  boolean takeOver() {
    if (source instanceof Detachable buffers) {
      source = buffers.detach();
      ours = true;
      return true;
    }
    return false;
  }

  /// Copies the bytes to the heap, as one fragment: they outlive `onMessage`.
  void copyToHeap() {
    int length = length();
    byte[] copy = bytes(0, length);
    clear();
    fallback = true;
    addFragment(0, copy, null, length);
  }

  /// Forgets the message, and gives back buffers that were taken over. Any others are gRPC's.
  void clear() {
    if (ours && source != null) {
      try {
        source.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e); // it only counts references
      }
    }
    ours = false;
    source = null;
    Arrays.fill(owners, 0, count, null);
    Arrays.fill(arrays, 0, count, null);
    count = 0;
    starts[0] = 0;
    hint = 0;
    fallback = false;
    chunksUsed = 0;
    chunk = NO_BYTES;
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

  /// Copies `[offset, offset + length)` into `target` at byte `at`, in one copy a fragment, and
  /// returns how many of the bytes came from native fragments.
  int copy(int offset, int length, MemorySegment target, long at) {
    int fragment = find(offset);
    int from = offset;
    int end = offset + length;
    int nativeBytes = 0;
    while (from < end) {
      int part = Math.min(end, starts[fragment + 1]) - from;
      byte[] array = arrays[fragment];
      if (array == null) {
        long checked = Objects.checkFromIndexSize(at, part, target.byteSize());
        if (target.isNative()) {
          Posix.copy(bases[fragment] + from, target.address() + checked, part);
        } else {
          MemorySegment.copy(Memory.ALL, bases[fragment] + from, target, checked, part);
        }
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

  /// Takes buffer after buffer. Where the next fragment is none, reads a piece and looks again:
  /// gRPC merges neighbours of less than 1 KiB on its heap and then says that the stream has no
  /// buffers, although all others are as they were. Without this 6 % of the frames of a bulk load
  /// would take the fallback whole.
  private void gatherBuffers(InputStream in, HasByteBuffer buffers) throws IOException {
    int remaining = in.available();
    in.mark(remaining);
    boolean promised = buffers.byteBufferSupported();
    int refusals = 0;
    while (remaining > 0) {
      ByteBuffer buffer = promised || refusals < REFUSALS_MAX ? nextBuffer(buffers) : null;
      int length = buffer == null ? 0 : Math.min(buffer.remaining(), remaining);
      if (buffer == null || length == 0) {
        refusals++;
        length = readPiece(in, Math.min(remaining, PIECE_BYTES));
        if (length == 0) {
          return;
        }
      } else {
        add(buffer, length);
        in.skipNBytes(length);
      }
      remaining -= length;
    }
  }

  private static @Nullable ByteBuffer nextBuffer(HasByteBuffer buffers) {
    try {
      ByteBuffer buffer = buffers.getByteBuffer();
      return buffer != null && (buffer.isDirect() || buffer.hasArray()) ? buffer : null;
    } catch (UnsupportedOperationException e) {
      // The documented answer of a fragment that has no buffer to show.
      return null;
    }
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
    while (readPiece(in, CHUNK_BYTES) > 0) {
      // Piece after piece.
    }
  }

  /// Reads up to `length` bytes into a chunk of ours, as a fragment; 0 at the end.
  private int readPiece(InputStream in, int length) throws IOException {
    if (chunksUsed == 0 || chunkFilled == CHUNK_BYTES) {
      chunk = nextChunk();
      chunkFilled = 0;
    }
    int read = in.readNBytes(chunk, chunkFilled, Math.min(length, CHUNK_BYTES - chunkFilled));
    if (read > 0) {
      fallback = true;
      addFragment(chunkFilled, chunk, null, read);
      chunkFilled += read;
    }
    return read;
  }

  private byte[] nextChunk() {
    int index = chunksUsed++;
    if (index < kept.length) {
      return kept[index];
    }
    byte[] fresh = new byte[CHUNK_BYTES];
    if (index < CHUNKS_KEPT) {
      kept = Arrays.copyOf(kept, index + 1);
      kept[index] = fresh;
    }
    return fresh;
  }
}
