package io.omendb.storage;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.storage.api.CollectionExistsException;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.FormatException;
import io.omendb.storage.api.LockedException;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.UnknownCollectionException;
import io.omendb.storage.checkpoint.StreamCapacity;
import io.omendb.storage.file.Catalogue;
import io.omendb.storage.file.DirectoryLock;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.Preallocator;
import io.omendb.storage.file.StoreFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data directory held by this process: its identity, its lock and its collections.
 *
 * <p>Collections open one by one, so that a damaged one does not keep the others from serving.
 * Threads: any; calls exclude each other.
 */
public final class DataDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DataDirectory.class);
  static final String COLLECTIONS = "collections";

  /** What a directory may hold before it has a STORE: a first start that was cut short, a mount. */
  private static final Set<String> BORN_WITH =
      Set.of(COLLECTIONS, DirectoryLock.FILE, "lost+found");

  private final Path directory;
  private final StorageOptions options;
  private final DirectoryLock lock;
  private final UUID uuid;
  private final StreamCapacity streamCapacity = new StreamCapacity();
  private final Preallocator preallocator = new Preallocator("omendb-prepare");

  @GuardedBy("this")
  private final Map<String, CollectionStore> open = new HashMap<>();

  @GuardedBy("this")
  private Catalogue catalogue;

  private DataDirectory(
      Path directory, StorageOptions options, DirectoryLock lock, UUID uuid, Catalogue catalogue) {
    this.directory = directory;
    this.options = options;
    this.lock = lock;
    this.uuid = uuid;
    this.catalogue = catalogue;
  }

  /**
   * Opens a data directory, or makes one of a directory that is empty or not there. A CATALOGUE
   * that is missing is made again from the manifests; what it does not list is set aside.
   *
   * @throws LockedException if it is in use
   * @throws FormatException if its format is not one that this version reads, or it holds other
   *     things
   * @throws CorruptFileException if STORE or CATALOGUE is damaged
   */
  public static DataDirectory open(Path dir, StorageOptions options) throws IOException {
    refuseForeign(dir);
    Files.createDirectories(dir.resolve(COLLECTIONS));
    DirectoryLock lock = DirectoryLock.acquire(dir);
    try {
      StoreFile store = StoreFile.openOrCreate(dir);
      Catalogue catalogue = CollectionDirectories.catalogue(dir);
      DurableFiles.syncDirectory(dir);
      catalogue = CollectionDirectories.finishDrops(dir, catalogue);
      CollectionDirectories.setAsideUnlisted(dir, catalogue);
      return new DataDirectory(dir, options, lock, store.uuid(), catalogue);
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** A directory with something in it becomes ours only if it was ours before. */
  private static void refuseForeign(Path dir) throws IOException {
    if (!Files.isDirectory(dir) || StoreFile.exists(dir) || Catalogue.exists(dir)) {
      return;
    }
    for (Path path : DurableFiles.list(dir)) {
      String name = path.getFileName().toString();
      boolean born = BORN_WITH.contains(name) || DurableFiles.isTemporary(path);
      if (!born || (name.equals(COLLECTIONS) && !DurableFiles.list(path).isEmpty())) {
        throw new FormatException(
            dir,
            "not a data directory: it holds "
                + name
                + " and no STORE; expected an empty directory, or one that OmenDB made");
      }
    }
  }

  static Path path(Path dir, Catalogue.Entry entry) {
    return dir.resolve(COLLECTIONS).resolve("%06d".formatted(entry.directory()));
  }

  /** The directory. */
  public Path path() {
    return directory;
  }

  /** Identity of the directory, given when it was made. */
  public UUID uuid() {
    return uuid;
  }

  /** Names of the collections, sorted. */
  public synchronized List<String> names() {
    return List.copyOf(catalogue.entries().keySet());
  }

  /** Schemas of the collections, sorted by name. */
  public synchronized List<CollectionSchema> schemas() {
    return catalogue.entries().values().stream().map(Catalogue.Entry::schema).toList();
  }

  /**
   * Creates a collection and opens it. Durable when it returns; after a crash before, it is not
   * there.
   *
   * @throws CollectionExistsException if the name is taken
   */
  public synchronized CollectionStore create(CollectionSchema schema) throws IOException {
    if (catalogue.entries().containsKey(schema.name())) {
      throw new CollectionExistsException(schema.name());
    }
    Catalogue.Entry entry =
        new Catalogue.Entry(catalogue.nextDirectory(), UUID.randomUUID(), schema);
    Path path = path(directory, entry);
    // What a failed attempt may have left; a crash leaves it to the next open.
    DurableFiles.deleteTree(path);
    StoreOpening.createFiles(path, entry.uuid(), schema);
    DurableFiles.syncDirectory(directory.resolve(COLLECTIONS));
    CollectionStore store =
        CollectionStore.open(path, entry.uuid(), options, preallocator, streamCapacity);
    try {
      Catalogue changed = catalogue.with(entry);
      changed.write(directory);
      catalogue = changed;
    } catch (DiskFullException e) {
      store.close();
      DurableFiles.deleteTree(path); // the catalogue stands as it was
      throw e;
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
    open.put(schema.name(), store);
    return store;
  }

  /**
   * Opens a collection and recovers it; the same store while it is open.
   *
   * @throws UnknownCollectionException if there is none of that name
   * @throws CorruptFileException if acknowledged data is lost; other collections are not concerned
   */
  public synchronized CollectionStore openCollection(String name) throws IOException {
    CollectionStore already = open.get(name);
    if (already != null) {
      return already;
    }
    Catalogue.Entry entry = entry(name);
    Path path = path(directory, entry);
    if (!Files.isDirectory(path)) {
      throw new CorruptFileException(
          path, 0, "the directory of collection " + name + " is missing");
    }
    CollectionStore store =
        CollectionStore.open(path, entry.uuid(), options, preallocator, streamCapacity);
    open.put(name, store);
    return store;
  }

  /**
   * Drops a collection, damaged or not. Durable when it returns. Nobody may read it any more.
   *
   * @throws UnknownCollectionException if there is none of that name
   */
  public synchronized void drop(String name) throws IOException {
    Catalogue.Entry entry = entry(name);
    closeCollection(name);
    Path dropped = CollectionDirectories.markDropped(path(directory, entry));
    // From here on it is dropped, whatever happens: a start would finish what is left.
    catalogue = catalogue.without(name);
    try {
      CollectionDirectories.remove(directory, dropped, catalogue);
    } catch (IOException e) {
      LOG.warn("collection {} is dropped, but not all its room is given back yet", name, e);
    }
  }

  /**
   * Closes a collection, which stays in the directory and may be opened again. Nobody may read it
   * any more. A failure is told, and ends nothing: what is acknowledged is in the log.
   */
  public synchronized void closeCollection(String name) {
    CollectionStore store = open.remove(name);
    if (store != null) {
      try {
        store.close();
      } catch (IOException e) {
        LOG.warn("collection {} was not closed in order", name, e);
      }
    }
  }

  /** Bytes free on the device of the directory. */
  public long freeBytes() throws IOException {
    return Files.getFileStore(directory).getUsableSpace();
  }

  @GuardedBy("this")
  private Catalogue.Entry entry(String name) throws UnknownCollectionException {
    Catalogue.Entry entry = catalogue.entries().get(name);
    if (entry == null) {
      throw new UnknownCollectionException(name);
    }
    return entry;
  }

  /** Closes every collection and gives the directory free. */
  @Override
  public synchronized void close() throws IOException {
    IOException first = null;
    for (CollectionStore store : open.values()) {
      try {
        store.close();
      } catch (IOException e) {
        if (first == null) {
          first = e;
        } else {
          first.addSuppressed(e);
        }
      }
    }
    open.clear();
    preallocator.close();
    lock.close();
    if (first != null) {
      throw first;
    }
  }
}
