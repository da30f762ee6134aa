package io.omendb.storage;

import io.omendb.memory.Checksum;
import io.omendb.memory.Memory;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.ImageSource;
import io.omendb.storage.api.ImageWriter;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.RowCheck;
import io.omendb.storage.api.RowSource;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.StoreFailedException;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.StreamState;
import io.omendb.storage.api.WriteLimits;
import io.omendb.storage.api.WriteMode;
import io.omendb.storage.checkpoint.Checkpointer;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.checkpoint.ImageFileReader;
import io.omendb.storage.checkpoint.Manifest;
import io.omendb.storage.checkpoint.Recovery;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.Preallocator;
import io.omendb.storage.row.IdIndex;
import io.omendb.storage.row.RowLayout;
import io.omendb.storage.row.SlotTable;
import io.omendb.storage.row.WritePlan;
import io.omendb.storage.wal.Wal;
import io.omendb.storage.wal.WalFile;
import io.omendb.storage.wal.WalReader;
import io.omendb.storage.wal.WalRecord;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The durable truth of one collection: rows by slot, found by id, written through a log.
 *
 * <p>Threads. Reads: any thread, without locks; a slot read must be below a {@link #count} read
 * before, by the same thread or handed over safely. Writes: any thread, one at a time under one
 * short lock; they store and checksum memory and, where the background thread fell behind, allocate
 * a file, but never sync. Listener: the log's thread. Checkpoints: one at a time, on a thread that
 * nobody interrupts.
 *
 * <p>Memory handed out by address lies in mappings that live until {@link #close}; the owner makes
 * sure that nobody reads then.
 */
public final class CollectionStore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CollectionStore.class);

  private static final long BULK_BYTES_PER_LOG_BYTE = 8;
  private static final VarHandle COUNT;

  static {
    try {
      COUNT =
          MethodHandles.lookup().findVarHandle(CollectionStore.class, "publishedCount", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final StorageOptions options;
  private final CollectionSchema schema;
  private final CollectionState state;
  private final SlotTable slots;
  private final WritePlan plan;
  private final Checkpointer checkpointer;
  private final ReentrantLock checkpointLock = new ReentrantLock();
  private final Wal wal;
  private final ReentrantLock lock;
  private final WalRecord record = new WalRecord();
  private final long unverifiedBytes;
  private float[] squaredNorms = new float[0];

  // Of the log's thread.
  private int[] diedNow = new int[16];
  private long publishedHeap;
  private volatile long bulkBytes;

  @SuppressWarnings("unused") // by COUNT
  private int publishedCount;

  private volatile int deadCount;
  private volatile long checkpointWalStart;
  private volatile long checkpointBulkStart;
  private volatile StoreListener listener = StoreListener.NONE;
  private boolean closed;

  private CollectionStore(
      StorageOptions options,
      CollectionState state,
      Checkpointer checkpointer,
      Recovery.Result recovered,
      WalFile file,
      long durableLsn,
      Preallocator preallocator) {
    this.options = options;
    this.state = state;
    this.schema = state.schema;
    this.slots = state.slots;
    this.checkpointer = checkpointer;
    this.unverifiedBytes = recovered.unverifiedBytes();
    this.plan = new WritePlan(slots, state.index, state.loggedDead, schema.idKind());
    this.publishedCount = state.count;
    this.publishedHeap = state.heapEnd;
    this.deadCount = state.publishedDead.dead();
    this.wal =
        new Wal(
            schema.name(),
            state.walDirectory(),
            checkpointer.newest().collection(),
            RowLayout.BYTES,
            options.durability(),
            options.backlogBytes(),
            file,
            new Wal.Start(recovered.log().lastLsn(), durableLsn, recovered.log().lastCrc()),
            new LogOwner(),
            preallocator::execute);
    this.lock = wal.lock();
  }

  /** Makes the files of a new, empty collection; durable when it returns. */
  static void createFiles(Path directory, UUID collection, CollectionSchema schema)
      throws IOException {
    Path walDirectory = directory.resolve(CollectionState.WAL);
    Files.createDirectories(walDirectory);
    WalFile.create(walDirectory, collection, 1, Wal.SMALLEST_FILE, null).close();
    Checkpointer.first(directory, collection, schema);
    DurableFiles.syncDirectory(directory);
  }

  /** Opens a collection and recovers it. */
  static CollectionStore open(
      Path directory, UUID collection, StorageOptions options, Preallocator preallocator)
      throws IOException {
    // Nothing is decided by names that a power cut could still take back.
    DurableFiles.syncDirectory(directory);
    DurableFiles.syncDirectory(directory.resolve(CollectionState.WAL));
    Manifest manifest = Recovery.newestManifest(directory);
    if (!manifest.collection().equals(collection)) {
      throw new CorruptFileException(
          Manifest.file(directory, manifest.generation()),
          0,
          "the manifest belongs to collection " + manifest.collection());
    }
    CollectionState state = new CollectionState(directory, manifest.schema(), preallocator);
    try {
      Recovery.Result recovered = Recovery.recover(manifest, state, options.verifyBytes());
      Recovery.removeLeftovers(directory, recovered.log());
      makeRoomForOne(state);
      WalFile file = fileToWrite(state.walDirectory(), collection, recovered.log());
      Checkpointer checkpointer = new Checkpointer(state, manifest);
      long durable = makeTailDurable(state, checkpointer, recovered, file, options);
      CollectionStore store =
          new CollectionStore(options, state, checkpointer, recovered, file, durable, preallocator);
      store.wal.start();
      return store;
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

  /** Never appends to a file that holds batches: what follows them may be a torn one. */
  private static WalFile fileToWrite(Path directory, UUID collection, WalReader.End log)
      throws IOException {
    return log.empty()
        ? WalFile.reset(WalFile.path(directory, log.lastSequence()))
        : WalFile.create(directory, collection, log.lastSequence() + 1, Wal.SMALLEST_FILE, null);
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
            state.loggedDead,
            state.streams)) {
      checkpointer.commit(cut, null);
    }
    state.streams.durable();
    return log.lastLsn();
  }

  /** Dirties the pages of a range without changing it. */
  private static void touch(long from, long to) {
    for (long at = from; at < to; at = (at & -4096) + 4096) {
      Memory.putByte(at, Memory.getByte(at));
    }
  }

  // ---- Reading -------------------------------------------------------------------------------

  /** The schema the collection was created with. */
  public CollectionSchema schema() {
    return schema;
  }

  /** Bytes between the starts of two vectors. */
  public int rowStride() {
    return slots.stride;
  }

  /** Address of slot 0's vector; slot {@code s} lies {@code s * rowStride()} bytes further. */
  public long vectorsAddress() {
    return slots.vectorsAddress();
  }

  /** Slots visible, dead ones included. What their writers stored is visible to the caller. */
  public int count() {
    return (int) COUNT.getAcquire(this);
  }

  /** Rows visible and not dead. */
  public int liveCount() {
    int dead = deadCount;
    return Math.max(0, count() - dead);
  }

  /** Whether a visible slot's row was deleted or replaced. */
  public boolean isDead(int slot) {
    return state.publishedDead.isDead(checked(slot));
  }

  /** Slot of a numeric id that is visible and not dead; -1 for none. */
  public int find(long numericId) {
    if (schema.idKind() != IdKind.NUMERIC) {
      throw new IllegalArgumentException("collection " + schema.name() + " has string ids");
    }
    int hash = IdIndex.hash(numericId);
    while (true) {
      int before = count();
      int slot = published(state.index.find(numericId, hash), before);
      if (slot < 0 || !state.publishedDead.isDead(slot)) {
        return slot;
      }
      if (count() == before) {
        return -1;
      }
    }
  }

  /** Slot of a string id that is visible and not dead; -1 for none. */
  public int find(byte[] utf8, int from, int length) {
    if (schema.idKind() != IdKind.STRING) {
      throw new IllegalArgumentException("collection " + schema.name() + " has numeric ids");
    }
    int hash = IdIndex.hash(utf8, from, length);
    while (true) {
      int before = count();
      int slot = published(state.index.find(utf8, from, length, hash), before);
      if (slot < 0 || !state.publishedDead.isDead(slot)) {
        return slot;
      }
      if (count() == before) {
        return -1;
      }
    }
  }

  /** Slot of a string id that is visible and not dead; -1 for none. */
  public int find(String id) {
    byte[] utf8 = id.getBytes(StandardCharsets.UTF_8);
    return find(utf8, 0, utf8.length);
  }

  /**
   * Walks from the newest slot of an id, which may not be published yet, to one that is.
   *
   * <p>If that one is dead, the id was deleted, or replaced while we looked. A replacement moves
   * the count before it kills, so with the count unmoved the id is gone, and otherwise we look
   * again.
   */
  private int published(int newest, int count) {
    int slot = newest;
    while (slot >= count) {
      slot = slots.previous(slot);
    }
    return slot;
  }

  /** Numeric id of a slot. */
  public long numericId(int slot) {
    return slots.id(checked(slot));
  }

  /** Bytes of a slot's string id. */
  public int stringIdLength(int slot) {
    return slots.heapLength(slots.id(checked(slot)));
  }

  /** Copies a slot's string id (UTF-8) to the heap; returns its length. */
  public int copyStringId(int slot, byte[] target, int from) {
    long offset = slots.id(checked(slot));
    int length = slots.heapLength(offset);
    Memory.read(slots.heapBytes(offset), target, from, length);
    return length;
  }

  /** Address of a slot's string id. */
  public long stringIdAddress(int slot) {
    return slots.heapBytes(slots.id(checked(slot)));
  }

  /** A slot's string id. */
  public String stringId(int slot) {
    byte[] utf8 = new byte[stringIdLength(slot)];
    copyStringId(slot, utf8, 0);
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** Bytes of a slot's payload; 0 for none. */
  public int payloadLength(int slot) {
    long offset = slots.payload(checked(slot));
    return offset == 0 ? 0 : slots.heapLength(offset);
  }

  /** Copies a slot's payload to the heap; returns its length. */
  public int copyPayload(int slot, byte[] target, int from) {
    int length = payloadLength(slot);
    if (length > 0) {
      Memory.read(slots.heapBytes(slots.payload(slot)), target, from, length);
    }
    return length;
  }

  /** Address of a slot's payload; meaningless where its length is 0. */
  public long payloadAddress(int slot) {
    return slots.heapBytes(slots.payload(checked(slot)));
  }

  /** A slot's payload; empty for none. */
  public byte[] payload(int slot) {
    byte[] payload = new byte[payloadLength(slot)];
    copyPayload(slot, payload, 0);
    return payload;
  }

  /** Squared norm of a slot's vector, as its check computed it. */
  public float squaredNorm(int slot) {
    return slots.squaredNorm(checked(slot));
  }

  /** Log position of the write that stored a slot. */
  public long slotLsn(int slot) {
    return slots.lsn(checked(slot));
  }

  private int checked(int slot) {
    if (slot < 0 || slot >= count()) {
      throw new IndexOutOfBoundsException("slot=" + slot + ", count=" + count());
    }
    return slot;
  }

  // ---- Writing -------------------------------------------------------------------------------

  /**
   * Appends rows as one log record. On return they are stored and in line for the log; they are
   * visible and acknowledged once the listener says so.
   *
   * @param check run on the vectors after the copy, in one call
   * @param frame the client's position, logged with the rows and also where they are refused
   * @throws InvalidRowsException if the check refuses a row; nothing is applied
   * @throws DiskFullException if there is no room; nothing is applied or logged
   * @throws StoreFailedException if the log has failed
   */
  public void append(
      RowSource rows,
      WriteMode mode,
      RowCheck check,
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
      wal.enter();
      result.reset();
      plan.resolve(rows, mode, state.count, result);
      if (plan.applied() == 0) {
        result.lsn = frame == null ? 0 : logFrame(frame);
        return;
      }
      state.ensure(plan.applied(), plan.heapBytes());
      copyVectors(rows);
      try {
        check(check);
      } catch (InvalidRowsException e) {
        if (frame != null) {
          logFrame(frame);
        }
        throw e;
      }
      logRows(rows, frame, result);
    } finally {
      lock.unlock();
    }
  }

  /** Copies applied rows in runs: one run where there are no conflicts. */
  private void copyVectors(RowSource rows) {
    int applied = plan.applied();
    for (int i = 0; i < applied; ) {
      int run = 1;
      while (i + run < applied && plan.row(i + run) == plan.row(i) + run) {
        run++;
      }
      rows.copyVectors(plan.row(i), run, slots.vector(state.count + i), slots.stride);
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

  private void logRows(RowSource rows, @Nullable StreamFrame frame, AppendResult result)
      throws IOException {
    int applied = plan.applied();
    int firstSlot = state.count;
    record.type = WalRecord.Type.ROWS;
    record.firstSlot = firstSlot;
    record.count = applied;
    record.heapFrom = state.heapEnd;
    record.heapBytes = plan.heapBytes();
    record.vectorBytes = schema.vectorBytes();
    record.vectorStride = slots.stride;
    record.vectors = slots.vector(firstSlot);
    record.rows = slots.row(firstSlot);
    record.heap = slots.heapAt(state.heapEnd);
    record.inline =
        (long) applied * schema.vectorBytes() + plan.heapBytes() <= options.inlineBytes();
    position(frame);
    wal.reserve(record.encodedBytes(RowLayout.BYTES));
    plan.store(rows, firstSlot, record.lsn, state.heapEnd, squaredNorms);
    sumBulk();
    for (int i = 0; i < applied; i++) {
      int previous = plan.previous(i);
      if (previous >= 0) {
        state.loggedDead.kill(previous);
      }
      state.index.put(firstSlot + i, plan.hash(i), previous);
    }
    state.count += applied;
    state.heapEnd += plan.heapBytes();
    add(frame);
    slots.used(state.count, state.heapEnd);
    result.lsn = record.lsn;
    result.firstSlot = firstSlot;
    result.appliedRows = applied;
    result.inserted = plan.inserted();
    result.updated = applied - plan.inserted();
  }

  private void sumBulk() {
    if (record.inline) {
      record.vectorsCrc = 0;
      record.rowsCrc = 0;
      record.heapCrc = 0;
      return;
    }
    record.vectorsCrc = Checksum.of(record.vectors, (long) record.count * slots.stride);
    record.rowsCrc = Checksum.of(record.rows, (long) record.count * RowLayout.BYTES);
    record.heapCrc = record.heapBytes == 0 ? 0 : Checksum.of(record.heap, record.heapBytes);
  }

  private void position(@Nullable StreamFrame frame) {
    record.lsn = wal.nextLsn();
    record.frameSequence = frame == null ? 0 : frame.frameSequence();
    record.streamId = frame == null ? null : state.streams.idOf(frame.streamId());
  }

  private void add(@Nullable StreamFrame frame) {
    wal.add(record, state.count, state.heapEnd);
    if (frame != null) {
      state.streams.logged(frame);
    }
  }

  private long logFrame(StreamFrame frame) throws IOException {
    record.type = WalRecord.Type.FRAME;
    record.count = 0;
    position(frame);
    wal.reserve(record.encodedBytes(RowLayout.BYTES));
    add(frame);
    return record.lsn;
  }

  /**
   * Logs that a refused frame has used up its sequence.
   *
   * @return the log position
   */
  public long markFrame(StreamFrame frame) throws IOException {
    lock.lock();
    try {
      wal.enter();
      return logFrame(frame);
    } finally {
      lock.unlock();
    }
  }

  /**
   * What a delete did.
   *
   * @param lsn its log position; 0 where no id was there
   * @param deleted how many rows died
   */
  public record DeleteResult(long lsn, int deleted) {}

  /** Deletes rows by numeric id; ids that are not there are passed over. */
  public DeleteResult delete(long[] ids) throws IOException {
    return delete(ids.length, i -> state.index.find(ids[i], IdIndex.hash(ids[i])));
  }

  /** Deletes rows by string id (UTF-8); ids that are not there are passed over. */
  public DeleteResult delete(byte[][] ids) throws IOException {
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
      wal.enter();
      if (record.slots.length < count) {
        record.slots = new int[count];
      }
      record.type = WalRecord.Type.DELETE;
      record.count = count;
      position(null);
      wal.reserve(record.encodedBytes(RowLayout.BYTES));
      record.count = 0;
      for (int i = 0; i < count; i++) {
        int slot = ids.slot(i);
        if (slot >= 0 && state.loggedDead.kill(slot)) {
          record.slots[record.count++] = slot;
        }
      }
      if (record.count == 0) {
        return new DeleteResult(0, 0);
      }
      add(null);
      return new DeleteResult(record.lsn, record.count);
    } finally {
      lock.unlock();
    }
  }

  /** Where a stream stands; null for one never seen, or not for 24 hours. */
  public @Nullable StreamState stream(String streamId) {
    return state.streams.state(streamId);
  }

  /** Whether so much waits for the log that writers should slow down. */
  public boolean backlogged() {
    return wal.backlogged();
  }

  // ---- Watermarks ----------------------------------------------------------------------------

  /** Everything up to it was handed to the operating system: a killed process does not lose it. */
  public long writtenLsn() {
    return wal.writtenLsn();
  }

  /** Everything up to it survives a power cut. */
  public long durableLsn() {
    return wal.durableLsn();
  }

  /** Everything up to it is visible. */
  public long publishedLsn() {
    return wal.publishedLsn();
  }

  /** Waits until a log position is visible. */
  public void awaitPublished(long lsn) throws IOException, InterruptedException {
    wal.awaitPublished(lsn);
  }

  /** Sets the one listener. Records published before are not told again. */
  public void listener(StoreListener listener) {
    this.listener = listener;
  }

  // ---- Checkpoints ---------------------------------------------------------------------------

  /** Whether so much was logged since the last checkpoint that the next is due. */
  public boolean checkpointDue() {
    return walBytesSinceCheckpoint() > options.checkpointWalBytes()
        || bulkBytes - checkpointBulkStart > BULK_BYTES_PER_LOG_BYTE * options.checkpointWalBytes();
  }

  /**
   * Takes a checkpoint of everything published.
   *
   * @param image written with it, while writers and linkers go on; null to keep the newest there is
   */
  public void checkpoint(@Nullable ImageWriter image) throws IOException {
    checkpointLock.lock();
    try {
      Checkpointer.Cut[] taken = new Checkpointer.Cut[1];
      long[] starts = new long[2];
      wal.between(() -> {
        starts[0] = wal.writtenBytes();
        starts[1] = bulkBytes;
        taken[0] = cut();
      });
      try (Checkpointer.Cut cut = taken[0]) {
        commit(cut, image);
        checkpointWalStart = starts[0];
        checkpointBulkStart = starts[1];
        wal.between(() -> durableByCheckpoint(cut));
      }
      wal.retire(checkpointer.firstSequenceNeeded());
    } finally {
      checkpointLock.unlock();
    }
  }

  private void commit(Checkpointer.Cut cut, @Nullable ImageWriter image) throws IOException {
    try {
      checkpointer.commit(cut, image);
    } catch (Checkpointer.OutcomeUnknownException e) {
      wal.fail(e);
      throw new StoreFailedException(schema.name(), e);
    }
  }

  /** On the log's thread, between batches: what is published is exactly a prefix of the log. */
  private Checkpointer.Cut cut() {
    return Checkpointer.Cut.of(
        wal.publishedLsn(),
        publishedCount,
        publishedHeap,
        wal.currentSequence(),
        state.publishedDead,
        state.streams);
  }

  private void durableByCheckpoint(Checkpointer.Cut cut) {
    state.streams.durable(cut.streams());
    wal.durableByCheckpoint(cut.lsn());
  }

  /** The newest image, or null where there is none; its reader closes it. */
  public @Nullable ImageSource openImage() throws IOException {
    Manifest manifest = checkpointer.newest();
    if (manifest.imageGeneration() == 0) {
      return null;
    }
    Path file = Manifest.image(state.directory, manifest.imageGeneration());
    if (!Files.exists(file)) {
      throw new CorruptFileException(file, 0, "the image is missing");
    }
    return ImageFileReader.open(file, manifest.imageGeneration(), manifest.collection());
  }

  /** Figures of the moment. */
  public StoreStats stats() {
    return new StoreStats(
        count(),
        liveCount(),
        writtenLsn(),
        durableLsn(),
        publishedLsn(),
        checkpointer.newest().lsn(),
        walBytesSinceCheckpoint(),
        wal.waitingBytes(),
        slots.usedBytes(),
        slots.mappedBytes(),
        unverifiedBytes,
        wal.syncs(),
        wal.batches(),
        state.streams.size());
  }

  private long walBytesSinceCheckpoint() {
    return wal.writtenBytes() - checkpointWalStart;
  }

  /** For tests of the failure latch. */
  Wal wal() {
    return wal;
  }

  /** For checks of the memory against the disk. */
  CollectionState state() {
    return state;
  }

  /**
   * Writes what waits for the log, ends its thread and unmaps the memory. Nobody reads any more.
   */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
    } finally {
      lock.unlock();
    }
    checkpointLock.lock();
    try (state;
        plan) {
      wal.close();
    } finally {
      checkpointLock.unlock();
    }
  }

  /** What the log's thread does to the collection. */
  private final class LogOwner implements Wal.Owner {
    @Override
    public void syncExtents(int count, long heapBytes) throws IOException {
      slots.syncTo(count, heapBytes);
    }

    /** Count first, tombstones next: an id that is replaced is found at every moment. */
    @Override
    public void publish(WalRecord written) {
      int died = 0;
      int from = publishedCount;
      switch (written.type) {
        case ROWS -> {
          int to = written.firstSlot + written.count;
          from = written.firstSlot;
          publishedHeap = written.heapFrom + written.heapBytes;
          COUNT.setRelease(CollectionStore.this, to);
          if (!written.inline) {
            long bulk = (long) written.count * slots.stride + written.heapBytes;
            addBulkBytes(bulk);
          }
          for (int slot = from; slot < to; slot++) {
            died = killed(slots.previous(slot), died);
          }
        }
        case DELETE -> {
          for (int i = 0; i < written.count; i++) {
            died = killed(written.slots[i], died);
          }
        }
        case FRAME -> {}
      }
      int dead = deadCount;
      deadCount = dead + died;
      String stream = written.streamIdText();
      if (stream != null) {
        state.streams.written(stream, written.frameSequence);
      }
      int to = publishedCount;
      listener.published(
          written.lsn, written.type == WalRecord.Type.ROWS ? from : to, to, diedNow, died);
    }

    /** Only this thread writes it. */
    private void addBulkBytes(long more) {
      long before = bulkBytes;
      bulkBytes = before + more;
    }

    private int killed(int slot, int died) {
      if (slot < 0 || !state.publishedDead.kill(slot)) {
        return died;
      }
      if (died == diedNow.length) {
        diedNow = Arrays.copyOf(diedNow, 2 * died);
      }
      diedNow[died] = slot;
      return died + 1;
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
        options.failureHandler().fatal("collection " + schema.name(), cause);
      }
    }
  }
}
