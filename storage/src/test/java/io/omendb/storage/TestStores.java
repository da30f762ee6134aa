package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.memory.Memory;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.WriteMode;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** What the tests of storage share. */
final class TestStores {
  static final String NAME = "things";

  private TestStores() {}

  static CollectionSchema schema(int dimension, IdKind kind) {
    return new CollectionSchema(
        NAME, dimension, kind, new TreeMap<>(Map.of("similarity", "l2", "m", "16")));
  }

  static StorageOptions options(String durability) {
    return StorageOptions.defaults()
        .withDurability(Durability.parse(durability))
        .withFailureHandler((what, cause) -> {
          throw new AssertionError(what, cause);
        });
  }

  static AppendResult append(CollectionStore store, TestRows rows) throws Exception {
    return append(store, rows, WriteMode.UPSERT);
  }

  static AppendResult append(CollectionStore store, TestRows rows, WriteMode mode)
      throws Exception {
    AppendResult result = new AppendResult();
    store.append(rows, mode, TestRows.CHECK, null, result);
    store.awaitPublished(result.lsn);
    return result;
  }

  /** Asserts that a slot holds an id's row of a version. */
  static void assertRow(CollectionStore store, int slot, long id, int version) {
    assertTrue(slot >= 0 && slot < store.rows().count(), () -> "slot=" + slot + " id=" + id);
    if (store.schema().idKind() == IdKind.NUMERIC) {
      assertEquals(id, store.rows().numericId(slot));
    } else {
      assertEquals(TestRows.stringId(id), store.rows().stringId(slot));
    }
    long address = store.rows().vectorsAddress() + (long) slot * store.rows().rowStride();
    for (int d = 0; d < store.schema().dimension(); d++) {
      assertEquals(TestRows.component(id, version, d), Memory.getFloat(address + 4L * d));
    }
    assertEquals(TestRows.norm(id, version), store.rows().squaredNorm(slot));
    if (store.rows().payloadLength(slot) > 0) {
      assertArrayEquals(TestRows.payload(id, version), store.rows().payload(slot));
    }
  }

  static int find(CollectionStore store, long id) {
    return store.schema().idKind() == IdKind.NUMERIC
        ? store.rows().find(id)
        : store.rows().find(TestRows.stringId(id));
  }

  /** What a store says of itself, for comparing two. */
  static String describe(CollectionStore store) {
    StringBuilder text = new StringBuilder();
    text.append(store.rows().count()).append('/').append(store.rows().liveCount());
    text.append(" lsn ").append(store.publishedLsn()).append('\n');
    for (int slot = 0; slot < store.rows().count(); slot++) {
      text.append(store.rows().slotLsn(slot))
          .append(' ')
          .append(store.rows().numericId(slot))
          .append(' ');
      text.append(store.rows().isDeleted(slot))
          .append(' ')
          .append(store.rows().squaredNorm(slot))
          .append('\n');
    }
    return text.toString();
  }

  static void assertClean(Path directory) throws IOException {
    StorageVerifier.Report report = StorageVerifier.verify(directory);
    assertTrue(report.isClean(), () -> report.problems().toString());
  }

  /** The one collection's directory. */
  static Path collection(Path directory) throws IOException {
    return DurableFiles.list(directory.resolve("collections")).getFirst();
  }

  /** The log files of the one collection, oldest first. */
  static List<Path> logs(Path directory) throws IOException {
    return DurableFiles.list(collection(directory).resolve("wal")).stream()
        .filter(file -> file.toString().endsWith(".wal"))
        .toList();
  }

  static Path lastLog(Path directory) throws IOException {
    return logs(directory).getLast();
  }

  /**
   * Copies a directory as a killed process would leave it. A crash stops everything at once, a copy
   * takes time: so the mark of the log's end goes first, then the log, its newest file before the
   * others, and then what its records need, which only grows.
   */
  static void copy(Path from, Path to) throws IOException {
    List<Path> marks = new ArrayList<>();
    List<Path> logs = new ArrayList<>();
    List<Path> others = new ArrayList<>();
    try (Stream<Path> walk = Files.walk(from)) {
      for (Path path : walk.sorted().toList()) {
        if (Files.isDirectory(path)) {
          Files.createDirectories(to.resolve(from.relativize(path)));
        } else if (path.toString().endsWith(".wal")) {
          logs.addFirst(path);
        } else if (path.endsWith("MARK")) {
          marks.add(path);
        } else if (!path.endsWith("LOCK") && !DurableFiles.isTemporary(path)) {
          others.add(path);
        }
      }
    }
    marks.addAll(logs);
    marks.addAll(others);
    for (Path file : marks) {
      Files.copy(file, to.resolve(from.relativize(file)));
    }
  }

  /** Flips bits of one byte. */
  static void flip(Path file, long offset, int mask) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, offset);
      one.put(0, (byte) (one.get(0) ^ mask)).flip();
      channel.write(one, offset);
    }
  }
}
