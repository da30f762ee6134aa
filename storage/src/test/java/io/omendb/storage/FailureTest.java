package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.StoreFailedException;
import io.omendb.storage.api.WriteMode;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FailureTest {
  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @Test
  void aFailureIsLatched() throws Exception {
    BlockingQueue<Throwable> fatal = new ArrayBlockingQueue<>(4);
    StorageOptions options =
        TestStores.options("always").withFailureHandler((what, cause) -> fatal.add(cause));
    try (DataDirectory data = DataDirectory.open(directory, options)) {
      CollectionStore store = data.create(TestStores.schema(4, IdKind.NUMERIC));
      TestStores.append(store, new TestRows(4).add(1, 1));
      store.wal().fail(new ClosedChannelException());
      assertInstanceOf(ClosedChannelException.class, fatal.poll(10, TimeUnit.SECONDS));
      assertThrows(StoreFailedException.class, () -> store.awaitPublished(2));
      assertThrows(
          StoreFailedException.class,
          () ->
              store.append(
                  new TestRows(4).add(3, 1),
                  WriteMode.UPSERT,
                  TestRows.CHECK,
                  null,
                  new AppendResult()));
      assertThrows(StoreFailedException.class, () -> store.checkpoint(null));
      // What was published is still read; what was not never is.
      assertEquals(1, store.rows().count());
      assertEquals(-1, store.rows().find(2));
    }
    assertEquals(0, fatal.size());
    try (DataDirectory data = DataDirectory.open(directory, options)) {
      assertEquals(1, data.openCollection(TestStores.NAME).rows().count());
    }
  }
}
