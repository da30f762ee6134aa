package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.DeleteResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random operations on a store and on a map must agree, also after reopening. */
class ModelTest {
  private static final int DIMENSION = 20;
  private static final int IDS = 2_000;
  private static final int STEPS = 400;
  private static final WriteMode[] MODES = {
    WriteMode.UPSERT, WriteMode.INSERT_ONLY, WriteMode.UPDATE_ONLY
  };

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  /** Id → version of what is live. */
  private final Map<Integer, Integer> model = new HashMap<>();

  @ParameterizedTest
  @EnumSource(IdKind.class)
  void agreesWithAMap(IdKind kind) throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("ModelTest seed=" + seed);
    Random random = new Random(seed);
    String[] modes = {"os", "always", "interval:1ms"};
    DataDirectory data = DataDirectory.open(directory, TestStores.options("os"));
    CollectionStore store = data.create(TestStores.schema(DIMENSION, kind));
    for (int step = 1; step <= STEPS; step++) {
      switch (random.nextInt(12)) {
        case 0 -> {
          data.close();
          data =
              DataDirectory.open(
                  directory, TestStores.options(modes[random.nextInt(modes.length)]));
          store = data.openCollection(TestStores.NAME);
          check(store);
        }
        case 1 -> store.checkpoint(random.nextBoolean() ? null : _ -> {});
        case 2, 3 -> delete(store, kind, random);
        default -> write(store, random, step);
      }
    }
    check(store);
    data.close();
    TestStores.assertClean(directory);
  }

  private void write(CollectionStore store, Random random, int version) throws Exception {
    WriteMode mode = MODES[random.nextInt(MODES.length)];
    int count = random.nextInt(20) == 0 ? 1_000 : random.nextInt(30);
    TestRows rows = new TestRows(DIMENSION);
    int conflicts = 0;
    for (int i = 0; i < count; i++) {
      int id = random.nextInt(IDS);
      if (random.nextBoolean()) {
        rows.addWithPayload(id, version);
      } else {
        rows.add(id, version);
      }
      boolean there = model.containsKey(id);
      if ((mode == WriteMode.INSERT_ONLY && there) || (mode == WriteMode.UPDATE_ONLY && !there)) {
        conflicts++;
      } else {
        model.put(id, version);
      }
    }
    AppendResult result = TestStores.append(store, rows, mode);
    assertEquals(conflicts, result.conflictCount);
    assertEquals(count - conflicts, result.appliedRows);
    assertEquals(model.size(), store.rows().liveCount());
  }

  private void delete(CollectionStore store, IdKind kind, Random random) throws Exception {
    int count = random.nextInt(200);
    long[] ids = random.longs(count, 0, IDS).toArray();
    byte[][] strings = new byte[count][];
    int there = 0;
    for (int i = 0; i < count; i++) {
      strings[i] = TestRows.stringId(ids[i]).getBytes(StandardCharsets.UTF_8);
      there += model.remove((int) ids[i]) == null ? 0 : 1;
    }
    DeleteResult result = kind == IdKind.NUMERIC ? store.delete(ids) : store.delete(strings);
    assertEquals(there, result.deleted());
    store.awaitPublished(result.lsn());
    assertEquals(model.size(), store.rows().liveCount());
  }

  private void check(CollectionStore store) throws IOException {
    assertEquals(model.size(), store.rows().liveCount());
    for (int id = 0; id < IDS; id++) {
      int slot = TestStores.find(store, id);
      Integer version = model.get(id);
      if (version == null) {
        assertEquals(-1, slot);
      } else {
        TestStores.assertRow(store, slot, id, version);
      }
    }
  }
}
