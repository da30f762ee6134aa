package io.omendb.storage.file;

import io.omendb.storage.api.CollectionSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Which collections there are. Replacing its file is what creates or drops one; see {@link
 * FramedFileLayout}.
 *
 * @param nextDirectory number of the next collection's directory; never reused
 * @param entries by name
 */
public record Catalogue(long nextDirectory, SortedMap<String, Entry> entries) {
  /** Name of its file. */
  public static final String FILE = "CATALOGUE";

  private static final int LEAST_ENTRY_BYTES = 40;

  /** Where a collection lies and what it is. */
  public record Entry(long directory, UUID uuid, CollectionSchema schema) {}

  public Catalogue {
    entries = Collections.unmodifiableSortedMap(new TreeMap<>(entries));
  }

  /** Of no collections. */
  public static Catalogue empty() {
    return new Catalogue(1, new TreeMap<>());
  }

  /** Whether a directory has one. */
  public static boolean exists(Path directory) {
    return Files.exists(directory.resolve(FILE));
  }

  public static Catalogue read(Path directory) throws IOException {
    FramedFile.Reader reader =
        FramedFile.read(directory.resolve(FILE), FramedFileLayout.CATALOGUE_MAGIC);
    long next = reader.getLong();
    int count = reader.getCount(LEAST_ENTRY_BYTES);
    TreeMap<String, Entry> entries = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      Entry entry = new Entry(reader.getLong(), reader.getUuid(), SchemaCodec.read(reader));
      entries.put(entry.schema().name(), entry);
    }
    return new Catalogue(next, entries);
  }

  public Catalogue with(Entry entry) {
    TreeMap<String, Entry> more = new TreeMap<>(entries);
    more.put(entry.schema().name(), entry);
    return new Catalogue(Math.max(nextDirectory, entry.directory() + 1), more);
  }

  public Catalogue without(String name) {
    TreeMap<String, Entry> fewer = new TreeMap<>(entries);
    fewer.remove(name);
    return new Catalogue(nextDirectory, fewer);
  }

  public void write(Path directory) throws IOException {
    FramedFile.Writer writer = new FramedFile.Writer();
    writer.putLong(nextDirectory).putInt(entries.size());
    for (Entry entry : entries.values()) {
      writer.putLong(entry.directory()).putUuid(entry.uuid());
      SchemaCodec.write(writer, entry.schema());
    }
    writer.replace(directory.resolve(FILE), FramedFileLayout.CATALOGUE_MAGIC);
  }
}
