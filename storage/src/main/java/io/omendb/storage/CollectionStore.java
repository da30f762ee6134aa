package io.omendb.storage;

import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.DeleteResult;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.ImageSource;
import io.omendb.storage.api.ImageWriter;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.Placement;
import io.omendb.storage.api.RowCheck;
import io.omendb.storage.api.RowSource;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.StoreFailedException;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.StreamState;
import io.omendb.storage.api.WriteMode;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.checkpoint.StreamCapacity;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.Preallocator;
import io.omendb.storage.wal.Wal;
import io.omendb.storage.wal.WalReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The durable truth of one collection: rows by slot, found by id, written through a log.
 *
 * <p>The halves: {@link Appender} writes, {@link Publisher} makes visible what the log has, {@link
 * RowReader} reads, {@link Checkpoints} cuts the log.
 *
 * <p>Threads. Reads: any thread, without locks. Writes: any thread, one at a time under one short
 * lock. Listener: the log's thread. Checkpoints: one at a time, on a thread that nobody interrupts.
 */
public final class CollectionStore implements AutoCloseable {
  private final CollectionState state;
  private final RowReader rows;
  private final Publisher publisher;
  private final Wal wal;
  private final Appender appender;
  private final Checkpoints checkpoints;
  private final long unverifiedBytes;

  /** Guarded by the write lock. */
  private boolean closed;

  private CollectionStore(StoreOpening opening, StorageOptions options, Preallocator preallocator) {
    state = opening.state();
    unverifiedBytes = opening.recovered().unverifiedBytes();
    rows = new RowReader(state);
    publisher = new Publisher(state, rows, options.failureHandler());
    WalReader.End log = opening.recovered().log();
    wal =
        new Wal(
            state.schema.name(),
            state.walDirectory(),
            opening.checkpointer().newest().collection(),
            options.durability(),
            options.backlogBytes(),
            opening.file(),
            new Wal.Start(log.lastLsn(), opening.durableLsn(), log.lastCrc(), opening.mark()),
            publisher,
            preallocator::execute);
    appender = new Appender(state, wal, options.inlineBytes());
    checkpoints =
        new Checkpoints(
            state, wal, publisher, opening.checkpointer(), options.checkpointWalBytes());
  }

  /** Opens a collection and recovers it. */
  static CollectionStore open(
      Path directory,
      UUID collection,
      StorageOptions options,
      Preallocator preallocator,
      StreamCapacity streamCapacity)
      throws IOException {
    StoreOpening opening =
        StoreOpening.open(directory, collection, options, preallocator, streamCapacity);
    CollectionStore store = new CollectionStore(opening, options, preallocator);
    store.wal.start();
    return store;
  }

  /** The schema the collection was created with. */
  public CollectionSchema schema() {
    return state.schema;
  }

  /** The published rows. */
  public RowReader rows() {
    return rows;
  }

  // ---- Writing -------------------------------------------------------------------------------

  /**
   * Appends rows as one log record. On return they are stored and in line for the log; they are
   * visible and acknowledged once the listener says so.
   *
   * @param check run on the vectors after the copy, in one call
   * @param placement told the slots before the record goes into the log
   * @param frame the client's position, logged with the rows and also where they are refused
   * @throws InvalidRowsException if the check refuses a row; nothing is applied
   * @throws DiskFullException if there is no room; nothing is applied or logged
   * @throws io.omendb.storage.api.CollectionFullException if it can take no more rows, ever
   * @throws StoreFailedException if the log has failed
   */
  public void append(
      RowSource source,
      WriteMode mode,
      RowCheck check,
      Placement placement,
      @Nullable StreamFrame frame,
      AppendResult result)
      throws InvalidRowsException, IOException {
    appender.append(source, mode, check, placement, frame, result);
  }

  /** The same, where nobody wants to know the slots before. */
  public void append(
      RowSource source,
      WriteMode mode,
      RowCheck check,
      @Nullable StreamFrame frame,
      AppendResult result)
      throws InvalidRowsException, IOException {
    append(source, mode, check, Placement.NONE, frame, result);
  }

  /**
   * Logs that a refused frame has used up its sequence.
   *
   * @return the log position
   */
  public long markFrame(StreamFrame frame) throws IOException {
    return appender.markFrame(frame);
  }

  /** Deletes rows by numeric id; ids that are not there are passed over. */
  public DeleteResult delete(long[] ids) throws IOException {
    return appender.delete(ids);
  }

  /** Deletes rows by string id (UTF-8); ids that are not there are passed over. */
  public DeleteResult delete(byte[][] ids) throws IOException {
    return appender.delete(ids);
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
    publisher.listener(listener);
  }

  // ---- Checkpoints ---------------------------------------------------------------------------

  /** Whether so much was logged since the last checkpoint that the next is due. */
  public boolean checkpointDue() {
    return checkpoints.due();
  }

  /**
   * Takes a checkpoint of everything published.
   *
   * @param image written with it, while writers and linkers go on; null to keep the newest there is
   */
  public void checkpoint(@Nullable ImageWriter image) throws IOException {
    checkpoints.take(image, false);
  }

  /**
   * Takes a checkpoint of everything published, and adds to the newest image, which there is.
   *
   * @param changes writes what the image lacks, while writers and linkers go on
   */
  public void checkpointWithChanges(ImageWriter changes) throws IOException {
    checkpoints.take(changes, true);
  }

  /** The newest image, or null where there is none; its reader closes it. */
  public @Nullable ImageSource openImage() throws IOException {
    return checkpoints.openImage();
  }

  /** Figures of the moment. */
  public StoreStats stats() {
    return new StoreStats(
        rows.count(),
        rows.liveCount(),
        writtenLsn(),
        durableLsn(),
        publishedLsn(),
        checkpoints.newestLsn(),
        checkpoints.walBytes(),
        wal.waitingBytes(),
        new StorageFootprint(
            state.slots.vectorBytes(),
            state.slots.rowBytes(),
            state.slots.heapBytes(),
            state.index.bytes()),
        unverifiedBytes,
        wal.syncs(),
        wal.batches(),
        state.streams.size());
  }

  /** Bytes of its files in all, allocated ahead of use or not. Looks at each of them. */
  public long diskBytes() {
    try {
      return DurableFiles.treeBytes(state.directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** For tests of the failure latch. */
  Wal wal() {
    return wal;
  }

  /**
   * Writes what waits for the log, ends its thread and unmaps the memory. Nobody reads any more.
   */
  @Override
  public void close() throws IOException {
    wal.lock().lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
    } finally {
      wal.lock().unlock();
    }
    checkpoints.excluding(() -> {
      try (state;
          appender) {
        wal.close();
      }
    });
  }
}
