package io.omendb.storage;

import io.omendb.memory.Memory;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.checkpoint.Checkpointer;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.checkpoint.Manifest;
import io.omendb.storage.checkpoint.Recovery;
import io.omendb.storage.checkpoint.StreamCapacity;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.Preallocator;
import io.omendb.storage.wal.LogMark;
import io.omendb.storage.wal.Wal;
import io.omendb.storage.wal.WalFile;
import io.omendb.storage.wal.WalReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a collection's files became at open: everything that a store needs to take writes.
 *
 * @param state filled by recovery
 * @param checkpointer with the newest manifest
 * @param recovered how recovery ended
 * @param file that the log goes on in
 * @param mark of the log's end
 * @param durableLsn up to which everything is durable
 */
record StoreOpening(
    CollectionState state,
    Checkpointer checkpointer,
    Recovery.Result recovered,
    WalFile file,
    LogMark mark,
    long durableLsn) {
  private static final Logger LOG = LoggerFactory.getLogger(StoreOpening.class);

  /** Makes the files of a new, empty collection; durable when it returns. */
  static void createFiles(Path directory, UUID collection, CollectionSchema schema)
      throws IOException {
    Path walDirectory = directory.resolve(CollectionState.WAL);
    Files.createDirectories(walDirectory);
    WalFile.create(walDirectory, collection, 1, Wal.SMALLEST_FILE, null).close();
    LogMark.open(walDirectory).created(1);
    Checkpointer.first(directory, collection, schema);
    DurableFiles.syncDirectory(directory);
  }

  /** Maps a collection and recovers it; nothing is written by clients yet. */
  static StoreOpening open(
      Path directory,
      UUID collection,
      StorageOptions options,
      Preallocator preallocator,
      StreamCapacity streamCapacity)
      throws IOException {
    // Directories first: recovery must not trust entries that a power cut could undo.
    DurableFiles.syncDirectory(directory);
    DurableFiles.syncDirectory(directory.resolve(CollectionState.WAL));
    Manifest manifest = Recovery.newestManifest(directory);
    if (!manifest.collection().equals(collection)) {
      throw new CorruptFileException(
          Manifest.file(directory, manifest.generation()),
          0,
          "the manifest belongs to collection " + manifest.collection());
    }
    CollectionState state =
        new CollectionState(directory, manifest.schema(), preallocator, streamCapacity);
    try {
      Recovery.Result recovered = Recovery.recover(manifest, state, options.verifyBytes());
      LogMark mark = LogMark.open(state.walDirectory());
      Recovery.removeLeftovers(directory, recovered.log(), mark);
      makeRoomForOne(state);
      WalFile file = fileToWrite(state, collection, recovered.log(), mark);
      Checkpointer checkpointer = new Checkpointer(state, manifest);
      long durable = makeTailDurable(state, checkpointer, recovered, file, options);
      return new StoreOpening(state, checkpointer, recovered, file, mark, durable);
    } catch (IOException | RuntimeException e) {
      state.close();
      throw e;
    }
  }

  /** A full disk keeps a collection from growing, not from being read. */
  private static void makeRoomForOne(CollectionState state) throws IOException {
    try {
      state.ensure(1, 0);
    } catch (DiskFullException e) {
      LOG.warn("collection {} opens on a full disk: {}", state.schema.name(), e.getMessage());
    }
  }

  /**
   * Never appends to a file that holds batches: what follows them may be a torn one. A full disk
   * keeps the log from growing, not the collection from being read: the first write that finds room
   * makes the next file.
   */
  private static WalFile fileToWrite(
      CollectionState state, UUID collection, WalReader.End log, LogMark mark) throws IOException {
    Path directory = state.walDirectory();
    Path last = WalFile.path(directory, log.lastSequence());
    if (log.empty()) {
      return WalFile.reset(last);
    }
    try {
      long next = log.lastSequence() + 1;
      WalFile file = WalFile.create(directory, collection, next, Wal.SMALLEST_FILE, null);
      mark.created(next);
      return file;
    } catch (DiskFullException e) {
      LOG.warn("collection {} opens on a full disk: {}", state.schema.name(), e.getMessage());
      return WalFile.full(last);
    }
  }

  /**
   * Before anything is acknowledged, what was recovered must be as durable as the mode promises.
   * Records past the last proven sync may lie in pages that a failed sync marked clean: these are
   * stored again, since a bare sync would not write them.
   *
   * @return lsn up to which everything is durable
   */
  private static long makeTailDurable(
      CollectionState state,
      Checkpointer checkpointer,
      Recovery.Result recovered,
      WalFile file,
      StorageOptions options)
      throws IOException {
    WalReader.End log = recovered.log();
    if (log.lastLsn() == recovered.manifest().lsn()
        || options.durability() instanceof Durability.Os) {
      return Math.min(log.provenDurableLsn(), log.lastLsn());
    }
    touch(state.slots.vector(recovered.firstUnprovenSlot()), state.slots.vector(state.count));
    touch(state.slots.row(recovered.firstUnprovenSlot()), state.slots.row(state.count));
    touch(state.slots.heapAt(recovered.firstUnprovenHeap()), state.slots.heapAt(state.heapEnd));
    try (Checkpointer.Cut cut =
        Checkpointer.Cut.of(
            log.lastLsn(),
            state.count,
            state.heapEnd,
            file.sequence(),
            state.loggedTombstones,
            state.streams)) {
      checkpointer.commit(cut, null, false);
    } catch (DiskFullException e) {
      LOG.warn("collection {} opens on a full disk: {}", state.schema.name(), e.getMessage());
      rewriteTail(state, recovered);
    }
    state.streams.durable();
    return log.lastLsn();
  }

  /**
   * Makes the tail durable where it lies, which takes no room: extents as touched, then the log.
   */
  private static void rewriteTail(CollectionState state, Recovery.Result recovered)
      throws IOException {
    state.slots.syncTo(state.count, state.heapEnd);
    for (Path file : DurableFiles.list(state.walDirectory())) {
      long sequence = WalFile.sequenceOf(file);
      if (sequence >= recovered.manifest().firstSequence()
          && sequence <= recovered.log().lastSequence()) {
        WalFile.rewrite(file);
      }
    }
  }

  /** Dirties the pages of a range without changing it. */
  private static void touch(long from, long to) {
    for (long at = from; at < to; at = (at & -4096) + 4096) {
      Memory.putByte(at, Memory.getByte(at));
    }
  }
}
