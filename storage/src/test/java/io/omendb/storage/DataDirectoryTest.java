package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.storage.api.CollectionExistsException;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.FormatException;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.LockedException;
import io.omendb.storage.api.UnknownCollectionException;
import io.omendb.storage.file.DurableFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  private static CollectionSchema schema(String name) {
    return new CollectionSchema(name, 4, IdKind.NUMERIC, new TreeMap<>());
  }

  private DataDirectory open() throws Exception {
    return DataDirectory.open(directory, TestStores.options("always"));
  }

  @Test
  void createsAndDropsCollections() throws Exception {
    UUID uuid;
    try (DataDirectory data = open()) {
      uuid = data.uuid();
      data.create(schema("a"));
      data.create(schema("b"));
      assertThrows(CollectionExistsException.class, () -> data.create(schema("a")));
      assertThrows(UnknownCollectionException.class, () -> data.openCollection("c"));
      data.drop("a");
      assertThrows(UnknownCollectionException.class, () -> data.drop("a"));
      TestStores.append(data.create(schema("a")), TestRows.range(4, 0, 3, 1));
    }
    try (DataDirectory data = open()) {
      assertEquals(uuid, data.uuid());
      assertEquals(List.of("a", "b"), data.names());
      assertEquals(3, data.openCollection("a").rows().count());
      assertEquals(0, data.openCollection("b").rows().count());
    }
    TestStores.assertClean(directory);
  }

  @Test
  void isHeldByOneAtATime() throws Exception {
    try (DataDirectory held = open()) {
      assertEquals(directory, held.path());
      assertThrows(LockedException.class, this::open);
      assertThrows(LockedException.class, () -> StorageVerifier.verify(directory));
    }
    open().close();
  }

  /** A crash in the middle of a create leaves a directory that is not listed. */
  @Test
  void setsAsideWhatTheCatalogueDoesNotList() throws Exception {
    try (DataDirectory data = open()) {
      data.create(schema("a"));
    }
    Path half = directory.resolve("collections/000002/wal");
    Files.createDirectories(half);
    Files.writeString(half.resolve("x"), "half");
    try (DataDirectory data = open()) {
      assertTrue(Files.notExists(half));
      assertEquals("half", Files.readString(directory.resolve("set-aside/000002/wal/x")));
      assertEquals(0, data.create(schema("b")).rows().count());
    }
  }

  @Test
  void anOlderCataloguePutBackDeletesNothing() throws Exception {
    Path older = directory.resolveSibling(directory.getFileName() + ".CATALOGUE");
    try (DataDirectory data = open()) {
      data.create(schema("a"));
      Files.copy(directory.resolve("CATALOGUE"), older);
      TestStores.append(data.create(schema("b")), TestRows.range(4, 0, 5, 1));
    }
    Files.move(older, directory.resolve("CATALOGUE"), StandardCopyOption.REPLACE_EXISTING);
    try (DataDirectory data = open()) {
      assertEquals(List.of("a"), data.names());
      data.create(schema("c"));
    }
    // As the line in the log says: moved back, and the catalogue made again.
    Files.move(directory.resolve("set-aside/000002"), directory.resolve("collections/000007"));
    Files.delete(directory.resolve("CATALOGUE"));
    try (DataDirectory data = open()) {
      assertEquals(List.of("a", "b", "c"), data.names());
      assertEquals(5, data.openCollection("b").rows().count());
    }
    TestStores.assertClean(directory);
  }

  @Test
  void aMissingCatalogueIsMadeFromTheManifests() throws Exception {
    try (DataDirectory data = open()) {
      TestStores.append(data.create(schema("a")), TestRows.range(4, 0, 3, 1));
      data.create(schema("gone"));
      TestStores.append(data.create(schema("b")), TestRows.range(4, 0, 5, 1));
      data.drop("gone");
    }
    Files.delete(directory.resolve("CATALOGUE"));
    try (DataDirectory data = open()) {
      assertEquals(List.of("a", "b"), data.names());
      assertEquals(3, data.openCollection("a").rows().count());
      assertEquals(5, data.openCollection("b").rows().count());
      assertEquals(0, data.create(schema("c")).rows().count());
    }
    TestStores.assertClean(directory);
  }

  @Test
  void aCatalogueThatCannotBeMadeAgainIsRefusedAndNothingIsDeleted() throws Exception {
    try (DataDirectory data = open()) {
      TestStores.append(data.create(schema("a")), TestRows.range(4, 0, 3, 1));
    }
    Files.delete(directory.resolve("CATALOGUE"));
    TestStores.flip(directory.resolve("collections/000001/MANIFEST-1"), 20, 1);
    CorruptFileException refused = assertThrows(CorruptFileException.class, this::open);
    assertTrue(refused.toString().contains("MANIFEST-1"), refused.toString());
    TestStores.flip(directory.resolve("collections/000001/MANIFEST-1"), 20, 1);
    try (DataDirectory data = open()) {
      assertEquals(3, data.openCollection("a").rows().count());
    }
  }

  @Test
  void aDropThatACrashCutShortIsFinished() throws Exception {
    try (DataDirectory data = open()) {
      data.create(schema("a"));
      data.create(schema("b"));
    }
    Files.move(
        directory.resolve("collections/000001"), directory.resolve("collections/000001.dropped"));
    try (DataDirectory data = open()) {
      assertEquals(List.of("b"), data.names());
      assertTrue(Files.notExists(directory.resolve("collections/000001.dropped")));
    }
    TestStores.assertClean(directory);
  }

  @Test
  void aDirectoryWithOtherThingsIsNotTakenOver() throws Exception {
    Files.writeString(directory.resolve("thesis.txt"), "mine");
    FormatException refused = assertThrows(FormatException.class, this::open);
    assertTrue(refused.toString().contains("thesis.txt"), refused.toString());
    assertEquals(List.of(directory.resolve("thesis.txt")), DurableFiles.list(directory));
  }

  @Test
  void aVolumeThatWasJustFormattedIsEmpty() throws Exception {
    Files.createDirectory(directory.resolve("lost+found"));
    open().close();
    open().close();
  }

  @Test
  void oneDamagedCollectionLeavesTheOthers() throws Exception {
    try (DataDirectory data = open()) {
      TestStores.append(data.create(schema("a")), TestRows.range(4, 0, 3, 1));
      TestStores.append(data.create(schema("b")), TestRows.range(4, 0, 5, 1));
    }
    TestStores.flip(directory.resolve("collections/000001/MANIFEST-1"), 20, 1);
    try (DataDirectory data = open()) {
      assertThrows(CorruptFileException.class, () -> data.openCollection("a"));
      assertEquals(5, data.openCollection("b").rows().count());
      data.drop("a");
      assertEquals(List.of("b"), data.names());
    }
  }

  @Test
  void refusesADamagedCatalogueAndAMissingStore() throws Exception {
    try (DataDirectory data = open()) {
      data.create(schema("a"));
    }
    TestStores.flip(directory.resolve("CATALOGUE"), 20, 1);
    assertThrows(CorruptFileException.class, this::open);
    TestStores.flip(directory.resolve("CATALOGUE"), 20, 1);
    Files.delete(directory.resolve("STORE"));
    assertThrows(CorruptFileException.class, this::open);
  }

  @Test
  void durabilityIsReadFromText() {
    assertEquals(new Durability.Always(), Durability.parse("always"));
    assertEquals(new Durability.Os(), Durability.parse("OS"));
    assertEquals(
        new Durability.Interval(java.time.Duration.ofMillis(7)), Durability.parse("interval:7ms"));
    assertEquals(
        new Durability.Interval(java.time.Duration.ofSeconds(2)), Durability.parse("interval:2s"));
    assertThrows(IllegalArgumentException.class, () -> Durability.parse("never"));
    assertThrows(IllegalArgumentException.class, () -> Durability.parse("interval:x"));
    assertThrows(IllegalArgumentException.class, () -> Durability.parse("interval:0ms"));
  }
}
