package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.IdKind;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A log whose end is gone looks like one that ends there. It is told, never swallowed. */
class LogEndTest {
  private static final int ROWS = 12_000;
  private static final int BATCH = 20;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  private DataDirectory open() throws IOException {
    return DataDirectory.open(directory, TestStores.options("os"));
  }

  /** Rows small enough to lie in the log, more than its first file takes. */
  private void fill() throws Exception {
    try (DataDirectory data = open()) {
      CollectionStore store = data.create(TestStores.schema(32, IdKind.NUMERIC));
      for (int id = 0; id < ROWS; id += BATCH) {
        TestStores.append(store, TestRows.range(32, id, BATCH, 1));
      }
    }
    assertTrue(TestStores.logs(directory).size() > 1, "the log has several files");
  }

  private void assertRefused(Path file) throws Exception {
    try (DataDirectory data = open()) {
      CorruptFileException refused =
          assertThrows(CorruptFileException.class, () -> data.openCollection(TestStores.NAME));
      assertTrue(refused.toString().contains(file.toString()), refused.toString());
    }
  }

  @Test
  void anUnharmedLogIsRead() throws Exception {
    fill();
    for (int start = 0; start < 3; start++) {
      try (DataDirectory data = open()) {
        assertEquals(ROWS, data.openCollection(TestStores.NAME).rows().count());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.1, 0.5, 0.99})
  void aNewestFileThatWasCutIsRefused(double share) throws Exception {
    fill();
    Path newest = TestStores.lastLog(directory);
    try (FileChannel channel = FileChannel.open(newest, StandardOpenOption.WRITE)) {
      channel.truncate((long) (share * channel.size()));
    }
    assertRefused(newest);
  }

  @Test
  void aNewestFileThatIsMissingIsRefused() throws Exception {
    fill();
    Path newest = TestStores.lastLog(directory);
    Files.delete(newest);
    assertRefused(newest);
  }

  @Test
  void aMarkHalfWrittenLeavesTheOneBefore() throws Exception {
    fill();
    Path mark = TestStores.collection(directory).resolve("wal/MARK");
    for (int offset : new int[] {16, 512 + 16}) {
      TestStores.flip(mark, offset, 1);
      try (DataDirectory data = open()) {
        assertEquals(ROWS, data.openCollection(TestStores.NAME).rows().count());
      }
    }
  }
}
