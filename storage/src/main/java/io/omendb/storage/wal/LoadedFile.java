package io.omendb.storage.wal;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Checksum;
import io.omendb.memory.Memory;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** A log file read into memory, and the fields of the batches in it by their place in the file. */
final class LoadedFile implements AutoCloseable {
  private final Path path;
  private final WalFile.Header header;
  private final AddressSpace space;
  private final long bytes;

  LoadedFile(Path path, UUID collection) throws IOException {
    this.path = path;
    header = WalFile.read(path);
    if (!header.collection().equals(collection)) {
      throw new CorruptFileException(
          path, WalLayout.FILE_UUID_HIGH, "the log belongs to collection " + header.collection());
    }
    long sequence = WalFile.sequenceOf(path);
    if (header.sequence() != sequence) {
      throw new CorruptFileException(
          path, WalLayout.FILE_SEQUENCE, "log sequence", sequence, header.sequence());
    }
    bytes = Files.size(path);
    space = AddressSpace.reserve(bytes);
    space.commit(bytes);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      int chunk = 1 << 30;
      for (long at = 0; at < bytes; at += chunk) {
        int part = (int) Math.min(chunk, bytes - at);
        DurableFiles.readFully(path, channel, Checksum.buffer(space.address() + at, part), at);
      }
    } catch (IOException | RuntimeException e) {
      space.close();
      throw e;
    }
  }

  Path path() {
    return path;
  }

  long sequence() {
    return header.sequence();
  }

  int crc(long batch) {
    return Memory.getInt(space.address() + batch + WalLayout.BATCH_CRC);
  }

  int previousCrc(long batch) {
    return Memory.getInt(space.address() + batch + WalLayout.BATCH_PREVIOUS_CRC);
  }

  long firstLsn(long batch) {
    return Memory.getLong(space.address() + batch + WalLayout.BATCH_FIRST_LSN);
  }

  long lastLsn(long batch) {
    return firstLsn(batch) + Memory.getInt(space.address() + batch + WalLayout.BATCH_COUNT) - 1;
  }

  long durableLsn(long batch) {
    return Memory.getLong(space.address() + batch + WalLayout.BATCH_DURABLE_LSN);
  }

  /** Address of a batch's first record. */
  long records(long batch) {
    return space.address() + batch + WalLayout.BATCH_HEADER_BYTES;
  }

  /** Address after a batch's last record. */
  long recordsEnd(long batch) {
    return records(batch) + bodyBytes(batch);
  }

  /** Place of the batch that would follow. */
  long batchAfter(long batch) {
    return batch + WalLayout.alignBatch(WalLayout.BATCH_HEADER_BYTES + bodyBytes(batch));
  }

  /** Whether a batch lies at a place and its checksum is right. */
  boolean validBatch(long batch) {
    if (batch + WalLayout.BATCH_HEADER_BYTES > bytes) {
      return false;
    }
    long address = space.address() + batch;
    if (Memory.getInt(address) != WalLayout.BATCH_MAGIC) {
      return false;
    }
    long end = batch + WalLayout.BATCH_HEADER_BYTES + bodyBytes(batch);
    return end <= bytes
        && crc(batch)
            == Checksum.salted(
                header.salt(),
                address + WalLayout.BATCH_BODY_BYTES,
                end - batch - WalLayout.BATCH_BODY_BYTES);
  }

  /** Whether the batch of a position begins at a place, and is not whole. */
  boolean isTorn(long batch, long lsn) {
    return batch + WalLayout.BATCH_HEADER_BYTES <= bytes
        && Memory.getInt(space.address() + batch) == WalLayout.BATCH_MAGIC
        && firstLsn(batch) == lsn
        && !validBatch(batch);
  }

  /** Highest durable lsn told by valid batches at or after a place; 0 for none. */
  long durableAfter(long from) {
    long durable = 0;
    for (long at = from; at < bytes; at += WalLayout.BATCH_ALIGNMENT) {
      if (validBatch(at)) {
        durable = Math.max(durable, durableLsn(at));
      }
    }
    return durable;
  }

  private long bodyBytes(long batch) {
    return Memory.getInt(space.address() + batch + WalLayout.BATCH_BODY_BYTES) & 0xFFFFFFFFL;
  }

  @Override
  public void close() {
    space.close();
  }
}
