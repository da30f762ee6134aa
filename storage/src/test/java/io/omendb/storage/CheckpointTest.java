package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
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

  /** Sections are read in order; one that was not committed, and what lies behind, is not there. */
  @Test
  void addsToAnImage() throws Exception {
    try (Arena arena = Arena.ofShared();
        DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      MemorySegment part = arena.allocate(3L << 20, 64);
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      for (int section = 0; section < 4; section++) {
        TestStores.append(store, TestRows.range(DIMENSION, section * 100L, 100, 1));
        part.fill((byte) (section + 1));
        int bytes = section * 1_000_000;
        if (section == 0) {
          store.checkpoint(sink -> sink.write(part.address(), 10));
        } else {
          store.checkpointWithChanges(sink -> {
            assertEquals(bytes / 10_000 + 100, sink.count());
            sink.write(part.address(), bytes);
          });
        }
        store.checkpoint(null);
      }
      assertThrows(
          IllegalStateException.class,
          () ->
              store.checkpointWithChanges(sink -> {
                sink.write(part.address(), 2_000_000);
                throw new IllegalStateException("in the middle");
              }));
      TestStores.append(store, TestRows.range(DIMENSION, 400, 100, 1));
      assertSections(store, 10, 1_000_000, 2_000_000, 3_000_000);
    }
    TestStores.assertClean(directory);
    Path image = TestStores.collection(directory).resolve("image-2");
    long size = Files.size(image);
    Files.write(image, new byte[5_000], StandardOpenOption.APPEND); // cut off in the middle
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      assertSections(store, 10, 1_000_000, 2_000_000, 3_000_000);
      store.checkpointWithChanges(sink -> {});
      assertSections(store, 10, 1_000_000, 2_000_000, 3_000_000, 0);
      assertEquals(size + 4_096, Files.size(image));
    }
    TestStores.assertClean(directory);
    TestStores.flip(image, 4_096 + 4_096 + 4_096 + 17, 1); // data of section 1
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"));
        ImageSource source = assertNotNullImage(data.openCollection(TestStores.NAME).openImage())) {
      CorruptFileException damaged = assertThrows(CorruptFileException.class, source::next);
      assertEquals(3 * 4_096, damaged.offset());
      assertTrue(damaged.file().endsWith("image-2"), damaged.file());
    }
    assertTrue(!StorageVerifier.verify(directory).isClean());
  }

  /** Of a checkpoint that ended before its manifest was there, or whose manifest is damaged. */
  @Test
  void aSectionThatNoManifestCommittedIsNotRead() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      TestStores.append(store, TestRows.range(DIMENSION, 0, 10, 1));
      store.checkpoint(sink -> {});
      TestStores.append(store, TestRows.range(DIMENSION, 10, 10, 1));
      store.checkpointWithChanges(sink -> {});
      assertSections(store, 0, 0);
    }
    Files.delete(TestStores.collection(directory).resolve("MANIFEST-3"));
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      assertEquals(20, store.rows().count());
      assertSections(store, 0);
      // Nor is it when later checkpoints have what it was of: the graph has gone on without it.
      store.checkpoint(null);
      assertSections(store, 0);
    }
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      assertSections(store, 0);
      store.checkpointWithChanges(sink -> {});
      store.checkpointWithChanges(sink -> {});
      assertSections(store, 0, 0, 0);
    }
    TestStores.assertClean(directory);
  }

  private static void assertSections(CollectionStore store, long... bytes) throws Exception {
    try (Arena arena = Arena.ofShared();
        ImageSource source = assertNotNullImage(store.openImage())) {
      MemorySegment read = arena.allocate(3L << 20, 64);
      for (int section = 0; section < bytes.length; section++) {
        assertTrue(section == 0 || source.next(), "section " + section);
        assertEquals(bytes[section], source.bytes());
        source.read(read.address(), bytes[section]);
        for (long at = 0; at < bytes[section]; at++) {
          assertEquals(section + 1, read.get(ValueLayout.JAVA_BYTE, at));
        }
        assertThrows(CorruptFileException.class, () -> source.read(read.address(), 1));
      }
      assertFalse(source.next());
    }
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
