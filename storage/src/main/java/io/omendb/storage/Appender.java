package io.omendb.storage;

import io.omendb.memory.Checksum;
import io.omendb.memory.Memory;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.DeleteResult;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.Placement;
import io.omendb.storage.api.RowCheck;
import io.omendb.storage.api.RowSource;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.WriteLimits;
import io.omendb.storage.api.WriteMode;
import io.omendb.storage.change.Change;
import io.omendb.storage.change.ChangeType;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.row.IdIndex;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.row.SlotTable;
import io.omendb.storage.row.WritePlan;
import io.omendb.storage.wal.Wal;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The writing half of a store: resolves, copies, checks and logs one write at a time.
 *
 * <p>Threads: any; each call holds the write lock, which is the log's. Every field but the finals
 * is guarded by it, and so are {@link CollectionState#count}, {@link CollectionState#heapEnd},
 * {@link CollectionState#loggedTombstones} and the writing side of {@link CollectionState#index}. A
 * call stores and checksums memory and, where the preallocating thread fell behind, allocates a
 * file; it never syncs.
 */
final class Appender implements AutoCloseable {
  private final CollectionState state;
  private final CollectionSchema schema;
  private final SlotTable slots;
  private final Wal wal;
  private final ReentrantLock lock;
  private final int inlineBytes;
  private final WritePlan plan;
  private final Change change = new Change(RowLayout.BYTES);
  private float[] squaredNorms = new float[0];

  Appender(CollectionState state, Wal wal, int inlineBytes) {
    this.state = state;
    this.schema = state.schema;
    this.slots = state.slots;
    this.wal = wal;
    this.lock = wal.lock();
    this.inlineBytes = inlineBytes;
    this.plan = new WritePlan(slots, state.index, state.loggedTombstones, schema.idKind());
  }

  /** See {@link CollectionStore#append}. */
  void append(
      RowSource rows,
      WriteMode mode,
      RowCheck check,
      Placement placement,
      @Nullable StreamFrame frame,
      AppendResult result)
      throws InvalidRowsException, IOException {
    int count = rows.count();
    if (count < 0 || count > WriteLimits.MAX_ROWS) {
      throw new IllegalArgumentException(
          "count=" + count + ", expected 0.." + WriteLimits.MAX_ROWS);
    }
    lock.lock();
    try {
      wal.awaitCapacity();
      result.reset();
      plan.resolve(rows, mode, state.count, result);
      if (plan.applied() == 0) {
        result.lsn = frame == null ? 0 : logFrame(frame);
        return;
      }
      state.ensure(plan.applied(), plan.heapBytes());
      slots.touchVectors(state.count, plan.applied());
      copyVectors(rows);
      try {
        check(check);
      } catch (InvalidRowsException e) {
        if (frame != null) {
          logFrame(frame);
        }
        throw e;
      }
      placement.placed(state.count, plan.applied());
      logRows(rows, placement.deferred(), frame, result);
    } finally {
      lock.unlock();
    }
  }

  /** Copies applied rows in runs: one run where there are no conflicts. */
  private void copyVectors(RowSource rows) {
    int applied = plan.applied();
    MemorySegment target = Memory.slice(slots.vector(state.count), (long) applied * slots.stride);
    for (int i = 0; i < applied; ) {
      int run = 1;
      while (i + run < applied && plan.row(i + run) == plan.row(i) + run) {
        run++;
      }
      rows.copyVectors(plan.row(i), run, target, (long) i * slots.stride, slots.stride);
      i += run;
    }
  }

  private void check(RowCheck check) throws InvalidRowsException {
    int applied = plan.applied();
    if (squaredNorms.length < applied) {
      squaredNorms = new float[Math.max(applied, 2 * squaredNorms.length)];
    }
    try {
      check.check(slots.vector(state.count), slots.stride, applied, squaredNorms);
    } catch (InvalidRowsException e) {
      throw new InvalidRowsException(
          e.items().stream()
              .map(item ->
                  new InvalidRowsException.Item(
                      plan.row(item.index()), item.component(), item.value(), item.reason()))
              .toList(),
          e.total());
    }
  }

  private void logRows(
      RowSource rows, boolean deferred, @Nullable StreamFrame frame, AppendResult result)
      throws IOException {
    assert lock.isHeldByCurrentThread();
    int applied = plan.applied();
    int firstSlot = state.count;
    change.type = ChangeType.ROWS;
    change.firstSlot = firstSlot;
    change.count = applied;
    change.heapFrom = state.heapEnd;
    change.heapBytes = plan.heapBytes();
    change.vectorBytes = schema.vectorBytes();
    change.vectorStride = slots.stride;
    change.vectors = slots.vector(firstSlot);
    change.rows = slots.row(firstSlot);
    change.heap = slots.heapAt(state.heapEnd);
    change.inline = (long) applied * schema.vectorBytes() + plan.heapBytes() <= inlineBytes;
    position(frame);
    wal.reserve(change.bytes());
    slots.touchRows(firstSlot, applied, state.heapEnd, plan.heapBytes());
    plan.store(rows, firstSlot, change.lsn, deferred, state.heapEnd, squaredNorms);
    sumBulk();
    for (int i = 0; i < applied; i++) {
      int previous = plan.previous(i);
      if (previous >= 0) {
        state.loggedTombstones.markDeleted(previous);
      }
      state.index.put(firstSlot + i, plan.hash(i), previous);
    }
    state.count += applied;
    state.heapEnd += plan.heapBytes();
    add(frame);
    slots.used(state.count, state.heapEnd);
    result.lsn = change.lsn;
    result.firstSlot = firstSlot;
    result.appliedRows = applied;
    result.inserted = plan.inserted();
    result.updated = applied - plan.inserted();
  }

  private void sumBulk() {
    if (change.inline) {
      change.vectorsCrc = 0;
      change.rowsCrc = 0;
      change.heapCrc = 0;
      return;
    }
    change.vectorsCrc = Checksum.of(change.vectors, (long) change.count * slots.stride);
    change.rowsCrc = Checksum.of(change.rows, (long) change.count * RowLayout.BYTES);
    change.heapCrc = change.heapBytes == 0 ? 0 : Checksum.of(change.heap, change.heapBytes);
  }

  private void position(@Nullable StreamFrame frame) {
    assert lock.isHeldByCurrentThread();
    change.lsn = wal.nextLsn();
    change.frameSequence = frame == null ? 0 : frame.frameSequence();
    change.streamId = frame == null ? null : state.streams.idOf(frame.streamId());
  }

  private void add(@Nullable StreamFrame frame) {
    wal.add(change, state.count, state.heapEnd);
    if (frame != null) {
      state.streams.logged(frame);
    }
  }

  private long logFrame(StreamFrame frame) throws IOException {
    change.type = ChangeType.FRAME_REFUSED;
    change.count = 0;
    position(frame);
    wal.reserve(change.bytes());
    add(frame);
    return change.lsn;
  }

  /**
   * Logs that a refused frame has used up its sequence.
   *
   * @return the log position
   */
  long markFrame(StreamFrame frame) throws IOException {
    lock.lock();
    try {
      wal.awaitCapacity();
      return logFrame(frame);
    } finally {
      lock.unlock();
    }
  }

  /** Deletes rows by numeric id; ids that are not there are passed over. */
  DeleteResult delete(long[] ids) throws IOException {
    return delete(ids.length, i -> state.index.find(ids[i], IdIndex.hash(ids[i])));
  }

  /** Deletes rows by string id (UTF-8); ids that are not there are passed over. */
  DeleteResult delete(byte[][] ids) throws IOException {
    return delete(
        ids.length,
        i -> state.index.find(ids[i], 0, ids[i].length, IdIndex.hash(ids[i], 0, ids[i].length)));
  }

  private interface SlotOf {
    int slot(int index);
  }

  private DeleteResult delete(int count, SlotOf ids) throws IOException {
    lock.lock();
    try {
      wal.awaitCapacity();
      if (change.slots.length < count) {
        change.slots = new int[count];
      }
      change.type = ChangeType.DELETE;
      change.count = count;
      position(null);
      wal.reserve(change.bytes());
      change.count = 0;
      for (int i = 0; i < count; i++) {
        int slot = ids.slot(i);
        if (slot >= 0 && state.loggedTombstones.markDeleted(slot)) {
          change.slots[change.count++] = slot;
        }
      }
      if (change.count == 0) {
        return new DeleteResult(0, 0);
      }
      add(null);
      return new DeleteResult(change.lsn, change.count);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    plan.close();
  }
}
