package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.StorageException;
import io.omendb.storage.api.WriteMode;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The crash points W1 … W8 and C1 … C8 as far as one process can make them. */
class RecoveryTest {
  private static final int DIMENSION = 24;
  private static final int BATCH_ALIGNMENT = 512;
  private static final int FILE_HEADER = 4096;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path root;

  private Path source() {
    return root.resolve("source");
  }

  /** A store of three records; {@code rows} in each decides whether they are bulk. */
  private void makeStore(String durability, int rows) throws Exception {
    try (DataDirectory data = DataDirectory.open(source(), TestStores.options(durability))) {
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      for (int i = 0; i < 3; i++) {
        TestStores.append(store, TestRows.range(DIMENSION, (long) i * rows, rows, i));
      }
    }
  }

  private Path copy(String name) throws IOException {
    Path copy = root.resolve(name);
    TestStores.copy(source(), copy);
    return copy;
  }

  private static long open(Path directory, String durability) throws IOException {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options(durability))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      for (int slot = 0; slot < store.rows().count(); slot++) {
        long id = store.rows().numericId(slot);
        TestStores.assertRow(store, slot, id, (int) store.rows().slotLsn(slot) - 1);
      }
      return store.publishedLsn();
    }
  }

  /** Offsets of the batches in a log file. */
  private static long[] batches(Path log) throws IOException {
    byte[] bytes = Files.readAllBytes(log);
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    java.util.List<Long> offsets = new java.util.ArrayList<>();
    int at = FILE_HEADER;
    while (at < bytes.length && buffer.getInt(at) != 0) {
      offsets.add((long) at);
      int end = at + 64 + buffer.getInt(at + 8);
      at = (end + BATCH_ALIGNMENT - 1) & -BATCH_ALIGNMENT;
    }
    offsets.add((long) at);
    return offsets.stream().mapToLong(Long::longValue).toArray();
  }

  /** W1: the last batch is torn at every byte. */
  @Test
  void cutsATornTail() throws Exception {
    makeStore("os", 4);
    long[] batches = batches(TestStores.lastLog(source()));
    assertEquals(4, batches.length);
    byte[] whole = Files.readAllBytes(TestStores.lastLog(source()));
    Path copy = copy("torn");
    Path log = TestStores.lastLog(copy);
    for (long at = batches[2]; at < batches[3]; at += at < batches[2] + 100 ? 1 : 37) {
      DurableFiles.deleteTree(copy);
      TestStores.copy(source(), copy);
      byte[] torn = whole.clone();
      java.util.Arrays.fill(torn, (int) at, torn.length, (byte) 0);
      Files.write(log, torn);
      boolean onlyPaddingLost = java.util.Arrays.equals(torn, whole);
      assertEquals(onlyPaddingLost ? 3 : 2, open(copy, "os"));
      assertEquals(onlyPaddingLost ? 3 : 2, open(copy, "os"));
    }
    TestStores.assertClean(copy);
  }

  /** After a cut the log goes on, and what was cut does not come back. */
  @Test
  void goesOnAfterACut() throws Exception {
    makeStore("os", 4);
    Path log = TestStores.lastLog(source());
    TestStores.flip(log, batches(log)[1] + 70, 1);
    for (int round = 0; round < 3; round++) {
      try (DataDirectory data = DataDirectory.open(source(), TestStores.options("os"))) {
        CollectionStore store = data.openCollection(TestStores.NAME);
        assertEquals(1 + round, store.publishedLsn());
        assertEquals(4 + round, store.rows().count());
        AppendResult result =
            TestStores.append(store, new TestRows(DIMENSION).add(1000 + round, 9));
        assertEquals(2 + round, result.lsn);
      }
    }
    TestStores.assertClean(source());
  }

  /** W6: a batch before one that knew it to be durable is damaged. */
  @Test
  void refusesWhenDurableRecordsAreLost() throws Exception {
    makeStore("os", 4);
    // In mode always each batch tells that its predecessors are durable.
    Path always = root.resolve("always");
    try (DataDirectory data = DataDirectory.open(always, TestStores.options("always"))) {
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      for (int i = 0; i < 3; i++) {
        TestStores.append(store, TestRows.range(DIMENSION, i * 4L, 4, i));
      }
      Path crash = root.resolve("crash");
      TestStores.copy(always, crash);
      Path log = TestStores.lastLog(crash);
      long damaged = batches(log)[1];
      TestStores.flip(log, damaged + 80, 4);
      CorruptFileException refused =
          assertThrows(CorruptFileException.class, () -> open(crash, "always"));
      assertEquals(damaged, refused.offset());
      assertTrue(refused.toString().contains("lsn 2"), refused::toString);
      // The last batch was not known to be durable: it is cut.
      Path last = root.resolve("last");
      TestStores.copy(always, last);
      Path lastLog = TestStores.lastLog(last);
      TestStores.flip(lastLog, batches(lastLog)[2] + 80, 4);
      assertEquals(2, open(last, "always"));
    }
  }

  @Test
  void refusesAMissingLog() throws Exception {
    makeStore("os", 4);
    Files.delete(TestStores.lastLog(source()));
    assertThrows(CorruptFileException.class, () -> open(source(), "os"));
  }

  @Test
  void refusesADamagedLogHeader() throws Exception {
    makeStore("os", 4);
    TestStores.flip(TestStores.lastLog(source()), 33, 1);
    assertThrows(CorruptFileException.class, () -> open(source(), "os"));
  }

  /** Bulk rows that did not reach the disk end the log; durable ones refuse. */
  @Test
  void checksBulkRows() throws Exception {
    makeStore("os", 800);
    Path damaged = copy("damaged");
    Path rows = TestStores.collection(damaged).resolve("vectors-00000");
    TestStores.flip(rows, 900L * 128 + 5, 1);
    assertEquals(1, open(damaged, "os"));
    assertEquals(1, open(damaged, "always"));
    TestStores.assertClean(damaged);

    Path always = root.resolve("always");
    try (DataDirectory data = DataDirectory.open(always, TestStores.options("always"))) {
      CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
      for (int i = 0; i < 3; i++) {
        TestStores.append(store, TestRows.range(DIMENSION, i * 800L, 800, i));
      }
      Path crash = root.resolve("crash");
      TestStores.copy(always, crash);
      TestStores.flip(TestStores.collection(crash).resolve("vectors-00000"), 5, 1);
      assertThrows(CorruptFileException.class, () -> open(crash, "always"));
    }
  }

  @Test
  void refusesAMissingOrShortExtentBelowTheCheckpoint() throws Exception {
    makeStore("os", 800);
    checkpoint(source());
    Path missing = copy("missing");
    Files.delete(TestStores.collection(missing).resolve("rows-00000"));
    CorruptFileException refused =
        assertThrows(CorruptFileException.class, () -> open(missing, "os"));
    assertTrue(refused.file().endsWith("rows-00000"));

    Path truncated = copy("short");
    try (FileChannel channel =
        FileChannel.open(
            TestStores.collection(truncated).resolve("vectors-00000"), StandardOpenOption.WRITE)) {
      channel.truncate(1 << 19);
    }
    assertThrows(CorruptFileException.class, () -> open(truncated, "os"));
  }

  @Test
  void refusesRottenTruth() throws Exception {
    makeStore("os", 800);
    checkpoint(source());
    TestStores.flip(TestStores.collection(source()).resolve("vectors-00000"), 12345, 2);
    CorruptFileException refused =
        assertThrows(CorruptFileException.class, () -> open(source(), "os"));
    assertTrue(refused.file().endsWith("vectors-00000"));
    assertTrue(!StorageVerifier.verify(source()).isClean());
  }

  /** C5: the newest manifest, or a file of it, rots. */
  @Test
  void fallsBackToTheManifestBefore() throws Exception {
    makeStore("os", 4);
    checkpoint(source());
    try (DataDirectory data = DataDirectory.open(source(), TestStores.options("os"))) {
      TestStores.append(data.openCollection(TestStores.NAME), new TestRows(DIMENSION).add(100, 3));
    }
    checkpoint(source());
    for (String file : new String[] {"MANIFEST-3", "tombstones-3", "sums-3"}) {
      Path copy = copy(file);
      TestStores.flip(TestStores.collection(copy).resolve(file), 17, 1);
      assertEquals(4, open(copy, "os"));
      checkpoint(copy);
      assertEquals(4, open(copy, "os"));
      TestStores.assertClean(copy);
    }
    Path none = copy("none");
    TestStores.flip(TestStores.collection(none).resolve("MANIFEST-3"), 17, 1);
    TestStores.flip(TestStores.collection(none).resolve("MANIFEST-2"), 17, 1);
    assertThrows(CorruptFileException.class, () -> open(none, "os"));
  }

  private static void checkpoint(Path directory) throws IOException {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      data.openCollection(TestStores.NAME).checkpoint(null);
    }
  }

  /** kill -9 at a random moment, as the files a live store leaves; checkpoints run meanwhile. */
  @Test
  void acknowledgedIsContainedInRecovered() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("RecoveryTest seed=" + seed);
    Random random = new Random(seed);
    for (String durability : new String[] {"os", "always", "interval:2ms"}) {
      Path live = root.resolve("live-" + durability.charAt(0));
      try (DataDirectory data = DataDirectory.open(live, TestStores.options(durability))) {
        CollectionStore store = data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC));
        AtomicLong appended = new AtomicLong();
        Thread writer = Thread.ofPlatform().start(() -> writeMany(store, seed, appended));
        for (int crash = 0; crash < 6; crash++) {
          Thread.sleep(random.nextInt(30));
          if (crash == 3) {
            store.checkpoint(null);
          }
          checkCrash(live, root.resolve(durability.charAt(0) + "-" + crash), store, appended);
        }
        writer.interrupt();
        writer.join();
      }
    }
  }

  private static void writeMany(CollectionStore store, long seed, AtomicLong appended) {
    Random random = new Random(seed);
    AppendResult result = new AppendResult();
    try {
      while (!Thread.currentThread().isInterrupted() && store.rows().count() < 200_000) {
        int rows = random.nextBoolean() ? 1 + random.nextInt(20) : 800 + random.nextInt(100);
        // The version of a row is its record's lsn - 1, so that a mix-up shows.
        int version = (int) appended.get();
        store.append(
            TestRows.range(DIMENSION, random.nextInt(5000), rows, version),
            WriteMode.UPSERT,
            TestRows.CHECK,
            null,
            result);
        appended.set(result.lsn);
        if (store.backlogged()) {
          store.awaitPublished(result.lsn);
        }
        Thread.sleep(0, 100_000);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (InvalidRowsException | IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void checkCrash(Path live, Path copy, CollectionStore store, AtomicLong appended)
      throws Exception {
    long acknowledged = store.publishedLsn();
    TestStores.copy(live, copy);
    long inFlight = appended.get() + 1;
    long recovered = open(copy, "os");
    assertTrue(recovered <= inFlight, () -> "recovered=" + recovered + " in flight=" + inFlight);
    assertTrue(
        recovered >= acknowledged,
        () -> "recovered=" + recovered + " acknowledged=" + acknowledged);
    String first = described(copy);
    assertEquals(first, described(copy));
    TestStores.assertClean(copy);
    DurableFiles.deleteTree(copy);
  }

  private static String described(Path directory) throws IOException {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("always"))) {
      return TestStores.describe(data.openCollection(TestStores.NAME));
    }
  }

  /** Any one damaged byte: recovered with right answers, or refused naming a file. */
  @Test
  void neverAnswersWronglyAfterABitFlip() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("RecoveryTest seed=" + seed);
    Random random = new Random(seed);
    makeStore("os", 300);
    checkpoint(source());
    try (DataDirectory data = DataDirectory.open(source(), TestStores.options("os"))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      TestStores.append(store, TestRows.range(DIMENSION, 5000, 10, 3));
      TestStores.append(store, TestRows.range(DIMENSION, 6000, 900, 4));
    }
    int refused = 0;
    for (int i = 0; i < 60; i++) {
      Path copy = copy("flip");
      java.util.List<Path> files;
      try (java.util.stream.Stream<Path> walk = Files.walk(copy)) {
        files = walk.filter(Files::isRegularFile).sorted().toList();
      }
      Path file = files.get(random.nextInt(files.size()));
      long length = Math.min(Files.size(file), 1 + random.nextInt(200_000));
      TestStores.flip(file, random.nextLong(length), 1 << random.nextInt(8));
      try {
        assertTrue(open(copy, "os") >= 3);
      } catch (StorageException e) {
        refused++;
      }
      DurableFiles.deleteTree(copy);
    }
    assertTrue(refused > 0);
  }
}
