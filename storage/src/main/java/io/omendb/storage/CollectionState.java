package io.omendb.storage;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The memory of an open collection: mapped truth, id index, tombstones and streams. Shared by the
 * store, its recovery and its checkpoints.
 */
final class CollectionState implements AutoCloseable {
  static final String WAL = "wal";

  final Path directory;
  final CollectionSchema schema;
  final SlotTable slots;
  final IdIndex index;

  /** As the log has it: what writers decide by. */
  final Tombstones loggedDead;

  /** As published: what readers see. */
  final Tombstones publishedDead;

  final StreamTable streams = new StreamTable();
  final BlockSums vectorSums = new BlockSums(SlotTable.VECTORS);
  final BlockSums rowSums = new BlockSums(SlotTable.ROWS);
  final BlockSums heapSums = new BlockSums(SlotTable.HEAP);

  /** Slots stored, published or not. */
  int count;

  /** Heap bytes stored. */
  long heapEnd = RowLayout.HEAP_START;

  CollectionState(Path directory, CollectionSchema schema, Background background) {
    this.directory = directory;
    this.schema = schema;
    slots = new SlotTable(directory, schema, background);
    index = new IdIndex(slots, schema.idKind());
    loggedDead = new Tombstones(slots.maxSlots);
    publishedDead = new Tombstones(slots.maxSlots);
  }

  Path walDirectory() {
    return directory.resolve(WAL);
  }

  /** Makes room for {@code more} rows and {@code heapBytes} more heap bytes. */
  void ensure(int more, long heapBytes) throws IOException {
    slots.ensure((long) count + more, heapEnd + heapBytes);
    loggedDead.ensure(count + more);
    publishedDead.ensure(count + more);
    index.ensure(more);
  }

  @Override
  public void close() throws IOException {
    index.close();
    loggedDead.close();
    publishedDead.close();
    slots.close();
  }
}
