package io.omendb.storage.wal;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.memory.Checksum;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * How far a log was known to reach, kept beside it: the log cannot tell by itself that its end is
 * missing, since an end is where it stops. See {@link LogMarkLayout}.
 *
 * <p>Written where a log file is made and where the log is closed, in place, so that a full disk
 * does not matter; never per batch, which would double the syncs. A log from before there were
 * marks has none, and nothing is checked. Threads: any.
 */
public final class LogMark {
  private final Path file;

  @GuardedBy("this")
  private long turn;

  @GuardedBy("this")
  private long sequence;

  @GuardedBy("this")
  private long durableLsn;

  private LogMark(Path file) {
    this.file = file;
  }

  /** Reads the mark of a log; one that says nothing where there is none. */
  public static LogMark open(Path directory) throws IOException {
    LogMark mark = new LogMark(directory.resolve(LogMarkLayout.FILE));
    if (Files.exists(mark.file)) {
      mark.read();
    }
    return mark;
  }

  private synchronized void read() throws IOException {
    ByteBuffer bytes = buffer(LogMarkLayout.SLOTS * LogMarkLayout.SLOT_BYTES);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      DurableFiles.readFully(file, channel, bytes, 0);
    }
    for (int slot = 0; slot < LogMarkLayout.SLOTS; slot++) {
      int at = slot * LogMarkLayout.SLOT_BYTES;
      if (bytes.getLong(at + LogMarkLayout.MAGIC) == LogMarkLayout.MAGIC_VALUE
          && bytes.getInt(at + LogMarkLayout.CRC) == Checksum.of(bytes, at, LogMarkLayout.CRC)
          && bytes.getLong(at + LogMarkLayout.TURN) > turn) {
        turn = bytes.getLong(at + LogMarkLayout.TURN);
        sequence = bytes.getLong(at + LogMarkLayout.SEQUENCE);
        durableLsn = bytes.getLong(at + LogMarkLayout.DURABLE_LSN);
      }
    }
  }

  /** The newest log file that was made; 0 where that is not known. */
  synchronized long sequence() {
    return sequence;
  }

  /** The log reaches at least so far; 0 where that is not known. */
  synchronized long durableLsn() {
    return durableLsn;
  }

  /** A log file was made, and its name is durable. */
  public synchronized void created(long newest) throws IOException {
    sequence = newest;
    write();
  }

  /** Log files after {@code newest} are about to be removed. */
  public synchronized void removing(long newest) throws IOException {
    if (sequence > newest) {
      sequence = newest;
      write();
    }
  }

  /** The log is durable up to a position. */
  synchronized void reached(long lsn) throws IOException {
    if (lsn > durableLsn) {
      durableLsn = lsn;
      write();
    }
  }

  @GuardedBy("this")
  private void write() throws IOException {
    if (!Files.exists(file)) {
      DurableFiles.allocate(file, (long) LogMarkLayout.SLOTS * LogMarkLayout.SLOT_BYTES);
    }
    turn++;
    ByteBuffer bytes = buffer(LogMarkLayout.SLOT_BYTES);
    bytes.putLong(LogMarkLayout.MAGIC, LogMarkLayout.MAGIC_VALUE);
    bytes.putLong(LogMarkLayout.TURN, turn);
    bytes.putLong(LogMarkLayout.SEQUENCE, sequence);
    bytes.putLong(LogMarkLayout.DURABLE_LSN, durableLsn);
    bytes.putInt(LogMarkLayout.CRC, Checksum.of(bytes, 0, LogMarkLayout.CRC));
    long at = turn % LogMarkLayout.SLOTS * LogMarkLayout.SLOT_BYTES;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      DurableFiles.writeFully(channel, bytes, at);
      channel.force(true);
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
