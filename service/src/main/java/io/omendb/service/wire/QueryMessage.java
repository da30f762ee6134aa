package io.omendb.service.wire;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;
import org.jspecify.annotations.Nullable;

/// A SearchRequest or SearchBatchRequest with a copy of its queries.
///
/// **Memory.** Owns everything it holds, so it outlives `onMessage` and may travel to another
/// thread. `close` gives it back for reuse; it must not be touched after that. **Threads.** One at
/// a time.
public final class QueryMessage implements AutoCloseable {
  /// Longer query buffers are not kept: they are what is too small to be counted.
  private static final int KEPT_FLOATS = MemoryBudget.SMALL_BYTES / Float.BYTES;

  private final ArrayBlockingQueue<QueryMessage> pool;
  private final MemoryBudget budget;
  private long reserved;

  String collection = "";
  int k;
  int ef;
  boolean exact;
  boolean bothTwins;
  boolean littleEndianBytes;
  int vectorBytes;
  boolean memoryFull;
  boolean hasMaxDistance;
  float maxDistance;
  long minVisibleSequence;
  boolean includeVectors;
  boolean includePayloads;
  boolean explain;
  boolean hasFilter;
  int vectorFormat;
  long arrivalNanos;
  @Nullable MalformedMessageException malformed;

  private float[] queries = new float[0];
  private MemorySegment queryBytes = MemorySegment.ofArray(queries);

  QueryMessage(ArrayBlockingQueue<QueryMessage> pool, MemoryBudget budget) {
    this.pool = pool;
    this.budget = budget;
  }

  /// Gives the object back.
  @Override
  public void close() {
    if (queries.length > KEPT_FLOATS) {
      queries = new float[0];
      queryBytes = MemorySegment.ofArray(queries);
    }
    budget.release(reserved);
    reserved = 0;
    // If the pool is full, the collector takes this one.
    boolean unused = pool.offer(this);
  }

  /// Sets every field to its default.
  void clear() {
    collection = "";
    k = 0;
    ef = 0;
    exact = false;
    bothTwins = false;
    littleEndianBytes = false;
    vectorBytes = 0;
    memoryFull = false;
    hasMaxDistance = false;
    maxDistance = 0;
    minVisibleSequence = 0;
    includeVectors = false;
    includePayloads = false;
    explain = false;
    hasFilter = false;
    vectorFormat = 0;
    arrivalNanos = 0;
    malformed = null;
  }

  /// Takes the memory of a block of `bytes`; where there is none, the block is not copied.
  boolean tryReserve(int bytes) {
    if (bytes <= MemoryBudget.SMALL_BYTES) {
      return true;
    }
    memoryFull = !budget.tryReserve(bytes);
    reserved = memoryFull ? 0 : bytes;
    return !memoryFull;
  }

  /// Room for a block of `bytes`; what is beyond its last whole float is zero.
  MemorySegment reserve(int bytes) {
    int floats = (bytes + Float.BYTES - 1) / Float.BYTES;
    if (floats > queries.length) {
      queries = new float[Math.max(floats, Math.min(2 * queries.length, KEPT_FLOATS))];
      queryBytes = MemorySegment.ofArray(queries);
    }
    return queryBytes;
  }

  /// What is wrong with the bytes; then no other field means anything. Null: nothing.
  public @Nullable MalformedMessageException malformed() {
    return malformed;
  }

  /// Field `collection`.
  public String collection() {
    return collection;
  }

  /// Field `k`, unsigned.
  public int k() {
    return k;
  }

  /// Field `ef`, unsigned.
  public int ef() {
    return ef;
  }

  /// Field `exact`.
  public boolean exact() {
    return exact;
  }

  /// Both twins of the query block are there; then the queries are not copied.
  public boolean hasBothTwins() {
    return bothTwins;
  }

  /// There was no memory for the queries; they are not copied.
  public boolean isMemoryFull() {
    return memoryFull;
  }

  /// The block came as bytes, in the twin whose name ends in `_le`.
  public boolean hasLittleEndianBytes() {
    return littleEndianBytes;
  }

  /// Length of the query block, whichever twin it came in.
  public int vectorBytes() {
    return vectorBytes;
  }

  /// The queries, end to end; valid up to `vectorBytes / 4`. Owned by this object.
  public float[] queries() {
    return queries;
  }

  /// Copies query `index` of `dimension` components.
  public void copyQuery(int index, int dimension, float[] target) {
    System.arraycopy(queries, index * dimension, target, 0, dimension);
  }

  /// Field `max_distance` is there.
  public boolean hasMaxDistance() {
    return hasMaxDistance;
  }

  /// Field `max_distance`.
  public float maxDistance() {
    return maxDistance;
  }

  /// Field `min_visible_sequence`, unsigned.
  public long minVisibleSequence() {
    return minVisibleSequence;
  }

  /// Field `include_vectors`.
  public boolean includeVectors() {
    return includeVectors;
  }

  /// Field `include_payloads`.
  public boolean includePayloads() {
    return includePayloads;
  }

  /// Field `explain`.
  public boolean explain() {
    return explain;
  }

  /// Field `filter` is there.
  public boolean hasFilter() {
    return hasFilter;
  }

  /// Number of field `vector_format`, a VectorFormat or a number that this server does not know.
  public int vectorFormat() {
    return vectorFormat;
  }

  /// When the message was read, by `System.nanoTime`.
  public long arrivalNanos() {
    return arrivalNanos;
  }
}
