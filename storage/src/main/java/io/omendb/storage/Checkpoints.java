package io.omendb.storage;

import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.ImageSource;
import io.omendb.storage.api.ImageWriter;
import io.omendb.storage.api.StoreFailedException;
import io.omendb.storage.checkpoint.Checkpointer;
import io.omendb.storage.checkpoint.CollectionState;
import io.omendb.storage.checkpoint.ImageFileReader;
import io.omendb.storage.checkpoint.Manifest;
import io.omendb.storage.wal.Wal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * When a checkpoint is due, and taking one: one at a time, on a thread that nobody interrupts,
 * while writers go on.
 */
final class Checkpoints {
  private static final long BULK_BYTES_PER_LOG_BYTE = 8;

  private final CollectionState state;
  private final Wal wal;
  private final Publisher publisher;
  private final long walBytesDue;
  private final ReentrantLock lock = new ReentrantLock();

  /** Guarded by {@link #lock}. */
  private final Checkpointer checkpointer;

  // Written under the lock, read by any thread.
  private volatile long walStart;
  private volatile long bulkStart;

  Checkpoints(
      CollectionState state,
      Wal wal,
      Publisher publisher,
      Checkpointer checkpointer,
      long walBytesDue) {
    this.state = state;
    this.wal = wal;
    this.publisher = publisher;
    this.checkpointer = checkpointer;
    this.walBytesDue = walBytesDue;
  }

  /** Whether so much was logged since the last checkpoint that the next is due. */
  boolean due() {
    return walBytes() > walBytesDue
        || publisher.bulkBytes() - bulkStart > BULK_BYTES_PER_LOG_BYTE * walBytesDue;
  }

  /**
   * Takes a checkpoint of everything published.
   *
   * @param image written with it, while writers and linkers go on; null to keep the newest there is
   * @param changes whether it is of what has changed since the newest
   */
  void take(@Nullable ImageWriter image, boolean changes) throws IOException {
    lock.lock();
    try {
      Checkpointer.Cut[] taken = new Checkpointer.Cut[1];
      long[] starts = new long[2];
      wal.runBetweenBatches(() -> {
        starts[0] = wal.writtenBytes();
        starts[1] = publisher.bulkBytes();
        taken[0] = publisher.cut(wal.publishedLsn(), wal.currentSequence());
      });
      try (Checkpointer.Cut cut = taken[0]) {
        commit(cut, image, changes);
        walStart = starts[0];
        bulkStart = starts[1];
        wal.runBetweenBatches(() -> durableByCheckpoint(cut));
      }
      wal.retire(checkpointer.firstSequenceNeeded());
    } finally {
      lock.unlock();
    }
  }

  private void commit(Checkpointer.Cut cut, @Nullable ImageWriter image, boolean changes)
      throws IOException {
    try {
      checkpointer.commit(cut, image, changes);
    } catch (Checkpointer.OutcomeUnknownException e) {
      wal.fail(e);
      throw new StoreFailedException(state.schema.name(), e);
    }
  }

  private void durableByCheckpoint(Checkpointer.Cut cut) {
    state.streams.durable(cut.streams());
    wal.durableByCheckpoint(cut.lsn());
  }

  /** The newest image, or null where there is none; its reader closes it. */
  @Nullable ImageSource openImage() throws IOException {
    Manifest manifest = checkpointer.newest();
    if (manifest.imageGeneration() == 0) {
      return null;
    }
    Path file = Manifest.image(state.directory, manifest.imageGeneration());
    if (!Files.exists(file)) {
      throw new CorruptFileException(file, 0, "the image is missing");
    }
    return ImageFileReader.open(
        file, manifest.imageGeneration(), manifest.collection(), manifest.imageSections());
  }

  /** Log bytes written since the last checkpoint. */
  long walBytes() {
    return wal.writtenBytes() - walStart;
  }

  /** Log position of the newest checkpoint. */
  long newestLsn() {
    return checkpointer.newest().lsn();
  }

  /** Waits for a checkpoint under way, then runs something that none may overlap. */
  void excluding(Closing closing) throws IOException {
    lock.lock();
    try {
      closing.run();
    } finally {
      lock.unlock();
    }
  }

  /** See {@link #excluding}. */
  @FunctionalInterface
  interface Closing {
    void run() throws IOException;
  }
}
