package io.omendb.engine;

import io.omendb.index.hnsw.HnswIndex;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.index.hnsw.VectorRows;
import io.omendb.index.hnsw.Workers;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Posix;
import io.omendb.storage.CollectionStore;
import io.omendb.storage.StoreListener;
import io.omendb.storage.StoreStats;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.DeleteResult;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.Placement;
import io.omendb.storage.api.RowSource;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.StreamState;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One collection: durable rows and the graph over them. What the three words of a write mean is
 * kept here.
 *
 * <ul>
 *   <li><i>acknowledged</i>: the log has it as the durability mode promises; a killed process loses
 *       nothing acknowledged.
 *   <li><i>durable</i>: synced; a power cut does not lose it.
 *   <li><i>visible</i>: reads see it. With {@link Visibility#IMMEDIATE} that is when it is
 *       acknowledged, with {@link Visibility#AFTER_BUILD} searches find it once it is linked.
 * </ul>
 *
 * <p>Threads: any. Writes take one short lock in the store and never sync; searches take no lock.
 * Reads of slots and searches need a lease: {@link #acquire} before, {@link #release} after.
 */
public final class Collection {
  /** Components scanned in about half a millisecond: what a search may spend on the unlinked. */
  private static final long UNLINKED_COMPONENTS = 5_000_000;

  private final CollectionConfig config;
  private final long createdMillis;
  private final CollectionStore store;
  private final Rows rows;
  private final HnswIndex index;
  private final UnlinkedBuffer buffer;
  private final ReplacedRows replaced;
  private final ReaderEpoch codeReaders = new ReaderEpoch();
  private final RowSearch search;
  private final IndexMaintenance maintenance;
  private final RowChecks rowChecks;
  private final Runnable workSignal;
  private final List<Runnable> watermarkListeners = new CopyOnWriteArrayList<>();
  private final ReentrantLock stepLock = new ReentrantLock();
  private final ReentrantLock checkpointLock = new ReentrantLock();
  private final Leases leases = new Leases();
  private final long unlinkedLimit;
  private volatile long lastSequence;
  private volatile boolean logFailed;

  private Collection(
      CollectionConfig config,
      long createdMillis,
      CollectionStore store,
      Workers workers,
      Runnable workSignal) {
    this.config = config;
    this.createdMillis = createdMillis;
    this.store = store;
    this.rows = new Rows(store.rows(), config.dimension());
    this.workSignal = workSignal;
    this.rowChecks = new RowChecks(config.dimension(), config.similarity());
    this.unlinkedLimit = Math.max(64, UNLINKED_COMPONENTS / config.dimension());
    this.buffer = new UnlinkedBuffer(unlinkedLimit);
    this.index =
        new HnswIndex(config.indexParameters(), new StoreRows(store), workers, this::retire);
    this.replaced = new ReplacedRows(HnswIndex.maxNodes(config.indexParameters()));
    this.search = new RowSearch(store, index, buffer, replaced, codeReaders, config.similarity());
    this.maintenance =
        new IndexMaintenance(
            config,
            store,
            index,
            buffer,
            replaced,
            codeReaders,
            new Calibrator(store, index, search, workers),
            Math.toIntExact(unlinkedLimit / 2),
            System::nanoTime);
    this.lastSequence = store.publishedLsn();
  }

  /**
   * Joins a store that was just opened with its graph: loads the image, takes what is not in it to
   * be linked.
   */
  static Collection open(CollectionStore store, Workers workers, Runnable workSignal) {
    CollectionConfig config = CollectionConfig.fromSchema(store.schema());
    long created = CollectionConfig.createdMillis(store.schema());
    Collection collection = new Collection(config, created, store, workers, workSignal);
    try {
      if (!collection.maintenance.loadImage()) {
        collection.freeIndex();
        collection = new Collection(config, created, store, workers, workSignal);
      }
      RecoveredRows found =
          RecoveredRows.find(
              store.rows(), collection.index, collection.unlinkedLimit, collection.replaced);
      collection.buffer.recover(found);
      store.listener(collection.new Listener());
      return collection;
    } catch (RuntimeException e) {
      collection.freeIndex();
      throw e;
    }
  }

  /** The rows of the store, as the index reads them. */
  private record StoreRows(CollectionStore store) implements VectorRows {
    @Override
    public long row(int ordinal) {
      return store.rows().vectorsAddress() + (long) ordinal * store.rows().rowStride();
    }

    @Override
    public void willRead(int from, int to) {
      Posix.willNeed(row(from), row(to) - row(from));
    }

    @Override
    public float squaredNorm(int ordinal) {
      return store.rows().squaredNorm(ordinal);
    }
  }

  /** Closes what the index has replaced, once no search can be reading it any more. */
  private void retire(AutoCloseable replacedByIndex) {
    codeReaders.awaitReaders();
    try {
      replacedByIndex.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the collection is. */
  public CollectionConfig config() {
    return config;
  }

  /** When it was created, ms since 1970. */
  public long createdMillis() {
    return createdMillis;
  }

  // ---- Leases --------------------------------------------------------------------------------

  /** Keeps the memory of the collection mapped until {@link #release}; false once it is closed. */
  public boolean acquire() {
    return leases.acquire();
  }

  /** Whether it was closed or dropped. */
  public boolean isClosed() {
    return leases.isClosed();
  }

  private void lease() {
    if (!acquire()) {
      throw new CollectionNotFoundException(config.name());
    }
  }

  /** Gives a lease back. */
  public void release() {
    leases.release();
  }

  // ---- Writing -------------------------------------------------------------------------------

  /**
   * Appends rows as one atomic write. On return they are stored; they are acknowledged and visible
   * as the sequences below tell.
   *
   * @param rows read during the call
   * @param result overwritten
   * @throws InvalidRowsException if a row cannot be stored; nothing is applied
   * @throws UnlinkedBufferFullException if rows for {@link Visibility#IMMEDIATE} would make the
   *     unlinked buffer too long; nothing is applied or logged
   * @throws IOException if the disk is full or the log has failed; nothing is applied
   */
  public void append(RowSource rows, WriteMode mode, Visibility visibility, AppendResult result)
      throws InvalidRowsException, UnlinkedBufferFullException, IOException {
    if (visibility == Visibility.IMMEDIATE && unlinkedBufferFull()) {
      throw new UnlinkedBufferFullException(config.name(), buffer.newUnlinkedRows(), unlinkedLimit);
    }
    write(rows, mode, visibility, null, result);
  }

  /**
   * Appends a frame of a bulk stream that may be resumed, as {@link #append} does, but however long
   * the unlinked buffer is: the stream asks {@link #unlinkedBufferFull} before it asks its client
   * for more.
   *
   * @param position the client's in the stream, logged with the rows and also where they are
   *     refused
   */
  public void appendFrame(
      RowSource rows,
      WriteMode mode,
      Visibility visibility,
      StreamFrame position,
      AppendResult result)
      throws InvalidRowsException, IOException {
    write(rows, mode, visibility, position, result);
  }

  private void write(
      RowSource rows,
      WriteMode mode,
      Visibility visibility,
      @Nullable StreamFrame position,
      AppendResult result)
      throws InvalidRowsException, IOException {
    lease();
    try {
      Placed placed = new Placed(visibility == Visibility.AFTER_BUILD);
      try {
        store.append(rows, mode, rowChecks, placed, position, result);
      } catch (IOException e) {
        buffer.withdraw(placed.ticket);
        throw e;
      }
      advanceLast(result.lsn);
    } finally {
      release();
    }
  }

  /** Tells the buffer of the slots of a write, on the thread that appends it. */
  private final class Placed implements Placement {
    private final boolean deferred;
    private long ticket;

    Placed(boolean deferred) {
      this.deferred = deferred;
    }

    @Override
    public void placed(int firstSlot, int count) {
      ticket = buffer.place(firstSlot, firstSlot + count, deferred);
    }

    @Override
    public boolean deferred() {
      return deferred;
    }
  }

  /** Deletes rows by numeric id. */
  public DeleteResult delete(long[] ids) throws IOException {
    lease();
    try {
      return deleted(store.delete(ids));
    } finally {
      release();
    }
  }

  /** Deletes rows by string id (UTF-8). */
  public DeleteResult delete(byte[][] ids) throws IOException {
    lease();
    try {
      return deleted(store.delete(ids));
    } finally {
      release();
    }
  }

  private DeleteResult deleted(DeleteResult result) {
    advanceLast(result.lsn());
    return result;
  }

  /** Logs that a refused frame has used up its sequence; returns the log position. */
  public long markFrame(StreamFrame frame) throws IOException {
    lease();
    try {
      long sequence = store.markFrame(frame);
      advanceLast(sequence);
      return sequence;
    } finally {
      release();
    }
  }

  private synchronized void advanceLast(long sequence) {
    if (sequence > lastSequence) {
      lastSequence = sequence;
    }
  }

  /** Where a stream stands; null for one that is not known. */
  public @Nullable StreamState stream(String streamId) {
    return store.stream(streamId);
  }

  /** Whether so much waits for the log that writers should slow down. */
  public boolean backlogged() {
    return store.backlogged();
  }

  /**
   * Whether so many rows wait to be linked that IMMEDIATE writers should wait. Those that the start
   * found without an image are not counted: writers would have to wait for all of them.
   */
  public boolean unlinkedBufferFull() {
    return buffer.newUnlinkedRows() > unlinkedLimit;
  }

  /** Opens a bulk build: AFTER_BUILD rows are linked once every build has ended. */
  public void beginBuild() {
    buffer.beginBuild();
  }

  /** Ends a bulk build. */
  public void endBuild() {
    buffer.endBuild();
    workSignal.run();
  }

  // ---- Sequences -----------------------------------------------------------------------------

  /** The newest log position given out. */
  public long lastSequence() {
    return Math.max(lastSequence, store.publishedLsn());
  }

  /**
   * Whether a write or sync has failed for good: no sequence moves any more, and what was not
   * visible by then may be kept or lost.
   */
  public boolean hasFailed() {
    return logFailed;
  }

  /** Why rows are not linked at the moment, or null: they are. */
  public @Nullable Exception fault() {
    return maintenance.fault();
  }

  /** Everything up to it is on the device. */
  public long durableSequence() {
    return store.durableLsn();
  }

  /**
   * Everything up to it is acknowledged, and visible but for AFTER_BUILD rows that wait for their
   * build: the two are one moment.
   */
  public long visibleSequence() {
    return store.publishedLsn();
  }

  /**
   * Everything up to it is found by searches, AFTER_BUILD rows included, and will be after a crash
   * too.
   */
  public long searchableSequence() {
    long published = store.publishedLsn();
    int slot = buffer.firstUnsearchable();
    if (slot >= store.rows().count() || !acquire()) {
      return published;
    }
    try {
      return Math.min(published, store.rows().slotLsn(slot) - 1);
    } finally {
      release();
    }
  }

  /**
   * Calls {@code listener} after any sequence moved, on a thread of the engine: it must be quick.
   */
  public void addWatermarkListener(Runnable listener) {
    watermarkListeners.add(listener);
  }

  /** Ends the calls. */
  public void removeWatermarkListener(Runnable listener) {
    watermarkListeners.remove(listener);
  }

  private void notifyWatermarks() {
    for (Runnable listener : watermarkListeners) {
      listener.run();
    }
  }

  /** Called on the log's thread. */
  private final class Listener implements StoreListener {
    /** Before the rows that hidden ones replace are deleted: from then on they are held. */
    @Override
    public void publishing(int slotFrom, int slotTo, IntUnaryOperator replacedBy) {
      if (!buffer.isUnbuilt(slotFrom)) {
        return;
      }
      for (int slot = slotFrom; slot < slotTo; slot++) {
        int before = replacedBy.applyAsInt(slot);
        if (before >= 0) {
          boolean hidden =
              buffer.isUnbuilt(before) && !reading(() -> index.graph().isLinked(before));
          replaced.hold(before, slot, hidden);
        }
      }
    }

    @Override
    public void published(
        long lsn, int slotFrom, int slotTo, int[] deletedSlots, int deletedCount) {
      for (int i = 0; i < deletedCount && replaced.count() > 0; i++) {
        replaced.drop(deletedSlots[i]);
      }
      if (slotFrom < slotTo) {
        buffer.publish(slotFrom, slotTo);
        workSignal.run();
      }
    }

    @Override
    public void watermarks(long writtenLsn, long durableLsn, long publishedLsn) {
      notifyWatermarks();
    }

    @Override
    public void failed(Throwable cause) {
      logFailed = true;
      notifyWatermarks();
    }
  }

  // ---- Reading -------------------------------------------------------------------------------

  /** The rows, by slot and by id. */
  public Rows rows() {
    return rows;
  }

  /**
   * Finds the nearest rows.
   *
   * @param scratch the thread's own
   * @param result overwritten
   */
  public void search(SearchRequest request, SearchScratch scratch, SearchResult result) {
    search.search(request, maintenance.calibration(), scratch, result);
  }

  /**
   * Figures of the moment.
   *
   * @param graphHash whether to hash the graph: takes a second at ten million rows
   */
  public CollectionStats stats(boolean graphHash) {
    lease();
    try {
      return leasedStats(graphHash);
    } finally {
      release();
    }
  }

  /** Bytes of its files in all. Looks at each of them: not for whoever asks often. */
  public long diskBytes() {
    return store.diskBytes();
  }

  private CollectionStats leasedStats(boolean graphHash) {
    UnlinkedBuffer.Snapshot snapshot = buffer.snapshot();
    long unlinked = live(snapshot.unlinked());
    long unbuilt = live(snapshot.unbuilt());
    StoreStats figures = store.stats();
    Exception fault = fault();
    String hash =
        graphHash && unlinked + unbuilt == 0 ? Long.toHexString(reading(index::graphHash)) : null;
    return new CollectionStats(
        figures.liveCount(),
        figures.count() - figures.liveCount(),
        Math.max(0, figures.liveCount() - unlinked - unbuilt),
        unlinked,
        unbuilt,
        replaced.count(),
        figures.writtenLsn(),
        figures.durableLsn(),
        figures.publishedLsn(),
        figures.checkpointLsn(),
        maintenance.calibration().usable(index.hasBlocks()),
        new Footprint(figures.footprint(), index.footprint()),
        figures.walBytes(),
        figures.unverifiedBytes(),
        search.searches(),
        search.fallbacks(),
        maintenance.buildProgress(),
        fault == null ? null : fault.toString(),
        hash);
  }

  /** Keeps graph and codes of now from being closed meanwhile. */
  private <T> T reading(Supplier<T> graph) {
    int side = codeReaders.enter();
    try {
      return graph.get();
    } finally {
      codeReaders.exit(side);
    }
  }

  private long live(SlotRanges ranges) {
    long live = 0;
    for (int range = 0; range < ranges.count(); range++) {
      live += store.rows().liveCount(ranges.from(range), ranges.to(range));
    }
    return live;
  }

  /** Checks the graph's invariants; meant for a collection that nobody writes. */
  public List<String> violations() {
    return reading(index::violations);
  }

  /**
   * Takes pages of vectors out of memory, as the system does where it has become short: to measure
   * what searches take then.
   *
   * @param oneIn one page in so many
   */
  public void pageOutVectors(int oneIn) throws IOException {
    StoreRows rows = new StoreRows(store);
    long end = rows.row(store.rows().count());
    for (long page = rows.row(0); page < end; page += oneIn * AddressSpace.PAGE) {
      Posix.advise(page, AddressSpace.PAGE, Posix.MADV_PAGEOUT);
    }
  }

  // ---- Life ----------------------------------------------------------------------------------

  /**
   * One step of the linker: links a batch, or calibrates and sweeps; then takes a checkpoint if one
   * is due, while other threads take the next steps. False when nothing was, or another thread is
   * in a step.
   */
  boolean linkStep() throws IOException {
    boolean worked;
    IndexMaintenance.Checkpoint due = null;
    if (!stepLock.tryLock()) {
      return false;
    }
    try {
      if (leases.isClosed()) {
        return false;
      }
      worked = maintenance.step();
      if (worked) {
        notifyWatermarks();
      }
      if (checkpointLock.tryLock()) {
        try {
          due = maintenance.beginDueCheckpoint();
        } finally {
          if (due == null) {
            checkpointLock.unlock();
          }
        }
      }
    } finally {
      stepLock.unlock();
    }
    if (due != null) {
      try (IndexMaintenance.Checkpoint begun = due) {
        begun.write();
      } finally {
        checkpointLock.unlock();
        notifyWatermarks();
      }
    }
    return worked || due != null;
  }

  /** Takes a checkpoint now. */
  void checkpoint() throws IOException {
    checkpointLock.lock(); // before the other: whoever holds that only tries for this
    try (IndexMaintenance.Checkpoint checkpoint = beginCheckpoint()) {
      checkpoint.write();
    } finally {
      checkpointLock.unlock();
    }
  }

  private IndexMaintenance.Checkpoint beginCheckpoint() {
    stepLock.lock();
    try {
      return maintenance.beginCheckpoint(false);
    } finally {
      stepLock.unlock();
    }
  }

  /** Takes no more leases, waits for those that are out, and writes what the next start wants. */
  void close(boolean checkpoint) throws IOException {
    checkpointLock.lock();
    stepLock.lock();
    try {
      if (leases.isClosed()) {
        return;
      }
      leases.close();
      if (checkpoint && maintenance.uncheckpointed()) {
        try (IndexMaintenance.Checkpoint last = maintenance.beginCheckpoint(true)) {
          last.write();
        }
      }
    } finally {
      stepLock.unlock();
      checkpointLock.unlock();
    }
  }

  /** Frees the graph. The store is closed by its directory. */
  void freeIndex() {
    maintenance.abandonBulk();
    index.close();
    replaced.close();
  }
}
