package io.omendb.storage.wal;

import io.omendb.storage.api.Durability;
import io.omendb.storage.api.Joins;
import io.omendb.storage.api.StoreFailedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The write-ahead log of one collection and the thread that writes it.
 *
 * <p>Writers add records to a batch in memory under {@link #lock}. The log's thread takes the batch
 * when it has done with the last one: what gathers during a write and sync goes out with the next,
 * so the busier the log, the larger its batches, without a timer.
 *
 * <pre>
 *   always     sync extents (if the batch has bulk records) → write → sync → publish
 *   interval   write → publish; every period: sync extents → sync
 *   os         write → publish
 * </pre>
 *
 * <p>Before a record is added there is a file that will take it, so the thread never meets a full
 * disk. A write or sync that fails all the same is latched and never repeated: the kernel may have
 * dropped the pages and would call the next sync a success.
 */
public final class Wal implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Wal.class);

  /** Size of a collection's first log file: small, since there may be many small collections. */
  public static final long SMALLEST_FILE = 1L << 20;

  /**
   * Waiting bytes at which writers wait, as a multiple of those at which they are asked to slow.
   */
  private static final int HARD_LIMIT = 4;

  /** The collection that the log belongs to. All calls come from the log's thread. */
  public interface Owner {
    /** Brings what lies in the extents below these bounds to the device. */
    void syncExtents(int slots, long heapBytes) throws IOException;

    /**
     * Makes the records of a batch visible; batches come in log order.
     *
     * @param address of the first record; valid during the call
     * @param bytes of all of them, one after the other
     */
    void publish(long address, long bytes);

    /** The watermarks moved. */
    void watermarks(long writtenLsn, long durableLsn, long publishedLsn);

    /** The log has failed for good. */
    void failed(Throwable cause);
  }

  /**
   * Where a log is taken up.
   *
   * @param lastLsn last record there is
   * @param durableLsn known to be durable
   * @param lastCrc checksum of the last batch
   * @param mark of the log's end
   */
  public record Start(long lastLsn, long durableLsn, int lastCrc, LogMark mark) {}

  private final String name;
  private final Durability durability;
  private final long backlogBytes;
  private final Owner owner;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition progress = lock.newCondition();

  // Guarded by lock.
  private WalBatch active = new WalBatch();
  private WalBatch spare = new WalBatch();
  private final LogFiles files;
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private long nextLsn;
  private long inFlightBytes;
  private boolean stopping;

  // Of the log's thread.
  private int lastCrc;
  private int writtenSlots;
  private long writtenHeap;
  private long unsyncedSince;

  private volatile long waitingBytes;
  private volatile long writtenBytes;
  private volatile long writtenLsn;
  private volatile long durableLsn;
  private volatile long publishedLsn;
  private volatile long syncs;
  private volatile long batches;
  private volatile @Nullable Throwable failure;

  /**
   * Takes a log up; {@link #start} starts its thread.
   *
   * @param name of the collection, for messages and the thread's name
   * @param file to write to, owned by the log from now on
   * @param background runs the allocation of the next file
   */
  public Wal(
      String name,
      Path directory,
      UUID collection,
      Durability durability,
      long backlogBytes,
      WalFile file,
      Start start,
      Owner owner,
      Executor background) {
    this.name = name;
    this.durability = durability;
    this.backlogBytes = backlogBytes;
    this.files = new LogFiles(name, directory, collection, file, start.mark(), background);
    this.owner = owner;
    this.nextLsn = start.lastLsn() + 1;
    this.lastCrc = start.lastCrc();
    this.writtenLsn = start.lastLsn();
    this.publishedLsn = start.lastLsn();
    this.durableLsn = start.durableLsn();
    this.thread = Thread.ofPlatform().name("omendb-wal-" + name).daemon(true).unstarted(this::run);
  }

  /** Starts the log's thread. */
  public void start() {
    thread.start();
  }

  /** The write lock of the collection: records are added, and log positions taken, under it. */
  public ReentrantLock lock() {
    return lock;
  }

  /**
   * Waits while far too much waits for the log, then makes sure that it takes more. Call it under
   * the lock before reading anything that other writers change: it may release the lock meanwhile.
   *
   * @throws StoreFailedException if the log has failed or is closed
   */
  public void awaitCapacity() throws StoreFailedException {
    while (failure == null && !stopping && waitingBytes > HARD_LIMIT * backlogBytes) {
      progress.awaitUninterruptibly();
    }
    if (failure != null) {
      throw new StoreFailedException(name, failure);
    }
    if (stopping) {
      throw new IllegalStateException("collection " + name + " is closed");
    }
  }

  /**
   * Makes sure that a file and the memory take a record of so many bytes, so that {@link #add}
   * cannot fail. Under the lock, before anything of the record is applied.
   *
   * @throws io.omendb.storage.api.DiskFullException if there is no room for the log
   */
  public void reserve(long recordBytes) throws IOException {
    long needed = active.fileBytesWith(recordBytes);
    if (needed > WalBatch.CAPACITY) {
      throw new IllegalArgumentException("a record of " + recordBytes + " bytes is too large");
    }
    files.reserve(needed);
    active.reserve(recordBytes);
  }

  /** The position that the next record takes. Under the lock. */
  public long nextLsn() {
    return nextLsn;
  }

  /**
   * Adds a record, whose position is {@link #nextLsn}. Under the lock, after {@link #reserve}.
   *
   * @param slots stored so far, this record's included
   * @param heapBytes stored so far, this record's included
   */
  public void add(WalRecord record, int slots, long heapBytes) {
    if (record.lsn() != nextLsn) {
      throw new IllegalArgumentException("lsn=" + record.lsn() + ", expected " + nextLsn);
    }
    active.add(record, slots, heapBytes);
    nextLsn++;
    waitingBytes = inFlightBytes + bytesOf(active);
    work.signal();
  }

  /** Whether so much waits for the log that writers should slow down. Any thread. */
  public boolean backlogged() {
    return waitingBytes > backlogBytes;
  }

  /** Bytes that wait for the log, those in extents not yet synced included. */
  public long waitingBytes() {
    return waitingBytes;
  }

  /** Bytes written to log files since the log was taken up. */
  public long writtenBytes() {
    return writtenBytes;
  }

  /** Everything up to it was handed to the operating system. */
  public long writtenLsn() {
    return writtenLsn;
  }

  /** Everything up to it survives a power cut. */
  public long durableLsn() {
    return durableLsn;
  }

  /** Everything up to it is visible. */
  public long publishedLsn() {
    return publishedLsn;
  }

  /** Syncs so far. */
  public long syncs() {
    return syncs;
  }

  /** Batches so far. */
  public long batches() {
    return batches;
  }

  /** Waits until a record is visible. */
  public void awaitPublished(long lsn) throws IOException, InterruptedException {
    lock.lock();
    try {
      while (publishedLsn < lsn) {
        if (failure != null) {
          throw new StoreFailedException(name, failure);
        }
        progress.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Runs something on the log's thread between two batches, and waits for it. */
  public void runBetweenBatches(Runnable task) throws IOException {
    CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
    lock.lock();
    try {
      awaitCapacity();
      tasks.add(() -> {
        try {
          task.run();
          done.complete(null);
        } catch (RuntimeException e) {
          done.completeExceptionally(e);
        }
      });
      work.signal();
    } finally {
      lock.unlock();
    }
    try {
      while (true) {
        try {
          done.get(100, TimeUnit.MILLISECONDS);
          return;
        } catch (java.util.concurrent.TimeoutException e) {
          if (failure != null) {
            throw new StoreFailedException(name, failure);
          }
        }
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** The file being written. On the log's thread, between batches. */
  public long currentSequence() {
    lock.lock();
    try {
      return files.current().sequence();
    } finally {
      lock.unlock();
    }
  }

  /** A checkpoint made everything up to {@code lsn} durable. On the log's thread. */
  public void durableByCheckpoint(long lsn) {
    if (lsn > durableLsn) {
      durableLsn = lsn;
      owner.watermarks(writtenLsn, durableLsn, publishedLsn);
    }
  }

  /** Gives up the files before {@code sequence}: some are kept for reuse, the others deleted. */
  public void retire(long sequence) throws IOException {
    // What lies in them is durable by checkpoint; the log's thread forgets them first.
    runBetweenBatches(() -> forgetRolled(sequence));
    List<Path> retired;
    lock.lock();
    try {
      retired = files.recycle(sequence);
    } finally {
      lock.unlock();
    }
    for (Path file : retired) {
      Files.deleteIfExists(file);
    }
  }

  private void forgetRolled(long sequence) {
    files.forgetUnsynced(sequence);
    lock.lock();
    try {
      files.closeRolled(sequence);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      lock.unlock();
    }
  }

  /** Writes what waits, syncs unless that is left to the system, and ends the thread. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      stopping = true;
      work.signal();
      progress.signalAll();
    } finally {
      lock.unlock();
    }
    Joins.join(thread);
    lock.lock();
    try {
      closeFiles();
    } finally {
      lock.unlock();
    }
  }

  private void closeFiles() throws IOException {
    files.close(failure == null ? durableLsn : 0);
    active.close();
    spare.close();
  }

  /** For tests of the failure latch: closes the file under the log's thread. */
  void breakFile() throws IOException {
    lock.lock();
    try {
      files.current().close();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      while (step()) {
        // Each step writes one batch or waits for one.
      }
    } catch (IOException | RuntimeException | Error e) {
      fail(e);
    }
  }

  /** One round of the log's thread; false when it has nothing more to do, ever. */
  private boolean step() throws IOException {
    WalBatch batch = null;
    WalFile file;
    long at = 0;
    Runnable task;
    boolean stop;
    lock.lock();
    try {
      awaitWork();
      if (failure != null) {
        return false;
      }
      task = tasks.poll();
      file = files.current();
      if (!active.isEmpty()) {
        batch = active;
        active = spare;
        spare = batch;
        file = files.roll(batch.fileBytes());
        at = file.take(batch.fileBytes(), batch.lastLsn());
        inFlightBytes = bytesOf(batch);
      }
      stop = stopping && batch == null && task == null;
    } finally {
      lock.unlock();
    }
    if (task != null) {
      task.run();
    }
    if (batch != null) {
      write(batch, file, at);
    }
    if (stop ? !(durability instanceof Durability.Os) : syncDue()) {
      syncAll();
      owner.watermarks(writtenLsn, durableLsn, publishedLsn);
    }
    return !stop;
  }

  private void awaitWork() {
    while (active.isEmpty() && tasks.isEmpty() && !stopping && failure == null) {
      long wait = nanosToSync();
      if (wait <= 0) {
        return;
      }
      try {
        if (wait == Long.MAX_VALUE) {
          work.await();
        } else if (work.awaitNanos(wait) <= 0) {
          return;
        }
      } catch (InterruptedException e) {
        // Nobody has a reason to interrupt this thread, and an interrupt must not cost the log.
        LOG.warn("interrupt of {} ignored", thread.getName());
      }
    }
  }

  private void write(WalBatch batch, WalFile file, long at) throws IOException {
    boolean always = durability instanceof Durability.Always;
    lastCrc = batch.seal(file.salt(), durableLsn, lastCrc);
    writtenSlots = batch.endSlot();
    writtenHeap = batch.endHeap();
    if (always && batch.bulkBytes() > 0) {
      owner.syncExtents(writtenSlots, writtenHeap);
    }
    if (writtenLsn == durableLsn) {
      unsyncedSince = System.nanoTime();
    }
    file.write(batch.bytes(), at);
    count(batch);
    writtenLsn = batch.lastLsn();
    if (always) {
      syncLog();
    }
    publish(batch);
    owner.watermarks(writtenLsn, durableLsn, publishedLsn);
    lock.lock();
    try {
      batch.clear();
      inFlightBytes = 0;
      waitingBytes = bytesOf(active);
      progress.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Only the log's thread writes these counters. */
  private void count(WalBatch batch) {
    long bytes = writtenBytes;
    writtenBytes = bytes + batch.fileBytes();
    long before = batches;
    batches = before + 1;
  }

  private void publish(WalBatch batch) {
    owner.publish(batch.records(), batch.recordBytes());
    publishedLsn = batch.lastLsn();
  }

  private boolean syncDue() {
    return durability instanceof Durability.Interval && nanosToSync() <= 0;
  }

  private long nanosToSync() {
    if (!(durability instanceof Durability.Interval(var period)) || writtenLsn == durableLsn) {
      return Long.MAX_VALUE;
    }
    return unsyncedSince + period.toNanos() - System.nanoTime();
  }

  private void syncAll() throws IOException {
    if (writtenLsn == durableLsn) {
      return;
    }
    owner.syncExtents(writtenSlots, writtenHeap);
    syncLog();
  }

  private void syncLog() throws IOException {
    files.sync();
    long before = syncs;
    syncs = before + 1;
    durableLsn = writtenLsn;
  }

  /** Latches a failure: nothing more is taken, written or acknowledged. Any thread. */
  public void fail(Throwable cause) {
    lock.lock();
    try {
      if (failure != null) {
        return;
      }
      failure = cause;
      work.signal();
      progress.signalAll();
    } finally {
      lock.unlock();
    }
    LOG.error("collection {}: the log failed; nothing more is acknowledged", name, cause);
    owner.failed(cause);
  }

  private static long bytesOf(WalBatch batch) {
    return batch.isEmpty() ? 0 : batch.recordBytes() + batch.bulkBytes();
  }
}
