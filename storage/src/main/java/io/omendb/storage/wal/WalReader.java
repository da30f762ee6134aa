package io.omendb.storage.wal;

import io.omendb.memory.Memory;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Reads a collection's log back, and tells a torn tail (cut, nobody was told of it) from lost data
 * (refused).
 *
 * <p>The log ends at the first batch that does not check. Were batches after it written when a
 * record at or past that point was known to be durable, then acknowledged data is gone.
 */
public final class WalReader {
  /** Takes records in log order; returns false to end the log before this record. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * A record.
     *
     * @param address where it lies, its header included; valid during the call
     * @param bytes of it
     */
    boolean record(long address, int bytes) throws IOException, MalformedRecordException;
  }

  /**
   * Where the log ends.
   *
   * @param lastLsn last record taken, or the checkpoint's where there is none
   * @param provenDurableLsn highest lsn that the log says was durable
   * @param lastCrc checksum of the batch that holds the last record, 0 for none
   * @param lastSequence file that holds it; the first file where no record was taken
   * @param empty whether {@code lastSequence} holds no batch
   * @param tornAt where in the file after the last record a batch begins that is not whole; -1 for
   *     none
   */
  public record End(
      long lastLsn,
      long provenDurableLsn,
      int lastCrc,
      long lastSequence,
      boolean empty,
      long tornAt) {}

  private final Path directory;
  private final UUID collection;

  private long lastLsn;
  private long provenDurableLsn;
  private int lastCrc;
  private long lastSequence;
  private boolean empty;
  private long tornAt;

  /** Lsn that the next batch must start with; 0 before the first batch. */
  private long nextLsn;

  /** Where in its file the batch at hand starts. */
  private long at;

  /**
   * @param directory of the log files
   * @param collection that they must belong to
   */
  public WalReader(Path directory, UUID collection) {
    this.directory = directory;
    this.collection = collection;
  }

  /**
   * Visits the records after {@code checkpointLsn}.
   *
   * @param firstSequence the file that the checkpoint names; it must be there
   * @throws CorruptFileException if durable records are missing
   */
  public End read(long firstSequence, long checkpointLsn, Visitor visitor) throws IOException {
    LogMark mark = LogMark.open(directory);
    List<Path> files = files(firstSequence, mark.sequence());
    lastLsn = checkpointLsn;
    provenDurableLsn = Math.max(checkpointLsn, mark.durableLsn());
    lastCrc = 0;
    lastSequence = firstSequence;
    empty = true;
    tornAt = -1;
    nextLsn = 0;
    LoadedFile current = new LoadedFile(files.getFirst(), collection);
    try {
      for (int i = 0; ; i++) {
        if (i + 1 == files.size()) {
          readFile(current, Long.MAX_VALUE, visitor);
          refuseIfDurable(current, List.of());
          break;
        }
        LoadedFile next = new LoadedFile(files.get(i + 1), collection);
        boolean ended;
        try {
          ended = readFile(current, limit(next), visitor);
          if (!ended) {
            refuseIfDurable(current, files.subList(i + 1, files.size()));
          }
        } catch (IOException | RuntimeException e) {
          next.close();
          throw e;
        }
        current.close();
        current = next;
        if (!ended) {
          break;
        }
      }
    } finally {
      current.close();
    }
    return new End(lastLsn, provenDurableLsn, lastCrc, lastSequence, empty, tornAt);
  }

  private List<Path> files(long firstSequence, long newestSequence) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path file : DurableFiles.list(directory)) {
      if (WalFile.sequenceOf(file) >= firstSequence) {
        files.add(file);
      }
    }
    if (files.isEmpty() || WalFile.sequenceOf(files.getFirst()) != firstSequence) {
      throw new CorruptFileException(
          WalFile.path(directory, firstSequence), 0, "the log file is missing");
    }
    if (WalFile.sequenceOf(files.getLast()) < newestSequence) {
      throw new CorruptFileException(
          WalFile.path(directory, newestSequence), 0, "the newest log file is missing");
    }
    return files;
  }

  /**
   * The last lsn to take from the file before {@code next}. What lies past it there was cut by an
   * earlier recovery, after which {@code next} was started.
   */
  private static long limit(LoadedFile next) {
    return next.validBatch(WalLayout.FILE_HEADER_BYTES)
        ? next.firstLsn(WalLayout.FILE_HEADER_BYTES) - 1
        : Long.MAX_VALUE;
  }

  /** Visits a file's batches; true if it reaches {@code limit}, where the next file takes up. */
  private boolean readFile(LoadedFile file, long limit, Visitor visitor) throws IOException {
    at = WalLayout.FILE_HEADER_BYTES;
    while (nextLsn <= limit) {
      if (!file.validBatch(at) || !follows(file)) {
        return false;
      }
      provenDurableLsn = Math.max(provenDurableLsn, file.durableLsn(at));
      empty = false;
      lastSequence = file.sequence();
      if (!visit(file, limit, visitor)) {
        return false;
      }
      lastCrc = file.crc(at);
      nextLsn = Math.min(limit, file.lastLsn(at)) + 1;
      at = file.batchAfter(at);
    }
    return true;
  }

  private boolean follows(LoadedFile file) {
    if (nextLsn == 0) {
      return file.firstLsn(at) <= lastLsn + 1;
    }
    return file.firstLsn(at) == nextLsn && file.previousCrc(at) == lastCrc;
  }

  /** Visits a batch's records after {@code lastLsn} up to {@code limit}. */
  private boolean visit(LoadedFile file, long limit, Visitor visitor) throws IOException {
    long address = file.records(at);
    long end = file.recordsEnd(at);
    long last = Math.min(limit, file.lastLsn(at));
    for (long lsn = file.firstLsn(at); lsn <= last; lsn++) {
      try {
        int bytes = recordBytes(address, end, lsn);
        if (lsn > lastLsn) {
          if (!visitor.record(address, bytes)) {
            return false;
          }
          lastLsn = lsn;
          // Here too, for a log that ends inside this batch.
          lastCrc = file.crc(at);
        }
        address += bytes;
      } catch (MalformedRecordException e) {
        throw new CorruptFileException(
            file.path(), at, "a record contradicts itself: " + e.getMessage());
      }
    }
    return true;
  }

  /** Checks a record's own header, which is the log's; the rest is the visitor's. */
  private static int recordBytes(long address, long end, long lsn) throws MalformedRecordException {
    if (end - address < WalLayout.RECORD_HEADER_BYTES) {
      throw new MalformedRecordException("record header cut at " + (end - address) + " bytes");
    }
    int bytes = Memory.getInt(address + WalLayout.RECORD_BYTES);
    if (bytes < WalLayout.RECORD_HEADER_BYTES || bytes > end - address) {
      throw new MalformedRecordException(
          "record bytes=" + bytes + ", expected 16.." + (end - address));
    }
    long found = Memory.getLong(address + WalLayout.RECORD_LSN);
    if (found != lsn) {
      throw new MalformedRecordException("lsn=" + found + ", expected " + lsn);
    }
    return bytes;
  }

  /** Acknowledged data after the point where the log breaks off is lost data. */
  private void refuseIfDurable(LoadedFile broken, List<Path> later) throws IOException {
    if (broken.isTorn(at, lastLsn + 1)) {
      tornAt = at;
    }
    long durable = Math.max(provenDurableLsn, broken.durableAfter(at));
    for (Path path : later) {
      try (LoadedFile file = new LoadedFile(path, collection)) {
        durable = Math.max(durable, file.durableAfter(WalLayout.FILE_HEADER_BYTES));
      }
    }
    if (durable > lastLsn) {
      throw new CorruptFileException(
          broken.path(),
          at,
          "the log breaks off after lsn "
              + lastLsn
              + ", but records up to lsn "
              + durable
              + " were durable");
    }
  }
}
