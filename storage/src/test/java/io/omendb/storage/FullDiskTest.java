package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A volume without a free byte: nothing acknowledged is lost, everything is read, and what was
 * refused for want of room goes on once there is some. Needs the right to mount; skipped without.
 */
class FullDiskTest {
  private static final int DIMENSION = 128;
  private static final int BATCH = 100;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path work;

  private Path volume() {
    return work.resolve("volume");
  }

  private Path data() {
    return volume().resolve("data");
  }

  private Path filler() {
    return volume().resolve("filler");
  }

  @BeforeEach
  void mount() throws Exception {
    Files.createDirectory(volume());
    assumeTrue(
        run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", volume().toString()),
        "a file system cannot be mounted here");
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", volume().toString());
  }

  private static boolean run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).inheritIO().start();
    return process.waitFor() == 0;
  }

  private DataDirectory open(String durability) throws IOException {
    return DataDirectory.open(data(), TestStores.options(durability));
  }

  private static CollectionSchema schema(String name) {
    return new CollectionSchema(name, DIMENSION, IdKind.NUMERIC, new TreeMap<>());
  }

  /** Appends until the volume refuses; returns how many rows it took. */
  private static int fill(CollectionStore store, int from) throws Exception {
    int rows = from;
    while (true) {
      try {
        TestStores.append(store, TestRows.range(DIMENSION, rows, BATCH, 1));
        rows += BATCH;
      } catch (DiskFullException e) {
        return rows;
      }
    }
  }

  /** A batch too large for what a full collection may still have allocated. */
  private static void appendOne(CollectionStore store) throws Exception {
    TestStores.append(store, TestRows.range(DIMENSION, 1_000_000, 20_000, 1));
  }

  /** Takes the last free block, also those that an allocation ahead of use gives back yet. */
  private void takeTheRest() throws IOException {
    byte[] block = new byte[4096];
    while (Files.getFileStore(volume()).getUsableSpace() > 0) {
      try (var out =
          Files.newOutputStream(filler(), StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
        while (true) {
          out.write(block);
        }
      } catch (IOException full) {
        // until there is not one left
      }
    }
  }

  private void makeRoom() throws Exception {
    Files.delete(filler());
    assertTrue(run("mount", "-o", "remount,size=48m", volume().toString()));
  }

  private static void assertRows(CollectionStore store, int rows) {
    assertEquals(rows, store.rows().liveCount());
    for (int id = 0; id < rows; id++) {
      TestStores.assertRow(store, store.rows().find(id), id, 1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"always", "interval:10ms", "os"})
  void aRestartServesAndHealsWhenThereIsRoom(String durability) throws Exception {
    int rows;
    try (DataDirectory data = open(durability)) {
      rows = fill(data.create(schema("a")), 0);
      takeTheRest();
      rows = fill(data.openCollection("a"), rows); // what was allocated before
    }
    assertTrue(rows >= 1_000, "rows " + rows);
    for (int start = 0; start < 2; start++) {
      try (DataDirectory data = open(durability)) {
        CollectionStore store = data.openCollection("a");
        assertRows(store, rows);
        assertThrows(DiskFullException.class, () -> appendOne(store));
      }
    }
    try (DataDirectory data = open(durability)) {
      CollectionStore store = data.openCollection("a");
      assertThrows(DiskFullException.class, () -> appendOne(store));
      makeRoom();
      int more = fill(store, rows);
      assertTrue(more > rows, "rows " + more);
      assertRows(store, more);
      rows = more;
    }
    try (DataDirectory data = open(durability)) {
      assertRows(data.openCollection("a"), rows);
    }
  }

  /** Its log has one file, with records, and no second one prepared: it needs one to go on. */
  @ParameterizedTest
  @ValueSource(strings = {"always", "interval:10ms", "os"})
  void aCollectionWhoseLogFindsNoRoomIsReadAndHeals(String durability) throws Exception {
    try (DataDirectory data = open(durability)) {
      TestStores.append(data.create(schema("small")), TestRows.range(DIMENSION, 0, 10, 1));
      fill(data.create(schema("large")), 0);
      takeTheRest();
    }
    Path log = data().resolve("collections/000001/wal");
    List<Path> files = DurableFiles.list(log);
    for (int start = 0; start < 2; start++) {
      try (DataDirectory data = open(durability)) {
        CollectionStore store = data.openCollection("small");
        assertRows(store, 10);
        assertEquals(files, DurableFiles.list(log), "no room for another log file");
        assertThrows(
            DiskFullException.class,
            () -> TestStores.append(store, TestRows.range(DIMENSION, 10, 1, 1)));
        assertRows(store, 10);
        if (start == 1) {
          makeRoom();
          TestStores.append(store, TestRows.range(DIMENSION, 10, 1, 1));
          store.checkpoint(null);
          TestStores.append(store, TestRows.range(DIMENSION, 11, 1, 1));
        }
      }
    }
    try (DataDirectory data = open(durability)) {
      assertRows(data.openCollection("small"), 12);
    }
    TestStores.assertClean(data());
  }

  @ParameterizedTest
  @ValueSource(strings = {"always", "os"})
  void aCheckpointThatFindsNoRoomCostsNothing(String durability) throws Exception {
    try (DataDirectory data = open(durability)) {
      CollectionStore store = data.create(schema("a"));
      int rows = fill(store, 0);
      takeTheRest();
      assertThrows(DiskFullException.class, () -> store.checkpoint(null));
      assertRows(store, rows);
      makeRoom();
      store.checkpoint(null);
      assertEquals(store.publishedLsn(), store.stats().checkpointLsn());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"always", "os"})
  void aDropGivesRoomAndIsNotUndone(String durability) throws Exception {
    try (DataDirectory data = open(durability)) {
      CollectionStore store = data.create(schema("small"));
      TestStores.append(store, TestRows.range(DIMENSION, 0, 10, 1));
      fill(data.create(schema("large")), 0);
      takeTheRest();
      data.drop("large");
      assertTrue(data.freeBytes() > 1 << 20, "free " + data.freeBytes());
      assertEquals(List.of("small"), data.names());
      int rows = fill(store, 10);
      assertTrue(rows > 10);
    }
    try (DataDirectory data = open(durability)) {
      assertEquals(List.of("small"), data.names());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"always", "os"})
  void aCreateThatFindsNoRoomLeavesNothing(String durability) throws Exception {
    try (DataDirectory data = open(durability)) {
      fill(data.create(schema("a")), 0);
      takeTheRest();
      assertThrows(DiskFullException.class, () -> data.create(schema("b")));
      assertEquals(List.of("a"), data.names());
      makeRoom();
      data.drop("a");
      data.create(schema("b"));
    }
    try (DataDirectory data = open(durability)) {
      assertEquals(List.of("b"), data.names());
      assertTrue(Files.notExists(data().resolve("set-aside")), "nothing is left over");
    }
  }
}
