package io.omendb.engine;

import io.omendb.index.hnsw.BulkLinker;
import io.omendb.index.hnsw.GraphChanges;
import io.omendb.index.hnsw.GraphCut;
import io.omendb.index.hnsw.GraphImage;
import io.omendb.index.hnsw.HnswIndex;
import io.omendb.memory.NativeInts;
import io.omendb.storage.CollectionStore;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.FailureWords;
import io.omendb.storage.api.ImageSink;
import io.omendb.storage.api.ImageSource;
import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the linker does to one collection, step by step: link a batch; when none is left, calibrate
 * on the rows held out, link them, sweep; checkpoint. When each is due is said by the schedules.
 *
 * <p>One thread at a time calls the steps, under the collection's step lock, and one at a time
 * takes a checkpoint, under its checkpoint lock: what of it needs both is {@link #beginCheckpoint},
 * and the writing goes on beside further steps. {@link #calibration} and {@link #fault} may be read
 * by any.
 */
final class IndexMaintenance {
  private static final Logger LOG = LoggerFactory.getLogger(IndexMaintenance.class);

  /** Batches are a fiftieth of the graph, within these bounds; more would cost recall. */
  private static final int SMALLEST_BATCH = 256;

  private static final int LARGEST_BATCH = 16_384;
  private static final int BATCHES_PER_GRAPH = 50;

  /** Rows held out for a calibration: those of the smallest hashes among one in sixteen. */
  private static final int HELD_MOST = 512;

  private static final int HELD_LEAST = 30;

  /** So many of the rows held out are measured whatever it takes… */
  private static final int MEASURED_LEAST = 256;

  /**
   * …and of a small graph's, which is built in the time that all would take, one in so many rows.
   */
  private static final int MEASURED_ONE_TO = 50;

  private static final int HELD_ONE_IN = 16;

  /** Or one in so many of a graph that is small, and would have too few. */
  private static final int HELD_ONE_IN_OF_SMALL = 4;

  private static final int SMALL = 8_192;

  /** Rows that all samples together are compared with: a second. */
  private static final long MOST_COMPARED = 40_000_000;

  /**
   * Fewest rows of a build that are linked at once. In a fresh process the JIT decides: 4,000 take
   * 3.1 s, 6,000 3.2 and 40,000 7.3, in batches 2.5, 3.4 and 8.6. Not by how warm the process is:
   * the graph would depend on it.
   */
  private static final int BULK_LEAST = 5_000;

  /**
   * Linked rows for each row of a build, at most: they are built anew with it, which takes a third
   * or a fourth of the time that linking a row in a batch takes.
   */
  private static final int LINKED_TO_BULK = 2;

  private static final int[] NONE = {};

  private final CollectionConfig config;
  private final CollectionStore store;
  private final HnswIndex index;
  private final UnlinkedBuffer buffer;
  private final ReplacedRows replaced;
  private final ReaderEpoch codeReaders;
  private final Calibrator calibrator;
  private final int[] batch = new int[LARGEST_BATCH];
  private final int[] held = new int[HELD_MOST + 1];
  private int heldCount;
  private volatile @Nullable Bulk bulk;
  private boolean bulkNext = true;

  /** Batches take less memory, which may be what a bulk build lacked. */
  private boolean bulkFailed;

  /** The last calibration tried blocks. */
  private boolean blocksTried;

  private final CalibrationSchedule calibrations;
  private final SweepSchedule sweeps;
  private final CheckpointSchedule checkpoints;
  private final RetryDistance linking;
  private boolean halfLinked;
  private volatile @Nullable RuntimeException fault;
  private volatile Calibration calibration = Calibration.NONE;

  IndexMaintenance(
      CollectionConfig config,
      CollectionStore store,
      HnswIndex index,
      UnlinkedBuffer buffer,
      ReplacedRows replaced,
      ReaderEpoch codeReaders,
      Calibrator calibrator,
      int mostLag,
      LongSupplier nanoTime) {
    this.config = config;
    this.store = store;
    this.index = index;
    this.buffer = buffer;
    this.replaced = replaced;
    this.codeReaders = codeReaders;
    this.calibrator = calibrator;
    this.calibrations = new CalibrationSchedule(nanoTime);
    this.sweeps = new SweepSchedule(nanoTime);
    this.checkpoints = new CheckpointSchedule(nanoTime, mostLag);
    this.linking = new RetryDistance(nanoTime);
  }

  Calibration calibration() {
    return calibration;
  }

  /**
   * A build of many rows at once, and of those that were linked before.
   *
   * @param slots all of them, ascending
   * @param sample those of them that are held out
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Bulk(BulkLinker linker, NativeInts slots, int[] sample) {}

  /** The share of a bulk build that is done; NaN: none runs. Any thread. */
  double buildProgress() {
    Bulk current = bulk;
    return current == null ? Double.NaN : current.linker.progress();
  }

  /** Whether a step would do something. */
  boolean hasWork() {
    return bulk != null || buffer.hasWork() || index.lacksBlocks() || finishDue();
  }

  private boolean finishDue() {
    int linked = index.linkedCount();
    return heldCount > 0
        || sweeps.isDue(linked)
        || calibrations.isDue(linked, deletedRows())
        || blocksAreNew(linked);
  }

  /** Whether there are blocks that the last calibration had not. */
  private boolean blocksAreNew(int linked) {
    return linked >= CalibrationSchedule.FROM && index.hasBlocks() && !blocksTried;
  }

  /**
   * Does the next step and says whether searchable rows changed. One that fails, mostly for memory
   * that the system refuses, is tried again later; but not over a graph in which a batch is half
   * linked, which only a restart builds anew. What is not linked is compared one by one meanwhile.
   */
  boolean step() {
    if (halfLinked || !linking.mayTry()) {
      return false;
    }
    try {
      boolean worked = nextStep();
      if (worked && fault != null) {
        LOG.info("collection {}: rows are linked again", config.name());
        fault = null;
        linking.succeeded();
      }
      return worked;
    } catch (RuntimeException e) {
      fault = e;
      linking.failed();
      heldCount = 0;
      bulkFailed |= bulk != null;
      abandonBulk();
      halfLinked = isHalfLinked(buffer.snapshot());
      buffer.giveBack();
      LOG.error(
          "collection {}: linking failed and is tried again {}",
          config.name(),
          halfLinked ? "after a restart" : "later",
          e);
      return false;
    }
  }

  /** Whether the graph has a row that was not told to be linked. */
  private boolean isHalfLinked(UnlinkedBuffer.Snapshot snapshot) {
    return hasLinked(snapshot.unlinked()) || hasLinked(snapshot.unbuilt());
  }

  private boolean hasLinked(SlotRanges ranges) {
    for (int range = 0; range < ranges.count(); range++) {
      for (int slot = ranges.from(range); slot < ranges.to(range); slot++) {
        if (index.graph().isLinked(slot)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Why rows are not linked, or null: they are. Any thread. */
  @Nullable RuntimeException fault() {
    return fault;
  }

  private boolean nextStep() {
    if (buffer.unlinkedRows() > 0 && calibrations.isOverdue(index.linkedCount(), deletedRows())) {
      finish();
      return true;
    }
    Bulk current = bulk == null ? beginBulk() : bulk;
    if (current != null && bulkNext) {
      bulkNext = false;
      stepBulk(current);
      return true;
    }
    // In turns with a bulk build: rows that searches compare one by one, and writers wait for.
    bulkNext = true;
    int most = Math.clamp(index.linkedCount() / BATCHES_PER_GRAPH, SMALLEST_BATCH, LARGEST_BATCH);
    int taken = current == null ? buffer.take(batch, most) : buffer.takeUnlinked(batch, most);
    if (taken > 0) {
      linkBatch(taken);
      return true;
    }
    if (current != null) {
      stepBulk(current);
      return true;
    }
    if (index.lacksBlocks()) {
      index.writeBlocks();
      return true;
    }
    if (finishDue()) {
      finish();
      return true;
    }
    return false;
  }

  /** Begins to link a build of many rows at once, if there is one that is large enough. */
  private @Nullable Bulk beginBulk() {
    int linked = index.linkedCount();
    if (bulkFailed || !BulkLinker.builds(index.parameters())) {
      return null;
    }
    SlotRanges taken =
        buffer.takeBuild(
            Math.max(BULK_LEAST, linked / LINKED_TO_BULK), BulkLinker.MOST_NODES - linked);
    if (taken == null) {
      return null;
    }
    int[] sample = sampleOf(taken);
    NativeInts slots = liveBut(sample, taken);
    if (slots.length() == 0) {
      slots.close();
      holdAll(sample);
      return null;
    }
    try {
      Bulk begun = new Bulk(index.build(slots, store.rows().count()), slots, sample);
      bulk = begun;
      LOG.debug("collection {}: {} rows are linked at once", config.name(), slots.length());
      return begun;
    } catch (RuntimeException e) {
      slots.close();
      bulkFailed = true;
      throw e;
    }
  }

  /**
   * The linked rows and those of a build, all but the sample, and but those that were deleted or
   * replaced before, which need not be linked.
   */
  private NativeInts liveBut(int[] sample, SlotRanges taken) {
    try (NativeInts all = new NativeInts(taken.slots() + index.linkedCount())) {
      int n = 0;
      int next = 0;
      int deleted = 0;
      int range = 0;
      int end = Math.max(index.graph().bound(), taken.to(taken.count() - 1));
      for (int slot = 0; slot < end; slot++) {
        while (range < taken.count() && taken.to(range) <= slot) {
          range++;
        }
        boolean inBuild = range < taken.count() && taken.from(range) <= slot;
        if (inBuild && next < sample.length && sample[next] == slot) {
          next++;
        } else if ((inBuild || index.graph().isLinked(slot)) && !store.rows().isDeleted(slot)) {
          all.set(n++, slot);
        } else if (inBuild) {
          batch[deleted++] = slot;
        }
        if (deleted == batch.length) {
          buffer.linked(batch, deleted);
          deleted = 0;
        }
      }
      buffer.linked(batch, deleted);
      NativeInts live = new NativeInts(n);
      for (int i = 0; i < n; i++) {
        live.set(i, all.get(i));
      }
      return live;
    }
  }

  /** Whether a row was deleted, and nothing waits for its successor. */
  private boolean isGone(int slot) {
    return store.rows().isDeleted(slot) && !replaced.isHeld(slot);
  }

  /** Those of the smallest hashes, ascending, to be held out. */
  private static int[] sampleOf(SlotRanges slots) {
    int most = (int) Math.min(HELD_MOST, slots.slots() / HELD_ONE_IN);
    PriorityQueue<Integer> largestFirst =
        new PriorityQueue<>(most + 1, Comparator.comparingLong((Integer slot) -> -hash(slot)));
    for (int range = 0; range < slots.count(); range++) {
      for (int slot = slots.from(range); slot < slots.to(range); slot++) {
        if (largestFirst.size() < most || hash(slot) < hash(largestFirst.element())) {
          largestFirst.add(slot);
          if (largestFirst.size() > most) {
            largestFirst.remove();
          }
        }
      }
    }
    return largestFirst.stream().mapToInt(Integer::intValue).sorted().toArray();
  }

  private void stepBulk(Bulk current) {
    if (current.linker.step()) {
      publish(current);
    }
  }

  /**
   * Lets a bulk build take the place of the graph, and of what its rows replace. What was linked
   * meanwhile is compared one by one until it is linked to it, batch by batch.
   */
  private void publish(Bulk ready) {
    replaced.change(() -> {
      for (long i = 0; i < ready.slots.length() && replaced.count() > 0; i++) {
        replaced.drop(ready.slots.get(i));
      }
      buffer.unlink(linkedBut(ready.slots));
      ready.linker.publish();
    });
    ready.linker.linkCopies();
    sweeps.linked(Math.toIntExact(ready.slots.length()));
    tellLinked(ready.slots);
    holdAll(ready.sample);
    abandonBulk();
  }

  private void holdAll(int[] sample) {
    int[] rest = linkHeld();
    linked(rest, rest.length);
    System.arraycopy(sample, 0, held, 0, sample.length);
    heldCount = sample.length;
  }

  private void tellLinked(NativeInts slots) {
    for (long from = 0; from < slots.length(); from += batch.length) {
      int count = (int) Math.min(batch.length, slots.length() - from);
      for (int i = 0; i < count; i++) {
        batch[i] = slots.get(from + i);
      }
      linked(batch, count);
    }
  }

  /** Linked rows that a build has not, and that are not gone. */
  private int[] linkedBut(NativeInts built) {
    int[] others = NONE;
    int n = 0;
    long next = 0;
    for (int slot = 0; slot < index.graph().bound(); slot++) {
      if (next < built.length() && built.get(next) == slot) {
        next++;
      } else if (index.graph().isLinked(slot) && !isGone(slot)) {
        others = n == others.length ? Arrays.copyOf(others, 2 * n + SMALLEST_BATCH) : others;
        others[n++] = slot;
      }
    }
    return Arrays.copyOf(others, n);
  }

  /** Frees what a bulk build holds; its rows are linked, or stay where they are. */
  void abandonBulk() {
    Bulk current = bulk;
    if (current != null) {
      bulk = null;
      current.linker.close();
    }
  }

  private void linkBatch(int taken) {
    boolean holdingOut = calibrations.holdsOut(index.linkedCount());
    int kept = 0;
    int[] deleted = NONE; // before they were linked, and need not be
    int deletedCount = 0;
    for (int i = 0; i < taken; i++) {
      int slot = batch[i];
      if (isGone(slot)) {
        if (deletedCount == 0) {
          deleted = new int[taken - i];
        }
        deleted[deletedCount++] = slot;
      } else if (!holdingOut || !hold(slot)) {
        batch[kept++] = slot;
      }
    }
    if (deletedCount > 0) {
      buffer.linked(deleted, deletedCount);
    }
    link(batch, kept);
    linked(batch, kept);
  }

  private void link(int[] slots, int count) {
    if (count > 0) {
      Arrays.sort(slots, 0, count);
      index.link(slots, count, store.rows().count());
      sweeps.linked(count);
    }
  }

  /** Rows of the graph take their place: they leave the buffer, and what they replace goes. */
  private void linked(int[] slots, int count) {
    replaced.link(slots, count, () -> buffer.linked(slots, count));
  }

  /**
   * Keeps a row out of the batch if it is among the sample; what the sample loses joins the batch
   * in its place.
   */
  private boolean hold(int slot) {
    long hash = hash(slot);
    if (hash % (index.linkedCount() < SMALL ? HELD_ONE_IN_OF_SMALL : HELD_ONE_IN) != 0) {
      return false;
    }
    held[heldCount++] = slot;
    if (heldCount <= HELD_MOST) {
      return true;
    }
    int loser = 0;
    for (int i = 1; i < heldCount; i++) {
      if (Long.compareUnsigned(hash(held[i]), hash(held[loser])) > 0) {
        loser = i;
      }
    }
    int released = held[loser];
    held[loser] = held[--heldCount];
    if (released == slot) {
      return false;
    }
    int[] one = {released};
    link(one, 1);
    linked(one, 1);
    return true;
  }

  private static long hash(int slot) {
    long x = (slot + 1L) * 0x9E37_79B9_7F4A_7C15L;
    x = (x ^ (x >>> 32)) * 0xD6E8_FEB8_6659_FD93L;
    return (x ^ (x >>> 32)) >>> 1;
  }

  /** Calibrate on what was held out, link it, make everything reachable. */
  private void finish() {
    int linked = index.linkedCount();
    if (calibrations.isDue(linked, deletedRows()) || blocksAreNew(linked)) {
      calibrate(linked);
    }
    int[] rest = linkHeld();
    int orphans = index.sweep();
    if (orphans > 0) {
      LOG.debug("collection {}: the sweep linked {} unreached rows", config.name(), orphans);
    }
    sweeps.swept();
    linked(rest, rest.length);
  }

  /** Links what was held out; the caller tells that it is {@link #linked}. */
  private int[] linkHeld() {
    int[] rest = Arrays.copyOf(held, heldCount);
    heldCount = 0;
    link(rest, rest.length);
    return rest;
  }

  private void calibrate(int linked) {
    int most =
        Math.clamp(
            Math.min(MOST_COMPARED / linked, linked / MEASURED_ONE_TO), MEASURED_LEAST, HELD_MOST);
    int[] sample = new int[most];
    int samples = 0;
    for (int i = 0; i < heldCount && samples < most; i++) {
      if (!store.rows().isDeleted(held[i])) {
        sample[samples++] = held[i];
      }
    }
    double target = config.targetRecall();
    boolean inGraph = samples < HELD_LEAST;
    if (inGraph) {
      // Too few came since the last batch: linked rows must do, against a stricter target.
      samples = sampleLinked(sample);
      target = 1 - (1 - target) / 2;
    }
    int deleted = deletedRows();
    Calibration found =
        samples < HELD_LEAST
            ? null
            : calibrator.calibrate(sample, samples, inGraph, target, linked);
    blocksTried = index.hasBlocks();
    if (found != null) {
      calibration = found;
      LOG.info(
          "collection {}: {} by default (recall@10 {} on {} samples, {} linked, {} deleted)",
          config.name(),
          calibration.describe(),
          calibration.recall(),
          samples,
          linked,
          deleted);
      if (calibration.recall() < config.targetRecall()) {
        LOG.warn(
            "collection {}: the target recall {} is out of reach of a default search; ask for a"
                + " larger ef",
            config.name(),
            config.targetRecall());
      }
    }
    // Where hardly a row is left, the one before stands: there is nothing to choose a beam for.
    calibrations.calibrated(linked, deleted);
  }

  /** Live rows of the graph, spread over the slots; returns how many, fewer where there are few. */
  private int sampleLinked(int[] sample) {
    int bound = index.graph().bound();
    int samples = 0;
    int step = Math.max(1, bound / (2 * sample.length));
    for (int start = 0; start < step && samples < sample.length; start++) {
      for (int slot = start; slot < bound && samples < sample.length; slot += step) {
        if (index.graph().isLinked(slot) && !store.rows().isDeleted(slot)) {
          sample[samples++] = slot;
        }
      }
    }
    return samples;
  }

  private int deletedRows() {
    return store.rows().count() - store.rows().liveCount();
  }

  /** A checkpoint that has begun; without a cut it has no image. */
  final class Checkpoint implements AutoCloseable {
    private final long sequence = store.publishedLsn();
    private final @Nullable GraphCut cut;
    private final ImageHeader header =
        new ImageHeader(calibration, blocksTried, calibrations.calibratedAt());
    private final long imageBytes; // about
    private final int codesHeld; // while there is a cut
    private final @Nullable SlotRanges imaged;

    private Checkpoint(boolean image) {
      if (!image) {
        imageBytes = 0;
        cut = null;
        codesHeld = 0;
        imaged = null;
        return;
      }
      long all = ImageHeaderLayout.BYTES + GraphImage.bytes(index);
      long changes = index.needsWholeImage() ? all : bytesOfChanges();
      boolean whole = index.needsWholeImage() || checkpoints.isOutgrown(changes, all);
      imageBytes = whole ? all : changes;
      cut = index.cut(whole);
      codesHeld = codeReaders.enter();
      imaged = buffer.unimaged();
    }

    /** Of a section for them: a few kilobytes also for one row, which add up to many a year. */
    private long bytesOfChanges() {
      return ImageSink.SECTION_BYTES + ImageHeaderLayout.BYTES + GraphChanges.bytes(index);
    }

    /**
     * Writes truth, and the image; on a disk that has no room for the image, truth alone, so that
     * the log is cut. What finds no room at all is tried again later. The index may grow meanwhile.
     */
    void write() throws IOException {
      boolean written = false;
      try {
        if (cut == null) {
          store.checkpoint(null);
        } else if (cut.isWhole()) {
          store.checkpoint(sink -> writeImage(cut, sink));
        } else {
          store.checkpointWithChanges(sink -> writeImage(cut, sink));
        }
        written = true;
        checkpoints.checkpointed(sequence);
        checkpoints.succeeded();
        if (cut != null) {
          checkpoints.imaged(cut.linked(), cut.isWhole() ? 0 : imageBytes);
        }
      } catch (DiskFullException e) {
        checkpoints.failed();
        LOG.warn("collection {}: no room for a checkpoint: {}", config.name(), e.getMessage());
        if (cut != null) {
          writeWithoutImage();
        }
      } catch (IOException | RuntimeException e) {
        checkpoints.failed();
        throw e;
      } finally {
        if (cut != null && !written) {
          index.imageLost();
        }
      }
    }

    private void writeWithoutImage() throws IOException {
      try {
        store.checkpoint(null);
        checkpoints.checkpointed(sequence);
      } catch (DiskFullException e) {
        LOG.warn("collection {}: nor for one without image: {}", config.name(), e.getMessage());
      }
    }

    private void writeImage(GraphCut nodes, ImageSink sink) throws IOException {
      sink.expect(imageBytes);
      header.write(sink::write);
      if (nodes.isWhole()) {
        GraphImage.write(nodes, sink::write);
      } else {
        GraphChanges.write(nodes, sink::write);
      }
    }

    @Override
    public void close() {
      if (imaged != null) {
        buffer.imaged(imaged); // without room for it too: whoever waits for them would for ever
      }
      if (cut != null) {
        codeReaders.exit(codesHeld);
        cut.close();
      }
    }
  }

  /**
   * Begins a checkpoint if one is due, now that nothing waits or in spite of what waits; null
   * otherwise. Under both locks.
   */
  @Nullable Checkpoint beginDueCheckpoint() {
    if (!checkpoints.mayTry()) {
      return null;
    }
    int linked = index.linkedCount();
    boolean due =
        store.checkpointDue()
            || (checkpoints.isImageOverdue(linked) && !halfLinked)
            || (!hasWork() && checkpoints.isDue(linked, store.publishedLsn(), wholeBytes()));
    return due ? beginCheckpoint(false) : null;
  }

  /** What an image would take that must be written whole; 0 if changes can be added to one. */
  private long wholeBytes() {
    return lacksWholeImage() ? GraphImage.bytes(index) : 0;
  }

  private boolean lacksWholeImage() {
    return index.linkedCount() > 0 && index.needsWholeImage();
  }

  /** Whether the newest image is of another graph than this, or lacks a row of it. */
  private boolean imageIsBehind() {
    return lacksWholeImage() || checkpoints.imageIsBehind(index.linkedCount());
  }

  /**
   * Begins a checkpoint, with an image where that is due. Under both locks.
   *
   * @param closing whether an image is due whenever it lacks a row: the next start wants it
   */
  Checkpoint beginCheckpoint(boolean closing) {
    int linked = index.linkedCount();
    boolean due = closing ? imageIsBehind() : checkpoints.isImageDue(linked, wholeBytes());
    return new Checkpoint(due && !halfLinked);
  }

  /** Whether anything happened that the newest checkpoint does not have. */
  boolean uncheckpointed() {
    return lacksWholeImage() || checkpoints.isBehind(index.linkedCount(), store.publishedLsn());
  }

  /** Loads the newest image; without one, or with one unreadable, all rows are linked anew. */
  boolean loadImage() {
    try (ImageSource image = store.openImage()) {
      if (image == null) {
        return true;
      }
      if (!readSection(image)) {
        LOG.warn("collection {}: the image does not fit, linking anew", config.name());
        return true;
      }
      long added = readFurther(image);
      checkpoints.loaded(index.linkedCount(), added);
      sweeps.linked(index.linkedCount() == 0 ? 0 : 1); // the image may be older than its sweep
      return true;
    } catch (IOException e) {
      // Damaged, or on a device that does not read it: it is derived from what is elsewhere.
      LOG.warn("collection {}: {}; linking anew", config.name(), FailureWords.of(e));
      return false;
    }
  }

  /** Reads what was added to an image, as far as it is readable; returns its bytes. */
  private long readFurther(ImageSource image) {
    long added = 0;
    try {
      while (image.next()) {
        if (!readSection(image)) {
          LOG.warn("collection {}: what was added to the image does not fit", config.name());
          index.imageLost();
          return added;
        }
        added += ImageSink.SECTION_BYTES + image.bytes();
      }
    } catch (IOException e) {
      LOG.warn(
          "collection {}: {}; linking anew what was added from there",
          config.name(),
          FailureWords.of(e));
      index.imageLost();
    }
    return added;
  }

  /** Reads the image, if nothing was read of it, or the changes that follow; false: they misfit. */
  private boolean readSection(ImageSource image) throws IOException {
    ImageHeader header = ImageHeader.read(image::read);
    if (header == null) {
      return false;
    }
    int rows = store.rows().count();
    boolean fits =
        index.needsWholeImage()
            ? GraphImage.read(index, rows, image::read)
            : GraphChanges.read(index, rows, image::read);
    if (!fits) {
      return false;
    }
    calibration = header.calibration();
    blocksTried = header.blocksTried();
    calibrations.calibrated(header.calibratedAt(), deletedRows());
    return true;
  }
}
