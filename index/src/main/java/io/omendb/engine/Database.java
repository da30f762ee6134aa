package io.omendb.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.index.distance.KernelSelfTest;
import io.omendb.index.hnsw.Workers;
import io.omendb.memory.PosixException;
import io.omendb.storage.CollectionStore;
import io.omendb.storage.DataDirectory;
import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.FailureWords;
import io.omendb.storage.api.StorageException;
import io.omendb.storage.api.StorageOptions;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A data directory with its collections, open in this process; what a JVM application embeds.
 *
 * <p>A collection that cannot be opened, for damage or whatever else, is quarantined, and the
 * others serve. Threads: any; creating, dropping and closing exclude each other.
 */
public final class Database implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Database.class);

  private final DataDirectory directory;
  private final Workers workers;
  private final Linker linker;
  private final Map<String, Collection> collections = new ConcurrentSkipListMap<>();
  private final Map<String, Exception> quarantined = new ConcurrentSkipListMap<>();

  @GuardedBy("this")
  private boolean closed;

  private Database(DataDirectory directory, DatabaseOptions options) {
    this.directory = directory;
    this.workers = new Workers(options.linkerThreads(), "omendb-link");
    this.linker = new Linker(options.failureHandler());
  }

  /**
   * Opens a data directory, or makes a new one, and recovers every collection.
   *
   * @throws StorageException if it is locked, of an unknown format, or its catalogue is damaged
   */
  public static Database open(Path path, DatabaseOptions options) throws IOException {
    KernelSelfTest.verify();
    DataDirectory directory =
        DataDirectory.open(
            path,
            StorageOptions.defaults()
                .withDurability(options.durability())
                .withFailureHandler(options.failureHandler()));
    Database database = new Database(directory, options);
    try {
      for (String name : directory.names()) {
        database.recover(name);
      }
    } catch (RuntimeException e) {
      database.close();
      throw e;
    }
    database.linker.start();
    return database;
  }

  private void recover(String name) {
    try {
      long start = System.nanoTime();
      CollectionStore store = directory.openCollection(name);
      long recovered = System.nanoTime();
      Collection collection = Collection.open(store, workers, linker::signal);
      add(collection);
      LOG.info(
          "collection {}: {} rows, recovered in {} ms, graph loaded in {} ms",
          name,
          collection.rows().liveCount(),
          (recovered - start) / 1_000_000,
          (System.nanoTime() - recovered) / 1_000_000);
    } catch (StorageException | FileSystemException | PosixException e) {
      LOG.error("collection {} is quarantined: {}", name, FailureWords.of(e));
      quarantine(name, e);
    } catch (IOException | RuntimeException e) {
      // A device that does not read, a file that may not be opened, a mistake of ours: of one
      // collection, whatever it is.
      LOG.error("collection {} is quarantined", name, e);
      quarantine(name, e);
    }
  }

  private void quarantine(String name, Exception cause) {
    directory.closeCollection(name);
    quarantined.put(name, cause);
  }

  private void add(Collection collection) {
    collections.put(collection.config().name(), collection);
    linker.add(collection);
  }

  /**
   * Creates a collection; durable when it returns.
   *
   * @throws io.omendb.storage.api.CollectionExistsException if the name is taken
   */
  public synchronized Collection create(CollectionConfig config) throws IOException {
    checkOpen();
    CollectionSchema schema = config.toSchema(System.currentTimeMillis());
    Collection collection = Collection.open(directory.create(schema), workers, linker::signal);
    add(collection);
    return collection;
  }

  /**
   * The collection of that name.
   *
   * @throws CollectionNotFoundException if there is none
   * @throws CollectionQuarantinedException if it could not be opened
   */
  public Collection collection(String name) {
    Collection collection = collections.get(name);
    if (collection != null) {
      return collection;
    }
    Exception damage = quarantined.get(name);
    if (damage != null) {
      throw new CollectionQuarantinedException(name, damage);
    }
    throw new CollectionNotFoundException(name);
  }

  /** The collections that serve, by name. */
  public List<Collection> collections() {
    return List.copyOf(collections.values());
  }

  /** The collections that do not serve, by name, and what was found. */
  public Map<String, Exception> quarantined() {
    return Map.copyOf(quarantined);
  }

  /**
   * Drops a collection, damaged or not; durable when it returns. One that fails to be dropped is
   * quarantined, since its files are closed, and may be dropped again.
   */
  public synchronized void drop(String name) throws IOException {
    checkOpen();
    Collection collection = collections.get(name);
    if (collection != null) {
      linker.remove(collection);
      collection.close(false);
      try {
        directory.drop(name);
      } catch (IOException | RuntimeException e) {
        quarantine(name, e);
        throw e;
      } finally {
        collections.remove(name);
        collection.freeIndex();
      }
    } else if (quarantined.containsKey(name)) {
      directory.drop(name);
      quarantined.remove(name);
    } else {
      throw new CollectionNotFoundException(name);
    }
  }

  /** After the close the directory may be another process's. */
  @GuardedBy("this")
  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the database is closed");
    }
  }

  /** Ends linking, waits for the leases that are out, takes a last checkpoint, and unmaps. */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    linker.close();
    IOException first = null;
    for (Collection collection : collections.values()) {
      try {
        collection.close(true);
      } catch (IOException e) {
        LOG.error("collection {}: last checkpoint failed", collection.config().name(), e);
        first = first == null ? e : first;
      }
    }
    directory.close();
    collections.values().forEach(Collection::freeIndex);
    collections.clear();
    workers.close();
    if (first != null) {
      throw first;
    }
  }
}
