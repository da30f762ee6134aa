package io.omendb.storage.checkpoint;

import io.omendb.memory.Memory;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.change.ChangeType;
import io.omendb.storage.change.ChangeView;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.FramedFile;
import io.omendb.storage.file.FramedFileLayout;
import io.omendb.storage.file.InParallel;
import io.omendb.storage.row.ExtentLayout;
import io.omendb.storage.row.ExtentReader;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.row.SlotTable;
import io.omendb.storage.wal.LogMark;
import io.omendb.storage.wal.WalFile;
import io.omendb.storage.wal.WalReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a collection's memory to the end of its log.
 *
 * <ol>
 *   <li>the newest valid manifest, or its predecessor;
 *   <li>extents up to the manifest's bounds: a short file is refused; block sums are compared;
 *   <li>a first pass over the log finds its end: bulk records whose rows did not all reach the disk
 *       end it too, unless they are known to be durable, which is refused;
 *   <li>a second pass applies it.
 * </ol>
 */
public final class Recovery {
  private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

  /** What to check of a bulk record. */
  private record Bulk(
      long lsn,
      int firstSlot,
      int count,
      long heapFrom,
      long heapBytes,
      int vectorsCrc,
      int rowsCrc,
      int heapCrc) {}

  /**
   * How a recovery ended.
   *
   * @param manifest it started from
   * @param log where the log ends
   * @param firstUnprovenSlot slots from here on came with records not known to be durable
   * @param firstUnprovenHeap the same for heap bytes
   * @param unverifiedBytes of vectors, ids and payloads whose sums were not compared
   */
  public record Result(
      Manifest manifest,
      WalReader.End log,
      int firstUnprovenSlot,
      long firstUnprovenHeap,
      long unverifiedBytes) {}

  private final Path directory;
  private final Manifest manifest;
  private final CollectionState state;
  private final WalReader reader;

  /** The record at hand. */
  private final ChangeView record = new ChangeView(RowLayout.BYTES);

  private long provenDurableLsn;
  private int firstUnprovenSlot = Integer.MAX_VALUE;
  private long firstUnprovenHeap = Long.MAX_VALUE;

  private Recovery(Manifest manifest, CollectionState state) {
    this.directory = state.directory;
    this.manifest = manifest;
    this.state = state;
    this.reader = new WalReader(state.walDirectory(), manifest.collection());
  }

  /** The newest manifest that can be read. */
  public static Manifest newestManifest(Path directory) throws IOException {
    CorruptFileException first = null;
    for (long generation : Manifest.generations(directory)) {
      try {
        return readWithFiles(directory, generation);
      } catch (CorruptFileException e) {
        LOG.warn("a manifest is damaged, its predecessor takes over: {}", e.getMessage());
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    throw first != null
        ? first
        : new CorruptFileException(Manifest.file(directory, 1), 0, "there is no manifest");
  }

  /** A manifest counts only with the files it needs. */
  private static Manifest readWithFiles(Path directory, long generation) throws IOException {
    Manifest manifest = Manifest.read(directory, generation);
    FramedFile.Reader tombstones =
        FramedFile.read(
            Manifest.tombstones(directory, generation), FramedFileLayout.TOMBSTONES_MAGIC);
    if (tombstones.crc() != manifest.tombstonesCrc()) {
      throw tombstones.corrupt("these are not the tombstones that the manifest names");
    }
    FramedFile.Reader sums =
        FramedFile.read(Manifest.sums(directory, generation), FramedFileLayout.SUMS_MAGIC);
    if (sums.crc() != manifest.sumsCrc()) {
      throw sums.corrupt("these are not the block sums that the manifest names");
    }
    return manifest;
  }

  public static Result recover(Manifest manifest, CollectionState state, long verifyBytes)
      throws IOException {
    return new Recovery(manifest, state).run(verifyBytes);
  }

  private Result run(long verifyBytes) throws IOException {
    state.slots.openExisting(manifest.slots(), manifest.heapBytes());
    readSums(manifest, state);
    // Rows at every size: they hold offsets that are followed, and a wrong one ends the process.
    state.rowSums.verify(directory);
    long rest = state.vectorSums.bytes() + state.heapSums.bytes();
    boolean verify = rest <= verifyBytes;
    if (verify) {
      state.heapSums.verify(directory);
      state.vectorSums.verify(directory);
    }
    state.count = manifest.slots();
    state.heapEnd = manifest.heapBytes();
    state.streams.load(manifest.streams());
    TombstoneFile.read(
        Manifest.tombstones(directory, manifest.generation()),
        manifest.tombstonesCrc(),
        manifest.slots(),
        state.loggedTombstones);
    indexRows(0, manifest.slots());
    long end = findEnd();
    WalReader.End log = apply(end);
    state.publishedTombstones.copyFrom(state.loggedTombstones, state.count);
    state.slots.used(state.count, state.heapEnd);
    return new Result(
        manifest,
        log,
        Math.min(firstUnprovenSlot, state.count),
        Math.min(firstUnprovenHeap, state.heapEnd),
        verify ? 0 : rest);
  }

  static void readSums(Manifest manifest, CollectionState state) throws IOException {
    Path file = Manifest.sums(state.directory, manifest.generation());
    FramedFile.Reader sums = FramedFile.read(file, FramedFileLayout.SUMS_MAGIC);
    if (sums.crc() != manifest.sumsCrc()) {
      throw sums.corrupt("these are not the block sums that the manifest names");
    }
    state.vectorSums.read(sums, (long) manifest.slots() * state.slots.stride);
    state.rowSums.read(sums, (long) manifest.slots() * RowLayout.BYTES);
    state.heapSums.read(
        sums, manifest.heapBytes() > RowLayout.HEAP_START ? manifest.heapBytes() : 0);
  }

  private void indexRows(int from, int to) {
    state.index.ensure(to - from);
    for (int slot = from; slot < to; slot++) {
      if (!state.loggedTombstones.isDeleted(slot)) {
        // A live row at a checkpoint is the only live one of its id.
        state.index.put(slot, state.index.hashOf(slot), -1);
      }
    }
  }

  /** First pass: the last lsn whose rows are all there. */
  private long findEnd() throws IOException {
    List<Bulk> bulk = new ArrayList<>();
    int[] slots = {manifest.slots()};
    long[] heap = {manifest.heapBytes()};
    WalReader.End end =
        reader.read(
            manifest.firstSequence(),
            manifest.lsn(),
            (address, bytes) -> {
              record.wrap(address, bytes);
              checkBounds(slots, heap);
              if (record.type() == ChangeType.ROWS && !record.isInline()) {
                bulk.add(
                    new Bulk(
                        record.lsn(),
                        record.firstSlot(),
                        record.count(),
                        record.heapFrom(),
                        record.heapBytes(),
                        record.vectorsCrc(),
                        record.rowsCrc(),
                        record.heapCrc()));
              }
              return true;
            });
    provenDurableLsn = end.provenDurableLsn();
    if (end.tornAt() >= 0) {
      LOG.warn(
          "{} at offset {}: the log ends in a batch that is not whole. A crash cuts the last write"
              + " short before anyone was told of it; if there was no crash, it is damage.",
          WalFile.path(state.walDirectory(), end.lastSequence()),
          end.tornAt());
    }
    Bulk damaged = firstDamaged(bulk);
    if (damaged == null) {
      return end.lastLsn();
    }
    if (damaged.lsn <= end.provenDurableLsn()) {
      long offset = (long) damaged.firstSlot * state.slots.stride;
      throw new CorruptFileException(
          directory.resolve(ExtentLayout.name(SlotTable.VECTORS, ExtentLayout.fileAt(offset))),
          ExtentReader.offsetInFile(offset),
          "rows "
              + damaged.firstSlot
              + ".."
              + (damaged.firstSlot + damaged.count - 1)
              + " of the durable record at lsn "
              + damaged.lsn
              + " do not match their checksums");
    }
    LOG.info(
        "{}: the log is cut before lsn {}, whose rows did not reach the disk",
        directory,
        damaged.lsn);
    return damaged.lsn - 1;
  }

  private void checkBounds(int[] slots, long[] heap) throws CorruptFileException {
    if (record.type() == ChangeType.DELETE) {
      for (int i = 0; i < record.count(); i++) {
        if (record.deletedSlot(i) < 0 || record.deletedSlot(i) >= slots[0]) {
          throw contradiction("slot " + record.deletedSlot(i) + " of " + slots[0] + " deleted");
        }
      }
    }
    if (record.type() != ChangeType.ROWS) {
      return;
    }
    if (record.firstSlot() != slots[0]
        || record.heapFrom() != heap[0]
        || record.vectorBytes() != state.schema.vectorBytes()
        || (long) record.firstSlot() + record.count() > state.slots.maxSlots) {
      throw contradiction(
          "rows from slot "
              + record.firstSlot()
              + " and heap offset "
              + record.heapFrom()
              + ", expected "
              + slots[0]
              + " and "
              + heap[0]);
    }
    slots[0] += record.count();
    heap[0] += record.heapBytes();
  }

  private CorruptFileException contradiction(String detail) {
    return new CorruptFileException(
        state.walDirectory(), 0, "the record at lsn " + record.lsn() + " contradicts: " + detail);
  }

  /** The first bulk record whose rows are not what it says, or null. */
  private @Nullable Bulk firstDamaged(List<Bulk> bulk) throws IOException {
    int parts = bulk.size() > 16 ? Math.min(4, Runtime.getRuntime().availableProcessors()) : 1;
    Bulk[] damaged = new Bulk[parts];
    List<Callable<Void>> work = new ArrayList<>();
    for (int part = 0; part < parts; part++) {
      int index = part;
      List<Bulk> mine =
          bulk.subList(
              (int) ((long) bulk.size() * part / parts),
              (int) ((long) bulk.size() * (part + 1) / parts));
      work.add(() -> {
        damaged[index] = firstDamagedOf(mine);
        return null;
      });
    }
    InParallel.run(work);
    for (Bulk candidate : damaged) {
      if (candidate != null) {
        return candidate;
      }
    }
    return null;
  }

  private @Nullable Bulk firstDamagedOf(List<Bulk> bulk) throws IOException {
    try (ExtentReader vectors = new ExtentReader(directory, SlotTable.VECTORS);
        ExtentReader rows = new ExtentReader(directory, SlotTable.ROWS);
        ExtentReader heap = new ExtentReader(directory, SlotTable.HEAP)) {
      int stride = state.slots.stride;
      for (Bulk record : bulk) {
        if (!matches(rows, record.firstSlot(), record.count(), RowLayout.BYTES, record.rowsCrc())
            || !matches(vectors, record.firstSlot(), record.count(), stride, record.vectorsCrc())
            || (record.heapBytes() > 0 && !matchesHeap(heap, record))) {
          return record;
        }
      }
    }
    return null;
  }

  private static boolean matches(ExtentReader reader, int firstSlot, int count, int stride, int crc)
      throws IOException {
    try {
      return reader.checksum((long) firstSlot * stride, (long) count * stride) == crc;
    } catch (CorruptFileException missing) {
      LOG.info("rows of the log's tail are missing: {}", missing.getMessage());
      return false;
    }
  }

  private static boolean matchesHeap(ExtentReader heap, Bulk record) throws IOException {
    try {
      return heap.checksum(record.heapFrom(), record.heapBytes()) == record.heapCrc();
    } catch (CorruptFileException missing) {
      LOG.info("payloads of the log's tail are missing: {}", missing.getMessage());
      return false;
    }
  }

  /** Second pass: applies records up to {@code end}. */
  private WalReader.End apply(long end) throws IOException {
    return reader.read(
        manifest.firstSequence(),
        manifest.lsn(),
        (address, bytes) -> {
          record.wrap(address, bytes);
          if (record.lsn() > end) {
            return false;
          }
          apply();
          return true;
        });
  }

  private void apply() throws IOException {
    String stream = record.streamId();
    if (stream != null) {
      state.streams.written(stream, record.frameSequence());
    }
    switch (record.type()) {
      case ROWS -> applyRows();
      case DELETE -> {
        for (int i = 0; i < record.count(); i++) {
          state.loggedTombstones.markDeleted(record.deletedSlot(i));
        }
      }
      case FRAME_REFUSED -> {}
    }
  }

  private void applyRows() throws IOException {
    state.ensure(record.count(), record.heapBytes());
    if (record.isInline()) {
      storeInline();
    } else if (record.lsn() > provenDurableLsn) {
      firstUnprovenSlot = Math.min(firstUnprovenSlot, record.firstSlot());
      firstUnprovenHeap = Math.min(firstUnprovenHeap, record.heapFrom());
    }
    int end = record.firstSlot() + record.count();
    for (int slot = record.firstSlot(); slot < end; slot++) {
      int previous = state.slots.previous(slot);
      if (previous >= slot || previous < -1) {
        throw contradiction("slot " + slot + " follows slot " + previous);
      }
      if (previous >= 0) {
        state.loggedTombstones.markDeleted(previous);
      }
      state.index.put(slot, state.index.hashOf(slot), previous);
    }
    state.count = end;
    state.heapEnd += record.heapBytes();
  }

  private void storeInline() {
    SlotTable slots = state.slots;
    for (int i = 0; i < record.count(); i++) {
      Memory.copy(
          record.vectors() + (long) i * record.vectorBytes(),
          slots.vector(record.firstSlot() + i),
          record.vectorBytes());
    }
    Memory.copy(
        record.rows(), slots.row(record.firstSlot()), (long) record.count() * RowLayout.BYTES);
    if (record.heapBytes() > 0) {
      Memory.copy(record.heap(), slots.heapAt(record.heapFrom()), record.heapBytes());
    }
  }

  /**
   * Deletes what no manifest names: leftovers of checkpoints and log files that a crash cut short.
   */
  public static void removeLeftovers(Path directory, WalReader.End log, LogMark mark)
      throws IOException {
    for (Path file : DurableFiles.list(directory)) {
      if (DurableFiles.isTemporary(file)) {
        Files.deleteIfExists(file);
      }
    }
    Path wal = directory.resolve(CollectionState.WAL);
    mark.removing(log.lastSequence());
    List<Path> files = DurableFiles.list(wal);
    // From the end, so that a crash in between leaves no gap.
    for (Path file : files.reversed()) {
      if (DurableFiles.isTemporary(file) || WalFile.sequenceOf(file) > log.lastSequence()) {
        Files.deleteIfExists(file);
      }
    }
    DurableFiles.syncDirectory(wal);
  }
}
