package io.omendb.storage.file;

import static org.junit.jupiter.api.Assertions.assertThrows;

import io.omendb.storage.DataDirectory;
import io.omendb.storage.api.FormatException;
import io.omendb.storage.api.StorageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreFileTest {
  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  private void open() throws IOException {
    DataDirectory.open(directory, StorageOptions.defaults()).close();
  }

  @Test
  void refusesFormatsItDoesNotKnow() throws Exception {
    open();
    Path file = directory.resolve("STORE");
    new StoreFile(2, 0, 0, 0, UUID.randomUUID()).write(file);
    assertThrows(FormatException.class, this::open);
    new StoreFile(1, 7, 1L << 40, 0, UUID.randomUUID()).write(file);
    assertThrows(FormatException.class, this::open);
    new StoreFile(1, 7, 0, 1L << 40, UUID.randomUUID()).write(file);
    open();
  }
}
