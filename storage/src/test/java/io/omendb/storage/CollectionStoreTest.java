package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.DeleteResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.RowCheck;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.StreamState;
import io.omendb.storage.api.WriteLimits;
import io.omendb.storage.api.WriteMode;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CollectionStoreTest {
  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @ParameterizedTest
  @CsvSource({
    "always, NUMERIC, 3",
    "always, STRING, 7",
    "interval:5ms, NUMERIC, 16",
    "os, STRING, 100",
    "os, NUMERIC, 8192",
    "always, NUMERIC, 300"
  })
  void keepsRowsOverUpsertsDeletesAndReopens(String durability, IdKind kind, int dimension)
      throws Exception {
    StorageOptions options = TestStores.options(durability);
    try (DataDirectory data = DataDirectory.open(directory, options)) {
      CollectionStore store = data.create(TestStores.schema(dimension, kind));
      TestStores.append(store, TestRows.range(dimension, 0, 300, 1));
      TestRows withPayloads = new TestRows(dimension);
      for (int id = 50; id < 60; id++) {
        withPayloads.addWithPayload(id, 2);
      }
      AppendResult second = TestStores.append(store, withPayloads);
      assertEquals(0, second.inserted);
      assertEquals(10, second.updated);
      DeleteResult deleted = delete(store, kind, 7, 8, 7, 9_999);
      assertEquals(2, deleted.deleted());
      store.awaitPublished(deleted.lsn());
      check(store);
    }
    for (int reopen = 0; reopen < 3; reopen++) {
      try (DataDirectory data = DataDirectory.open(directory, options)) {
        CollectionStore store = data.openCollection(TestStores.NAME);
        assertEquals(TestStores.schema(dimension, kind), store.schema());
        check(store);
        if (reopen == 1) {
          store.checkpoint(null);
        }
      }
      TestStores.assertClean(directory);
    }
  }

  @Test
  void refusesAPayloadAboveTheLimitAndAppliesNothing() throws Exception {
    StorageOptions options = TestStores.options("os");
    try (DataDirectory data = DataDirectory.open(directory, options)) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.NUMERIC));
      TestRows longest = new TestRows(4);
      longest.addWithPayload(1, new byte[WriteLimits.MAX_PAYLOAD_BYTES]);
      assertEquals(1, TestStores.append(store, longest).inserted);
      TestRows tooLong = new TestRows(4);
      tooLong.add(2, 1);
      tooLong.addWithPayload(3, new byte[WriteLimits.MAX_PAYLOAD_BYTES + 1]);
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> TestStores.append(store, tooLong));
      assertEquals("row 1: payload of 65537 bytes, expected 0..65536", refused.getMessage());
      assertEquals(-1, store.rows().find(2));
      assertEquals(1, store.rows().count());
    }
  }

  private static DeleteResult delete(CollectionStore store, IdKind kind, long... ids)
      throws Exception {
    return kind == IdKind.NUMERIC
        ? store.delete(ids)
        : store.delete(
            Arrays.stream(ids)
                .mapToObj(TestRows::stringId)
                .map(id -> id.getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .toArray(byte[][]::new));
  }

  private static void check(CollectionStore store) {
    assertEquals(310, store.rows().count());
    assertEquals(298, store.rows().liveCount());
    assertEquals(3, store.publishedLsn());
    for (int id = 0; id < 300; id++) {
      int slot = TestStores.find(store, id);
      if (id == 7 || id == 8) {
        assertEquals(-1, slot);
        assertTrue(store.rows().isDeleted(id));
        continue;
      }
      boolean updated = id >= 50 && id < 60;
      assertEquals(updated ? 250 + id : id, slot);
      TestStores.assertRow(store, slot, id, updated ? 2 : 1);
      assertEquals(updated ? 2 : 1, store.rows().slotLsn(slot));
      if (updated) {
        assertTrue(store.rows().isDeleted(id));
        assertArrayEquals(TestRows.payload(id, 2), store.rows().payload(slot));
      }
    }
    assertEquals(-1, TestStores.find(store, 300));
  }

  @Test
  void returnsConflictsByRowAndAppliesTheRest() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.NUMERIC));
      TestStores.append(store, TestRows.range(4, 0, 10, 1));

      TestRows insert = new TestRows(4).add(20, 2).add(3, 2).add(21, 2).add(20, 3).add(22, 2);
      AppendResult result = TestStores.append(store, insert, WriteMode.INSERT_ONLY);
      assertEquals(3, result.appliedRows);
      assertEquals(3, result.inserted);
      assertEquals(10, result.firstSlot);
      assertArrayEquals(new int[] {1, 3}, Arrays.copyOf(result.conflictRows, result.conflictCount));
      TestStores.assertRow(store, store.rows().find(20), 20, 2);
      TestStores.assertRow(store, store.rows().find(22), 22, 2);
      TestStores.assertRow(store, store.rows().find(3), 3, 1);

      TestRows update = new TestRows(4).add(30, 4).add(3, 4).add(3, 5);
      result = TestStores.append(store, update, WriteMode.UPDATE_ONLY);
      assertEquals(2, result.updated);
      assertEquals(1, result.conflictCount);
      TestStores.assertRow(store, store.rows().find(3), 3, 5);

      result = TestStores.append(store, new TestRows(4).add(30, 4), WriteMode.UPDATE_ONLY);
      assertEquals(0, result.lsn);
      assertEquals(-1, result.firstSlot);
      assertEquals(13, store.rows().liveCount());
      assertEquals(15, store.rows().count());
    }
    TestStores.assertClean(directory);
  }

  @Test
  void lastOfEqualIdsInOneUpsertWins() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("always"))) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.STRING));
      AppendResult result =
          TestStores.append(store, new TestRows(4).add(1, 1).add(2, 1).add(1, 2).add(1, 3));
      assertEquals(2, result.inserted);
      assertEquals(2, result.updated);
      assertEquals(2, store.rows().liveCount());
      TestStores.assertRow(store, TestStores.find(store, 1), 1, 3);
    }
    TestStores.assertClean(directory);
  }

  @Test
  void anInvalidFrameAppliesNothingButUsesUpItsSequence() throws Exception {
    RowCheck refuse =
        (address, stride, n, norms) -> {
          throw new InvalidRowsException(
              List.of(new InvalidRowsException.Item(1, 2, Float.NaN, "not a number")), 1);
        };
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("always"))) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.NUMERIC));
      TestStores.append(store, new TestRows(4).add(1, 1));
      TestRows rows = new TestRows(4).add(1, 2).add(5, 2).add(6, 2);
      InvalidRowsException refused =
          assertThrows(
              InvalidRowsException.class,
              () ->
                  store.append(
                      rows,
                      WriteMode.INSERT_ONLY,
                      refuse,
                      new StreamFrame("s", 4),
                      new AppendResult()));
      // The check saw rows 5 and 6; its index 1 is row 2 of the frame.
      assertEquals(2, refused.items().getFirst().index());
      assertEquals(1, store.rows().count());
      assertEquals(-1, store.rows().find(5));
      store.awaitPublished(2);
      assertEquals(new StreamState(4, 4), store.stream("s"));
      AppendResult next = TestStores.append(store, new TestRows(4).add(5, 3));
      assertEquals(1, next.firstSlot);
      assertEquals(3, next.lsn);
    }
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("always"))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      assertEquals(new StreamState(4, 4), store.stream("s"));
      TestStores.assertRow(store, store.rows().find(5), 5, 3);
    }
  }

  @Test
  void streamsSurviveCheckpointsAndReopens() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.NUMERIC));
      AppendResult result = new AppendResult();
      for (int frame = 1; frame <= 5; frame++) {
        store.append(
            TestRows.range(4, frame * 10L, 10, 1),
            WriteMode.UPSERT,
            TestRows.CHECK,
            new StreamFrame("a", frame),
            result);
      }
      store.awaitPublished(store.markFrame(new StreamFrame("b", 77)));
      assertEquals(new StreamState(5, -1), store.stream("a"));
      store.checkpoint(null);
      assertEquals(new StreamState(5, 5), store.stream("a"));
      assertEquals(new StreamState(77, 77), store.stream("b"));
      assertNull(store.stream("c"));
      store.awaitPublished(store.markFrame(new StreamFrame("a", 6)));
    }
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      assertEquals(6, present(store.stream("a")).loggedSequence());
      assertEquals(77, present(store.stream("b")).loggedSequence());
    }
  }

  private static StreamState present(@Nullable StreamState state) {
    return Objects.requireNonNull(state);
  }

  @Test
  void tellsTheListenerInLogOrder() throws Exception {
    List<Long> lsns = Collections.synchronizedList(new ArrayList<>());
    AtomicLong nextSlot = new AtomicLong();
    AtomicLong dead = new AtomicLong();
    StoreListener listener =
        new StoreListener() {
          @Override
          public void published(long lsn, int slotFrom, int slotTo, int[] slots, int count) {
            lsns.add(lsn);
            assertEquals(nextSlot.get(), slotFrom);
            nextSlot.set(slotTo);
            dead.addAndGet(count);
          }

          @Override
          public void watermarks(long writtenLsn, long durableLsn, long publishedLsn) {
            assertTrue(durableLsn <= writtenLsn && publishedLsn <= writtenLsn);
          }

          @Override
          public void failed(Throwable cause) {
            throw new AssertionError(cause);
          }
        };
    int threads = 4;
    int frames = 200;
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("always"))) {
      CollectionStore store = data.create(TestStores.schema(8, IdKind.NUMERIC));
      store.listener(listener);
      List<Thread> writers = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        int writer = t;
        writers.add(Thread.ofPlatform().start(() -> write(store, writer, frames)));
      }
      for (Thread writer : writers) {
        writer.join();
      }
      store.awaitPublished((long) threads * frames);
      assertEquals((long) threads * frames, store.durableLsn());
      assertEquals(threads * 10, store.rows().liveCount());
      assertEquals(4L * 200 * 10 - 4 * 10, dead.get());
      assertTrue(store.stats().batches() < (long) threads * frames);
    }
    for (int i = 0; i < lsns.size(); i++) {
      assertEquals(i + 1, lsns.get(i));
    }
    TestStores.assertClean(directory);
  }

  private static void write(CollectionStore store, int writer, int frames) {
    AppendResult result = new AppendResult();
    long before = 0;
    try {
      for (int frame = 0; frame < frames; frame++) {
        TestRows rows = TestRows.range(8, writer * 1000L, 10, frame);
        store.append(rows, WriteMode.UPSERT, TestRows.CHECK, null, result);
        assertTrue(result.lsn > before);
        before = result.lsn;
      }
    } catch (InvalidRowsException | java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void anIdIsFoundAtEveryMomentOfItsReplacement() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.NUMERIC));
      TestStores.append(store, TestRows.range(4, 0, 100, 0));
      AtomicLong missing = new AtomicLong();
      Thread reader =
          Thread.ofPlatform()
              .start(() -> {
                while (!Thread.currentThread().isInterrupted()) {
                  for (int id = 0; id < 100; id++) {
                    int slot = store.rows().find(id);
                    if (slot < 0) {
                      missing.incrementAndGet();
                    } else if (slot >= 0 && store.rows().numericId(slot) != id) {
                      missing.incrementAndGet();
                    }
                  }
                }
              });
      AppendResult result = new AppendResult();
      for (int version = 1; version < 500; version++) {
        // New ids as well, so that the table grows under the reader.
        TestRows rows = TestRows.range(4, 0, 100, version);
        for (int i = 0; i < 50; i++) {
          rows.add(1000 + version * 50L + i, 0);
        }
        store.append(rows, WriteMode.UPSERT, TestRows.CHECK, null, result);
      }
      store.awaitPublished(result.lsn);
      reader.interrupt();
      reader.join();
      assertEquals(0, missing.get());
      assertEquals(100 + 499 * 50, store.rows().liveCount());
    }
  }

  @Test
  void makesLittleGarbage() throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.create(TestStores.schema(128, IdKind.NUMERIC));
      AppendResult result = new AppendResult();
      TestRows rows = TestRows.range(128, 0, 256, 1);
      for (int i = 0; i < 50; i++) {
        store.append(rows, WriteMode.UPSERT, TestRows.CHECK, null, result);
      }
      long before = threads.getCurrentThreadAllocatedBytes();
      int frames = 200;
      for (int i = 0; i < frames; i++) {
        store.append(rows, WriteMode.UPSERT, TestRows.CHECK, null, result);
      }
      long bytes = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(bytes <= 16L * 256 * frames, () -> "heap bytes a row: " + bytes / 256.0 / frames);
      store.awaitPublished(result.lsn);
    }
  }

  @Test
  void anEmptyCollectionIsSmall() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("always"))) {
      data.create(TestStores.schema(128, IdKind.NUMERIC));
    }
    for (int reopen = 0; reopen < 3; reopen++) {
      try (DataDirectory data = DataDirectory.open(directory, TestStores.options("always"))) {
        assertFalse(data.openCollection(TestStores.NAME).checkpointDue());
      }
      try (Stream<Path> files = Files.walk(directory)) {
        long bytes = files.filter(Files::isRegularFile).mapToLong(f -> f.toFile().length()).sum();
        assertTrue(bytes <= 4 << 20, () -> "bytes=" + bytes);
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() throws Exception {
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options("os"))) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.NUMERIC));
      assertThrows(IllegalArgumentException.class, () -> store.rows().find("text"));
      assertThrows(IndexOutOfBoundsException.class, () -> store.rows().isDeleted(0));
      assertNull(store.openImage());
    }
  }
}
