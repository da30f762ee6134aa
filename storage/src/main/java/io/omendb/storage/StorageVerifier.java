package io.omendb.storage;

import io.omendb.memory.Memory;
import io.omendb.storage.api.FailureWords;
import io.omendb.storage.api.FormatException;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.LockedException;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.checkpoint.ImageFileReader;
import io.omendb.storage.checkpoint.Manifest;
import io.omendb.storage.checkpoint.Recovery;
import io.omendb.storage.checkpoint.StreamCapacity;
import io.omendb.storage.file.Catalogue;
import io.omendb.storage.file.DirectoryLock;
import io.omendb.storage.file.Preallocator;
import io.omendb.storage.file.StoreFile;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.row.SlotTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Checks a data directory that no process serves: every checksum, and that what it holds is
 * consistent. Reads the log into the extents as opening the directory would, and changes nothing
 * else.
 *
 * <p>Of each collection, in this order:
 *
 * <ol>
 *   <li>manifest, tombstones, block sums and extents match; the log has no gap;
 *   <li>lsn of slot s ≤ lsn of slot s + 1 ≤ last lsn;
 *   <li>previous slot &lt; slot, holds the same id, and is deleted;
 *   <li>string ids and payloads lie within the heap;
 *   <li>each live row is found by its id, so no id is live twice;
 *   <li>the image's blocks match their sums.
 * </ol>
 */
public final class StorageVerifier {
  private static final int MAX_PROBLEMS = 100;

  /**
   * What a check found.
   *
   * @param collections checked
   * @param rows live rows in them
   * @param problems in words, at most 100
   */
  public record Report(int collections, long rows, List<String> problems) {
    /** Whether nothing was found. */
    public boolean isClean() {
      return problems.isEmpty();
    }
  }

  private final Path directory;
  private final List<String> problems = new ArrayList<>();
  private long rows;

  private StorageVerifier(Path directory) {
    this.directory = directory;
  }

  /**
   * Checks a data directory.
   *
   * @throws LockedException if a process serves it
   * @throws FormatException if it is no data directory
   */
  public static Report verify(Path directory) throws IOException {
    if (!StoreFile.exists(directory) && !Catalogue.exists(directory)) {
      throw new FormatException(directory, "not a data directory: it holds no STORE");
    }
    try (DirectoryLock _ = DirectoryLock.acquire(directory);
        Preallocator preallocator = new Preallocator("omendb-verify")) {
      StorageVerifier verifier = new StorageVerifier(directory);
      int collections = verifier.run(preallocator);
      return new Report(collections, verifier.rows, List.copyOf(verifier.problems));
    }
  }

  private int run(Preallocator preallocator) {
    try {
      StoreFile.read(directory);
      Catalogue catalogue = Catalogue.read(directory);
      for (Catalogue.Entry entry : catalogue.entries().values()) {
        verify(entry, preallocator);
      }
      return catalogue.entries().size();
    } catch (IOException e) {
      problem(FailureWords.of(e));
      return 0;
    }
  }

  private void verify(Catalogue.Entry entry, Preallocator preallocator) {
    Path path = DataDirectory.path(directory, entry);
    try {
      Manifest manifest = Recovery.newestManifest(path);
      try (CollectionState state =
          new CollectionState(path, manifest.schema(), preallocator, new StreamCapacity())) {
        if (!manifest.schema().equals(entry.schema())
            || !manifest.collection().equals(entry.uuid())) {
          problem(path + ": manifest and catalogue name different collections");
        }
        Recovery.Result result = Recovery.recover(manifest, state, Long.MAX_VALUE);
        verifyRows(path, state, result.log().lastLsn());
        verifyImage(path, manifest);
      }
    } catch (IOException e) {
      problem(FailureWords.of(e));
    }
  }

  private void verifyRows(Path path, CollectionState state, long lastLsn) {
    SlotTable slots = state.slots;
    long lsnBefore = 0;
    for (int slot = 0; slot < state.count; slot++) {
      long lsn = slots.lsn(slot);
      if (lsn < lsnBefore || lsn > lastLsn) {
        problem(path + ": slot " + slot + " has lsn " + lsn + " after " + lsnBefore);
      }
      lsnBefore = lsn;
      if (!inHeap(state, slots.payload(slot))
          || (state.schema.idKind() == IdKind.STRING && !inHeap(state, slots.id(slot)))) {
        problem(path + ": slot " + slot + " points out of the heap");
        continue;
      }
      verifyPrevious(path, state, slot);
      if (!state.loggedTombstones.isDeleted(slot)) {
        rows++;
        int found = newest(state, slot);
        if (found != slot) {
          problem(path + ": the id of slot " + slot + " leads to slot " + found);
        }
      }
    }
  }

  private void verifyPrevious(Path path, CollectionState state, int slot) {
    int previous = state.slots.previous(slot);
    if (previous < -1 || previous >= slot) {
      problem(path + ": slot " + slot + " follows slot " + previous);
    } else if (previous >= 0 && !state.loggedTombstones.isDeleted(previous)) {
      problem(path + ": slot " + previous + ", replaced by slot " + slot + ", is not deleted");
    } else if (previous >= 0 && !sameId(state, slot, previous)) {
      problem(path + ": slot " + slot + " follows slot " + previous + " of another id");
    }
  }

  private static boolean sameId(CollectionState state, int a, int b) {
    SlotTable slots = state.slots;
    if (state.schema.idKind() == IdKind.NUMERIC) {
      return slots.id(a) == slots.id(b);
    }
    int length = slots.heapLength(slots.id(a));
    return length == slots.heapLength(slots.id(b))
        && Memory.equal(slots.heapBytes(slots.id(a)), slots.heapBytes(slots.id(b)), length);
  }

  private static int newest(CollectionState state, int slot) {
    long id = state.slots.id(slot);
    int hash = state.index.hashOf(slot);
    return state.schema.idKind() == IdKind.NUMERIC
        ? state.index.find(id, hash)
        : state.index.find(state.slots.heapBytes(id), state.slots.heapLength(id), hash);
  }

  private static boolean inHeap(CollectionState state, long offset) {
    if (offset == 0) {
      return true;
    }
    if (offset < RowLayout.HEAP_START || offset + RowLayout.HEAP_BYTES > state.heapEnd) {
      return false;
    }
    int length = state.slots.heapLength(offset);
    return length >= 0 && offset + RowLayout.heapEntryBytes(length) <= state.heapEnd;
  }

  private void verifyImage(Path path, Manifest manifest) throws IOException {
    long generation = manifest.imageGeneration();
    if (generation == 0) {
      return;
    }
    Path file = Manifest.image(path, generation);
    if (!Files.exists(file)) {
      problem(file + ": the image is missing");
      return;
    }
    try (ImageFileReader image =
        ImageFileReader.open(file, generation, manifest.collection(), manifest.imageSections())) {
      do {
        image.verify();
      } while (image.next());
    }
  }

  private void problem(String text) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(text);
    }
  }
}
