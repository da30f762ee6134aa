package io.omendb.service.wire;

import io.omendb.storage.api.RowSource;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/// An InsertRequest or a frame of BulkInsert, seen in the network buffers it came in.
///
/// The columns have the same field numbers in both; the opening fields keep their defaults in an
/// InsertRequest, whose fields 8 and up are unknown and skipped.
///
/// **Memory.** A view: valid inside `onMessage` only, its bytes are gRPC's; after [#hold] until
/// `close`, which gives back the object itself as well. **Threads.** One at a time.
///
/// As a [RowSource] it may be read only after the columns were found to fit together: the caller
/// checks [#count], [#vectorBytes] and the ids before it hands the rows on.
public final class RowsMessage implements RowSource, AutoCloseable {
  final Fragments fragments = new Fragments();
  final NameCache collectionNames = new NameCache();
  final NameCache streamIds = new NameCache();

  final Spans numericIds = new Spans();
  final Spans stringIds = new Spans();
  final Spans vectors = new Spans();
  final Spans vectorsLe = new Spans();
  final Spans payloads = new Spans();

  String collection = "";
  int mode;
  long frameSequence;
  String streamId = "";
  boolean resume;
  int visibility;
  long expectedCount;
  boolean waitSearchable;
  @Nullable MalformedMessageException malformed;

  private final WireReader wire = new WireReader(fragments);
  private final ByteCounters counters;
  private final ArrayBlockingQueue<RowsMessage> pool;
  private @Nullable MemoryBudget holder;
  private long copiedDirect;
  private long copiedOther;

  /// Adds what it copies to `counters`, and goes to `pool` when it is closed.
  RowsMessage(ByteCounters counters, ArrayBlockingQueue<RowsMessage> pool) {
    this.counters = counters;
    this.pool = pool;
  }

  /// Ends the view and adds what it copied to the counters.
  @Override
  public void close() {
    counters.add(BytePath.DIRECT, copiedDirect);
    counters.add(fragments.heapPath(), copiedOther);
    copiedDirect = 0;
    copiedOther = 0;
    if (holder != null) {
      holder.release(bytes());
      holder = null;
    }
    clear();
    fragments.clear();
    // If the pool is full, the collector takes this one.
    boolean unused = pool.offer(this);
  }

  /// Makes the message outlive `onMessage`, and go to other threads, until it is closed: with the
  /// network's own buffers where `network` has room for them, else with a copy on the heap. False
  /// where there is no memory for either; then it is as before. Inside `onMessage`, once.
  public boolean hold(MemoryBudget network, MemoryBudget heap) {
    int bytes = bytes();
    if (!fragments.isOwn() && network.tryReserve(bytes)) {
      if (fragments.takeOver()) {
        holder = network;
        return true;
      }
      network.release(bytes);
    }
    if (!heap.tryReserve(bytes)) {
      return false;
    }
    holder = heap;
    if (!fragments.isOwn()) {
      fragments.copyToHeap();
    }
    return true;
  }

  /// A cursor over the fragments.
  WireReader wire() {
    return wire;
  }

  /// Sets every field to its default.
  void clear() {
    numericIds.clear();
    stringIds.clear();
    vectors.clear();
    vectorsLe.clear();
    payloads.clear();
    collection = "";
    mode = 0;
    frameSequence = 0;
    streamId = "";
    resume = false;
    visibility = 0;
    expectedCount = 0;
    waitSearchable = false;
    malformed = null;
  }

  /// What is wrong with the bytes; then no other field means anything. Null: nothing.
  public @Nullable MalformedMessageException malformed() {
    return malformed;
  }

  /// Length of the message.
  public int bytes() {
    return fragments.length();
  }

  /// Field `collection`.
  public String collection() {
    return collection;
  }

  /// Number of field `mode`, a WriteMode or a number that this server does not know.
  public int mode() {
    return mode;
  }

  /// Field `frame_sequence`, unsigned.
  public long frameSequence() {
    return frameSequence;
  }

  /// Field `stream_id`.
  public String streamId() {
    return streamId;
  }

  /// Field `resume`.
  public boolean resume() {
    return resume;
  }

  /// Number of field `visibility`, a Visibility or a number that this server does not know.
  public int visibility() {
    return visibility;
  }

  /// Field `expected_count`, unsigned.
  public long expectedCount() {
    return expectedCount;
  }

  /// Field `wait_searchable`.
  public boolean waitSearchable() {
    return waitSearchable;
  }

  /// Elements of `numeric_ids`.
  public int numericIdCount() {
    return numericIds.bytes() / Long.BYTES;
  }

  /// Elements of `string_ids`.
  public int stringIdCount() {
    return stringIds.count();
  }

  /// Elements of `payloads`.
  public int payloadCount() {
    return payloads.count();
  }

  /// Both `vectors` and `vectors_le` are there.
  public boolean hasBothTwins() {
    return vectors.bytes() > 0 && vectorsLe.bytes() > 0;
  }

  /// The vector block came as `vectors_le`.
  public boolean hasVectorsLe() {
    return vectorsLe.bytes() > 0;
  }

  /// Length of the vector block, whichever twin it came in.
  public int vectorBytes() {
    return block().bytes();
  }

  /// Nothing of a block is there: no ids, no vectors, no payloads.
  public boolean hasNoRows() {
    return numericIds.bytes() == 0
        && stringIds.count() == 0
        && vectorBytes() == 0
        && payloads.count() == 0;
  }

  @Override
  public int count() {
    return numericIdCount() + stringIdCount();
  }

  @Override
  public void copyVectors(int from, int n, MemorySegment target, long at, int stride) {
    Spans block = block();
    int rowBytes = block.bytes() / count();
    if (stride == rowBytes) {
      copyBlock(block, from * rowBytes, n * rowBytes, target, at);
      return;
    }
    for (int row = from; row < from + n; row++) {
      copyBlock(block, row * rowBytes, rowBytes, target, at + (long) (row - from) * stride);
    }
  }

  @Override
  public long numericId(int row) {
    // Runs of a packed field are whole elements, so an element never lies in two of them.
    return fragments.getLong(numericIds.locate(row * Long.BYTES));
  }

  @Override
  public int stringIdLength(int row) {
    return stringIds.length(row);
  }

  @Override
  public void copyStringId(int row, MemorySegment target, long at) {
    fragments.copy(stringIds.offset(row), stringIds.length(row), target, at);
  }

  @Override
  public int payloadLength(int row) {
    return payloads.count() == 0 ? 0 : payloads.length(row);
  }

  @Override
  public void copyPayload(int row, MemorySegment target, long at) {
    if (payloads.count() != 0) {
      fragments.copy(payloads.offset(row), payloads.length(row), target, at);
    }
  }

  /// String id `row`, decoded; for error messages and tests.
  String stringId(int row) {
    return new String(
        fragments.bytes(stringIds.offset(row), stringIds.length(row)), StandardCharsets.UTF_8);
  }

  /// Component `index` of the vector block; for error messages and tests.
  public float component(int index) {
    Spans block = block();
    int bits = 0;
    for (int i = Float.BYTES - 1; i >= 0; i--) {
      bits = (bits << 8) | (fragments.getByte(block.locate(index * Float.BYTES + i)) & 0xff);
    }
    return Float.intBitsToFloat(bits);
  }

  /// Payload `row`, copied; for tests.
  byte[] payload(int row) {
    return fragments.bytes(payloads.offset(row), payloads.length(row));
  }

  /// The whole `vectors` column, copied; for tests.
  byte[] vectorBlock(boolean littleEndianBytes) {
    Spans block = littleEndianBytes ? vectorsLe : vectors;
    byte[] bytes = new byte[block.bytes()];
    int at = 0;
    for (int i = 0; i < block.count(); i++) {
      fragments.copy(block.offset(i), block.length(i), MemorySegment.ofArray(bytes), at);
      at += block.length(i);
    }
    return bytes;
  }

  private Spans block() {
    return vectorsLe.bytes() > 0 ? vectorsLe : vectors;
  }

  private void copyBlock(Spans block, int position, int length, MemorySegment target, long at) {
    int end = position + length;
    while (position < end) {
      int offset = block.locate(position);
      int part = Math.min(block.contiguous(position), end - position);
      int direct = fragments.copy(offset, part, target, at);
      copiedDirect += direct;
      copiedOther += part - direct;
      at += part;
      position += part;
    }
  }
}
