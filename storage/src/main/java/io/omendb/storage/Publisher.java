package io.omendb.storage;

import io.omendb.memory.Memory;
import io.omendb.storage.api.FailureHandler;
import io.omendb.storage.change.ChangeView;
import io.omendb.storage.checkpoint.Checkpointer;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.wal.MalformedRecordException;
import io.omendb.storage.wal.Wal;
import io.omendb.storage.wal.WalLayout;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * Makes written records visible: what the log's thread does to the collection. The fields belong to
 * that thread, but for those marked volatile.
 */
final class Publisher implements Wal.Owner {
  private final CollectionState state;
  private final RowReader rows;
  private final FailureHandler failureHandler;
  private final ChangeView written = new ChangeView(RowLayout.BYTES);
  private final IntUnaryOperator replaced;
  private int[] deletedNow = new int[16];
  private long publishedHeap;
  private volatile long bulkBytes;
  private volatile StoreListener listener = StoreListener.NONE;

  Publisher(CollectionState state, RowReader rows, FailureHandler failureHandler) {
    this.state = state;
    this.rows = rows;
    this.failureHandler = failureHandler;
    this.publishedHeap = state.heapEnd;
    this.replaced = state.slots::replacedByDeferred;
  }

  /** Sets the one listener. Any thread. */
  void listener(StoreListener listener) {
    this.listener = listener;
  }

  /** Bytes published in the extents, not in the log, since the store was opened. Any thread. */
  long bulkBytes() {
    return bulkBytes;
  }

  /** Between two batches: what is published is exactly a prefix of the log. */
  Checkpointer.Cut cut(long publishedLsn, long currentSequence) {
    return Checkpointer.Cut.of(
        publishedLsn,
        rows.count(),
        publishedHeap,
        currentSequence,
        state.publishedTombstones,
        state.streams);
  }

  @Override
  public void syncExtents(int count, long heapBytes) throws IOException {
    state.slots.syncTo(count, heapBytes);
  }

  @Override
  public void publish(long address, long bytes) {
    long end = address + bytes;
    for (long at = address; at < end; ) {
      int length = Memory.getInt(at + WalLayout.RECORD_BYTES);
      try {
        written.wrap(at, length);
      } catch (MalformedRecordException e) {
        throw new IllegalStateException("a record that was just written", e);
      }
      publishOne();
      at += length;
    }
  }

  /** Count first, tombstones next: an id that is replaced is found at every moment. */
  private void publishOne() {
    int deleted = 0;
    int from = rows.count();
    switch (written.type()) {
      case ROWS -> {
        assert written.firstSlot() == from : "rows from " + written.firstSlot() + ", not " + from;
        int to = from + written.count();
        publishedHeap = written.heapFrom() + written.heapBytes();
        listener.publishing(from, to, replaced);
        rows.publish(to);
        if (!written.isInline()) {
          addBulkBytes((long) written.count() * state.slots.stride + written.heapBytes());
        }
        for (int slot = from; slot < to; slot++) {
          deleted = markDeleted(state.slots.previous(slot), deleted);
        }
      }
      case DELETE -> {
        for (int i = 0; i < written.count(); i++) {
          deleted = markDeleted(written.deletedSlot(i), deleted);
        }
      }
      case FRAME_REFUSED -> {}
    }
    rows.deleted(deleted);
    String stream = written.streamId();
    if (stream != null) {
      state.streams.written(stream, written.frameSequence());
    }
    listener.published(written.lsn(), from, rows.count(), deletedNow, deleted);
  }

  /** Only this thread writes it. */
  private void addBulkBytes(long more) {
    long before = bulkBytes;
    bulkBytes = before + more;
  }

  private int markDeleted(int slot, int deleted) {
    if (slot < 0 || !state.publishedTombstones.markDeleted(slot)) {
      return deleted;
    }
    if (deleted == deletedNow.length) {
      deletedNow = Arrays.copyOf(deletedNow, 2 * deleted);
    }
    deletedNow[deleted] = slot;
    return deleted + 1;
  }

  @Override
  public void watermarks(long writtenLsn, long durableLsn, long publishedLsn) {
    if (durableLsn == writtenLsn) {
      state.streams.durable();
    }
    listener.watermarks(writtenLsn, durableLsn, publishedLsn);
  }

  @Override
  public void failed(Throwable cause) {
    try {
      listener.failed(cause);
    } finally {
      failureHandler.fatal("collection " + state.schema.name(), cause);
    }
  }
}
