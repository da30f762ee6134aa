package io.omendb.storage.checkpoint;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.ImageWriter;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.FramedFile;
import io.omendb.storage.file.FramedFileLayout;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.row.Tombstones;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Takes checkpoints: brings the truth up to a point of the log to the device and commits it by a
 * new manifest, so that recovery starts there.
 *
 * <p>Order, each step durable before the next: extents; tombstones, block sums, image (each under a
 * temporary name, synced, renamed, directory synced); manifest, likewise: the commit; then what
 * only older manifests need is removed. A crash before the commit leaves the last manifest and its
 * log untouched; one after it leaves garbage that the next checkpoint removes.
 */
public final class Checkpointer {
  /** A point of the log, taken between two batches, with what was true there. */
  public record Cut(
      long lsn,
      int slots,
      long heapBytes,
      long firstSequence,
      AddressSpace tombstones,
      List<StreamTable.Saved> streams)
      implements AutoCloseable {

    public static Cut of(
        long lsn,
        int slots,
        long heapBytes,
        long firstSequence,
        Tombstones tombstones,
        StreamTable table) {
      AddressSpace copy = AddressSpace.reserve(Math.max(8, Tombstones.bytesFor(slots)));
      copy.commit(Math.max(8, Tombstones.bytesFor(slots)));
      Memory.copy(tombstones.address(), copy.address(), Tombstones.bytesFor(slots));
      return new Cut(lsn, slots, heapBytes, firstSequence, copy, table.save());
    }

    @Override
    public void close() {
      tombstones.close();
    }
  }

  private final CollectionState state;
  private final UUID collection;

  /** Written under the checkpoint lock, read by any thread. */
  private volatile Manifest newest;

  /**
   * The last section of the newest manifest's image, once this process has written or sought it:
   * the way to it is by all before it, of which a trickle of writes makes one a minute.
   */
  private @Nullable ImageSection lastSection;

  /** The manifest before, kept with its files and its log. */
  private @Nullable Manifest previous;

  public Checkpointer(CollectionState state, Manifest newest) {
    this.state = state;
    this.collection = newest.collection();
    this.newest = newest;
  }

  public Manifest newest() {
    return newest;
  }

  /** Writes the first manifest of a new collection. */
  public static Manifest first(Path directory, UUID collection, CollectionSchema schema)
      throws IOException {
    int tombstonesCrc = TombstoneFile.write(Manifest.tombstones(directory, 1), 0, 0);
    FramedFile.Writer sums = new FramedFile.Writer();
    for (int space = 0; space < 3; space++) {
      sums.putInt(0);
    }
    int sumsCrc = sums.replace(Manifest.sums(directory, 1), FramedFileLayout.SUMS_MAGIC);
    Manifest manifest =
        new Manifest(
            1,
            collection,
            schema,
            0,
            0,
            RowLayout.HEAP_START,
            1,
            tombstonesCrc,
            sumsCrc,
            0,
            0,
            List.of());
    manifest.write(directory);
    return manifest;
  }

  /**
   * Commits a checkpoint at a cut.
   *
   * @param image written too, or null to keep the newest there is
   * @param changes whether it is of what has changed since the newest, and is appended to that
   */
  public void commit(Cut cut, @Nullable ImageWriter image, boolean changes) throws IOException {
    Path directory = state.directory;
    long generation = nextGeneration(directory);
    syncExtents(cut);
    int tombstonesCrc =
        TombstoneFile.write(
            Manifest.tombstones(directory, generation), cut.tombstones().address(), cut.slots());
    int sumsCrc = writeSums(cut, generation);
    boolean anew = image != null && !changes;
    ImageSection section = lastSection;
    if (image != null) {
      try (ImageFileWriter writer = anew ? newImage(cut, generation) : newestImage(cut)) {
        image.write(writer);
        section = writer.commit();
      }
    }
    Manifest manifest =
        new Manifest(
            generation,
            collection,
            state.schema,
            cut.lsn(),
            cut.slots(),
            cut.heapBytes(),
            cut.firstSequence(),
            tombstonesCrc,
            sumsCrc,
            anew ? generation : newest.imageGeneration(),
            anew ? 1 : newest.imageSections() + (image != null ? 1 : 0),
            cut.streams());
    write(manifest);
    previous = newest;
    newest = manifest;
    lastSection = section;
    removeOlder(directory);
  }

  /**
   * A sync failed where it cannot be undone: of truth that later syncs would pass over, or of the
   * commit itself. Other failures leave the last checkpoint as it was, and may be tried again.
   */
  public static final class OutcomeUnknownException extends IOException {
    private static final long serialVersionUID = 1L;

    OutcomeUnknownException(IOException cause) {
      super(cause);
    }
  }

  private void syncExtents(Cut cut) throws OutcomeUnknownException {
    try {
      state.slots.syncTo(cut.slots(), cut.heapBytes());
    } catch (IOException e) {
      throw new OutcomeUnknownException(e);
    }
  }

  private void write(Manifest manifest) throws DiskFullException, OutcomeUnknownException {
    try {
      manifest.write(state.directory);
    } catch (DiskFullException e) {
      throw e; // found before the file has its name: the last checkpoint stands
    } catch (IOException e) {
      throw new OutcomeUnknownException(e);
    }
  }

  /** A damaged newer manifest may lie there: its number is not used again. */
  private long nextGeneration(Path directory) throws IOException {
    List<Long> generations = Manifest.generations(directory);
    return Math.max(newest.generation(), generations.isEmpty() ? 0 : generations.getFirst()) + 1;
  }

  /** First log file that the kept manifests need. */
  public long firstSequenceNeeded() {
    return previous == null
        ? newest.firstSequence()
        : Math.min(previous.firstSequence(), newest.firstSequence());
  }

  private int writeSums(Cut cut, long generation) throws IOException {
    Path directory = state.directory;
    state.vectorSums.extendTo(directory, (long) cut.slots() * state.slots.stride);
    state.rowSums.extendTo(directory, (long) cut.slots() * RowLayout.BYTES);
    state.heapSums.extendTo(
        directory, cut.heapBytes() > RowLayout.HEAP_START ? cut.heapBytes() : 0);
    FramedFile.Writer writer = new FramedFile.Writer();
    state.vectorSums.write(writer);
    state.rowSums.write(writer);
    state.heapSums.write(writer);
    return writer.replace(Manifest.sums(directory, generation), FramedFileLayout.SUMS_MAGIC);
  }

  private ImageFileWriter newImage(Cut cut, long generation) throws IOException {
    return ImageFileWriter.create(
        Manifest.image(state.directory, generation),
        generation,
        collection,
        cut.lsn(),
        cut.slots());
  }

  private ImageFileWriter newestImage(Cut cut) throws IOException {
    long generation = newest.imageGeneration();
    Path path = Manifest.image(state.directory, generation);
    ImageSection last = lastSection;
    if (last == null) {
      last = ImageSection.last(path, generation, collection, newest.imageSections());
    }
    return ImageFileWriter.append(path, last, cut.lsn(), cut.slots());
  }

  /** Manifests first, and durably, so that none is left that names a file no longer there. */
  private void removeOlder(Path directory) throws IOException {
    List<Path> manifests = new ArrayList<>();
    List<Path> others = new ArrayList<>();
    for (Path file : DurableFiles.list(directory)) {
      if (newest.isUnreferenced(file) && (previous == null || previous.isUnreferenced(file))) {
        (Manifest.isManifest(file) ? manifests : others).add(file);
      }
    }
    for (Path file : manifests) {
      Files.deleteIfExists(file);
    }
    DurableFiles.syncDirectory(directory);
    for (Path file : others) {
      Files.deleteIfExists(file);
    }
  }
}
