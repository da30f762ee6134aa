package io.omendb.embedded;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionConfig;
import io.omendb.engine.CollectionNotFoundException;
import io.omendb.engine.Database;
import io.omendb.engine.DatabaseOptions;
import io.omendb.engine.Profile;
import io.omendb.index.Similarity;
import io.omendb.storage.api.IdKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A data directory that is open in this process. Thread-safe; close it when no thread uses it or
 * its collections any more.
 */
public final class EmbeddedDatabase implements AutoCloseable {
  private final Database database;

  /** Those given out: each listens to its collection as long as that is open. */
  @GuardedBy("this")
  private final Map<String, EmbeddedCollection> collections = new HashMap<>();

  private EmbeddedDatabase(Database database) {
    this.database = database;
  }

  /** Opens a directory, or makes it; what is written survives the process and a power cut. */
  public static EmbeddedDatabase open(Path directory) throws IOException {
    return open(directory, DatabaseOptions.defaults());
  }

  /**
   * Opens a directory, or makes it.
   *
   * @throws io.omendb.storage.api.StorageException if another process has it open, or it is damaged
   */
  public static EmbeddedDatabase open(Path directory, DatabaseOptions options) throws IOException {
    return new EmbeddedDatabase(Database.open(directory, options));
  }

  /**
   * The collection of that name; it is made if it is not there.
   *
   * @throws IllegalArgumentException if it is there and differs in dimension or similarity
   */
  public EmbeddedCollection collection(String name, int dimension, Similarity similarity)
      throws IOException {
    return collection(
        new CollectionConfig(
            name,
            dimension,
            similarity,
            IdKind.NUMERIC,
            CollectionConfig.DEFAULT_M,
            CollectionConfig.DEFAULT_EF_CONSTRUCTION,
            CollectionConfig.DEFAULT_TARGET_RECALL,
            0,
            Profile.MEMORY));
  }

  /**
   * The collection of that name; it is made with these settings if it is not there.
   *
   * @throws IllegalArgumentException if it is there and differs in dimension or similarity, or its
   *     ids are strings
   */
  public synchronized EmbeddedCollection collection(CollectionConfig config) throws IOException {
    Collection collection;
    try {
      collection = database.collection(config.name());
    } catch (CollectionNotFoundException e) {
      collection = database.create(config);
    }
    CollectionConfig found = collection.config();
    if (found.idKind() != IdKind.NUMERIC) {
      throw new IllegalArgumentException(
          "collection %s has ids of kind %s, expected %s"
              .formatted(found.name(), found.idKind(), IdKind.NUMERIC));
    }
    if (found.dimension() != config.dimension() || found.similarity() != config.similarity()) {
      throw new IllegalArgumentException(
          "collection %s is of dimension %d and %s, expected %d and %s"
              .formatted(
                  found.name(),
                  found.dimension(),
                  found.similarity(),
                  config.dimension(),
                  config.similarity()));
    }
    EmbeddedCollection given = collections.get(found.name());
    if (given == null || !given.isOf(collection)) {
      given = new EmbeddedCollection(collection);
      collections.put(found.name(), given);
    }
    return given;
  }

  /** Removes a collection and its data for good. */
  public synchronized void drop(String name) throws IOException {
    collections.remove(name);
    database.drop(name);
  }

  /** The database below, for what this does not offer. */
  public Database database() {
    return database;
  }

  /** Waits for what runs and closes the files. */
  @Override
  public void close() throws IOException {
    database.close();
  }
}
