package io.omendb.storage.file;

import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * The STORE file: says that this is a data directory, of which format, and which one; see {@link
 * FramedFileLayout}.
 *
 * <p>Formats: a reader refuses another major version and any incompatible feature it does not know;
 * compatible features it may ignore.
 */
public record StoreFile(int major, int minor, long incompatible, long compatible, UUID uuid) {
  static final int MAJOR = 1;
  static final int MINOR = 0;

  /** Incompatible features that this version reads: none so far. */
  private static final long KNOWN_INCOMPATIBLE = 0;

  private static final String STORE = "STORE";

  /** Whether a directory has one. */
  public static boolean exists(Path directory) {
    return Files.exists(directory.resolve(STORE));
  }

  public static StoreFile openOrCreate(Path directory) throws IOException {
    Path file = directory.resolve(STORE);
    if (!Files.exists(file)) {
      if (Catalogue.exists(directory)) {
        throw new CorruptFileException(
            file,
            0,
            "the file is missing; it never changes, so put it back from a backup of any age");
      }
      StoreFile fresh = new StoreFile(MAJOR, MINOR, 0, 0, UUID.randomUUID());
      fresh.write(file);
      return fresh;
    }
    return read(directory);
  }

  public static StoreFile read(Path directory) throws IOException {
    Path file = directory.resolve(STORE);
    FramedFile.Reader reader = FramedFile.read(file, FramedFileLayout.STORE_MAGIC);
    StoreFile store =
        new StoreFile(
            reader.getInt(), reader.getInt(), reader.getLong(), reader.getLong(), reader.getUuid());
    if (store.major != MAJOR) {
      throw new FormatException(
          file, "format " + store.major + "." + store.minor + ", this version reads " + MAJOR);
    }
    if ((store.incompatible & ~KNOWN_INCOMPATIBLE) != 0) {
      throw new FormatException(
          file,
          "features " + Long.toHexString(store.incompatible) + " are unknown to this version");
    }
    return store;
  }

  void write(Path file) throws IOException {
    new FramedFile.Writer()
        .putInt(major)
        .putInt(minor)
        .putLong(incompatible)
        .putLong(compatible)
        .putUuid(uuid)
        .replace(file, FramedFileLayout.STORE_MAGIC);
  }
}
