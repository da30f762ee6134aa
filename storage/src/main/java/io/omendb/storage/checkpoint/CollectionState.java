package io.omendb.storage.checkpoint;

import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.file.Preallocator;
import io.omendb.storage.row.BlockSums;
import io.omendb.storage.row.IdIndex;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.row.SlotTable;
import io.omendb.storage.row.Tombstones;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The memory of an open collection: mapped truth, id index, tombstones and streams. Shared by the
 * store, its recovery and its checkpoints.
 */
public final class CollectionState implements AutoCloseable {
  public static final String WAL = "wal";

  public final Path directory;
  public final CollectionSchema schema;
  public final SlotTable slots;
  public final IdIndex index;

  /** As the log has it: what writers decide by. */
  public final Tombstones loggedTombstones;

  /** As published: what readers see. */
  public final Tombstones publishedTombstones;

  public final StreamTable streams;
  final BlockSums vectorSums = new BlockSums(SlotTable.VECTORS);
  final BlockSums rowSums = new BlockSums(SlotTable.ROWS);
  final BlockSums heapSums = new BlockSums(SlotTable.HEAP);

  /** Slots stored, published or not. */
  public int count;

  /** Heap bytes stored. */
  public long heapEnd = RowLayout.HEAP_START;

  public CollectionState(
      Path directory,
      CollectionSchema schema,
      Preallocator preallocator,
      StreamCapacity streamCapacity) {
    streams = new StreamTable(streamCapacity);
    this.directory = directory;
    this.schema = schema;
    slots = new SlotTable(directory, schema, preallocator);
    index = new IdIndex(slots, schema.idKind());
    loggedTombstones = new Tombstones(slots.maxSlots);
    publishedTombstones = new Tombstones(slots.maxSlots);
  }

  public Path walDirectory() {
    return directory.resolve(WAL);
  }

  /** Makes room for {@code more} rows and {@code heapBytes} more heap bytes. */
  public void ensure(int more, long heapBytes) throws IOException {
    slots.ensure((long) count + more, heapEnd + heapBytes);
    loggedTombstones.ensure(count + more);
    publishedTombstones.ensure(count + more);
    index.ensure(more);
  }

  @Override
  public void close() throws IOException {
    streams.close();
    index.close();
    loggedTombstones.close();
    publishedTombstones.close();
    slots.close();
  }
}
