package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.memory.Memory;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.ImageSource;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.file.DurableFiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  private static final int DIMENSION = 64;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @Test
  void keepsImagesAndTheirChecksums() throws Exception {
    long bytes = (5L << 20) + 12_345;
    try (Arena arena = Arena.ofShared();
        DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      MemorySegment image = arena.allocate(bytes, 64);
      for (long at = 0; at + 8 < bytes; at += 8) {
        Memory.putLong(image.address() + at, at * 31);
      }
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      TestStores.append(store, TestRows.range(DIMENSION, 0, 500, 1));
      store.checkpoint(sink -> {
        assertEquals(500, sink.count());
        sink.write(image.address(), 100);
        sink.write(image.address() + 100, bytes - 100);
      });
      TestStores.append(store, TestRows.range(DIMENSION, 1000, 500, 1));
      // Without an image of its own a checkpoint keeps the last one.
      store.checkpoint(null);
      store.checkpoint(null);
    }
    TestStores.assertClean(directory);
    try (Arena arena = Arena.ofShared();
        DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      MemorySegment read = arena.allocate(bytes, 64);
      CollectionStore store = data.openCollection(TestStores.NAME);
      try (ImageSource source = assertNotNullImage(store.openImage())) {
        assertEquals(bytes, source.bytes());
        assertEquals(500, source.count());
        assertEquals(1, source.lsn());
        source.read(read.address(), 1000);
        source.read(read.address() + 1000, bytes - 1000);
        for (long at = 0; at + 8 < bytes; at += 8) {
          assertEquals(at * 31, Memory.getLong(read.address() + at));
        }
        assertThrows(CorruptFileException.class, () -> source.read(read.address(), 1));
      }
      Path image = TestStores.collection(directory).resolve("image-2");
      TestStores.flip(image, 4096 + (3L << 20) + 7, 1);
      try (ImageSource source = assertNotNullImage(store.openImage())) {
        source.read(read.address(), 3L << 20);
        CorruptFileException damaged =
            assertThrows(CorruptFileException.class, () -> source.read(read.address(), 1 << 20));
        assertEquals(4096 + (3L << 20), damaged.offset());
      }
    }
    assertTrue(!StorageVerifier.verify(directory).isClean());
  }

  private static ImageSource assertNotNullImage(@Nullable ImageSource source) {
    return Objects.requireNonNull(source);
  }

  @Test
  void recoversFromTheCheckpointAndRetiresTheLog() throws Exception {
    StorageOptions options = TestStores.options("always").withCheckpointWalBytes(1 << 20);
    try (DataDirectory data = DataDirectory.open(directory, options)) {
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      int checkpoints = 0;
      for (int i = 0; i < 400; i++) {
        TestStores.append(store, TestRows.range(DIMENSION, i * 10L, 100, i));
        if (store.checkpointDue()) {
          store.checkpoint(null);
          checkpoints++;
          assertEquals(store.publishedLsn(), store.stats().checkpointLsn());
        }
      }
      assertTrue(checkpoints >= 5, "checkpoints=" + checkpoints);
      Path collection = TestStores.collection(directory);
      List<Path> logs = TestStores.logs(directory);
      assertTrue(logs.size() <= 6, logs::toString);
      long manifests =
          DurableFiles.list(collection).stream()
              .filter(file -> file.getFileName().toString().startsWith("MANIFEST-"))
              .count();
      assertEquals(2, manifests);
    }
    try (DataDirectory data = DataDirectory.open(directory, options)) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      assertEquals(40_000, store.rows().count());
      assertEquals(4_090, store.rows().liveCount());
      for (int id = 0; id < 4_090; id++) {
        TestStores.assertRow(store, store.rows().find(id), id, Math.min(399, id / 10));
      }
    }
    TestStores.assertClean(directory);
  }

  /** C1, C2: what a checkpoint left before its commit is ignored, then removed. */
  @Test
  void ignoresTheRestOfAnUnfinishedCheckpoint() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      TestStores.append(store, TestRows.range(DIMENSION, 0, 10, 0));
    }
    Path collection = TestStores.collection(directory);
    Files.writeString(collection.resolve("tombstones-2"), "half");
    Files.writeString(collection.resolve("image-2.tmp"), "half");
    Files.writeString(collection.resolve("MANIFEST-2.tmp"), "half");
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      assertEquals(10, store.rows().count());
      assertTrue(Files.notExists(collection.resolve("image-2.tmp")));
      store.checkpoint(null);
    }
    TestStores.assertClean(directory);
  }
}
