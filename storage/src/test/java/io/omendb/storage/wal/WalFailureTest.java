package io.omendb.storage.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.omendb.memory.Memory;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.StoreFailedException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WalFailureTest {
  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  /** A record of nothing but its header. */
  private record Header(long lsn) implements WalRecord {
    @Override
    public int bytes() {
      return WalLayout.RECORD_HEADER_BYTES;
    }

    @Override
    public long bulkBytes() {
      return 0;
    }

    @Override
    public void write(long address) {
      Memory.putLong(address, bytes());
      Memory.putLong(address + WalLayout.RECORD_LSN, lsn);
    }
  }

  private static final class RecordingOwner implements Wal.Owner {
    final CompletableFuture<Throwable> failure = new CompletableFuture<>();
    volatile long publishedBytes;

    @Override
    public void syncExtents(int slots, long heapBytes) {}

    @Override
    public void publish(long address, long bytes) {
      long before = publishedBytes;
      publishedBytes = before + bytes;
    }

    @Override
    public void watermarks(long writtenLsn, long durableLsn, long publishedLsn) {}

    @Override
    public void failed(Throwable cause) {
      failure.complete(cause);
    }
  }

  @Test
  void aWriteThatFailsIsLatchedAndNothingMoreIsPublished() throws Exception {
    UUID collection = UUID.randomUUID();
    RecordingOwner owner = new RecordingOwner();
    try (Wal wal =
        new Wal(
            "c",
            directory,
            collection,
            new Durability.Always(),
            1 << 20,
            WalFile.create(directory, collection, 1, Wal.SMALLEST_FILE, null),
            new Wal.Start(0, 0, 0, LogMark.open(directory)),
            owner,
            Runnable::run)) {
      wal.start();
      add(wal);
      wal.awaitPublished(1);
      assertEquals(WalLayout.RECORD_HEADER_BYTES, owner.publishedBytes);
      wal.breakFile();
      add(wal);
      assertInstanceOf(ClosedChannelException.class, owner.failure.get(10, TimeUnit.SECONDS));
      assertThrows(StoreFailedException.class, () -> wal.awaitPublished(2));
      assertThrows(StoreFailedException.class, () -> add(wal));
      assertEquals(WalLayout.RECORD_HEADER_BYTES, owner.publishedBytes);
      assertEquals(1, wal.durableLsn());
    }
  }

  private static void add(Wal wal) throws Exception {
    wal.lock().lock();
    try {
      wal.awaitCapacity();
      Header record = new Header(wal.nextLsn());
      wal.reserve(record.bytes());
      wal.add(record, 0, 0);
    } finally {
      wal.lock().unlock();
    }
  }
}
