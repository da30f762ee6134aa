package io.omendb.storage;

import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.checkpoint.Manifest;
import io.omendb.storage.checkpoint.Recovery;
import io.omendb.storage.file.Catalogue;
import io.omendb.storage.file.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The directories of the collections beside the catalogue that lists them.
 *
 * <pre>
 *   collections/000001           a collection
 *   collections/000002.dropped   one that was dropped; what is left of it goes at the next start
 *   set-aside/000003             one that the catalogue does not list
 * </pre>
 *
 * <p>A drop is the renaming of the directory, which takes no room: the catalogue is replaced after
 * the files are gone and there is room again. Nothing but a dropped collection is ever deleted: a
 * directory that is not listed may be all that an older CATALOGUE, put back, does not know.
 */
final class CollectionDirectories {
  private static final Logger LOG = LoggerFactory.getLogger(CollectionDirectories.class);
  private static final String SET_ASIDE = "set-aside";
  private static final String DROPPED = ".dropped";

  private CollectionDirectories() {}

  /** The catalogue; one made from the manifests where its file is missing. */
  static Catalogue catalogue(Path dir) throws IOException {
    if (Catalogue.exists(dir)) {
      return read(dir);
    }
    Catalogue rebuilt = rebuild(dir);
    if (!rebuilt.entries().isEmpty()) {
      LOG.warn(
          "{} was missing and was made again from the manifests: {}",
          dir.resolve(Catalogue.FILE),
          String.join(", ", rebuilt.entries().keySet()));
    }
    rebuilt.write(dir);
    return rebuilt;
  }

  private static Catalogue read(Path dir) throws IOException {
    try {
      return Catalogue.read(dir);
    } catch (CorruptFileException e) {
      throw new CorruptFileException(
          dir.resolve(Catalogue.FILE),
          e.offset(),
          e.detail() + "; move the file away, and the next start makes it from the collections");
    }
  }

  private static Catalogue rebuild(Path dir) throws IOException {
    Catalogue catalogue = Catalogue.empty();
    for (Path path : DurableFiles.list(dir.resolve(DataDirectory.COLLECTIONS))) {
      long number = numberOf(path);
      if (number < 0) {
        continue;
      }
      Manifest manifest;
      try {
        manifest = Recovery.newestManifest(path);
      } catch (CorruptFileException e) {
        throw new CorruptFileException(
            dir.resolve(Catalogue.FILE),
            0,
            "the file is missing, and cannot be made again, since a collection does not say what"
                + " it is: "
                + e.getMessage()
                + "; put back a backup of CATALOGUE, or move that directory away");
      }
      String name = manifest.schema().name();
      if (catalogue.entries().containsKey(name)) {
        throw new CorruptFileException(
            dir.resolve(Catalogue.FILE),
            0,
            "the file is missing, and two directories hold a collection "
                + name
                + "; move the wrong one away: "
                + path);
      }
      catalogue =
          catalogue.with(new Catalogue.Entry(number, manifest.collection(), manifest.schema()));
    }
    return catalogue;
  }

  /** The number that a collection's directory has for a name; -1 for another path. */
  private static long numberOf(Path path) {
    try {
      return Long.parseLong(path.getFileName().toString());
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  /** Drops a collection, durably, whether its directory is there or not; returns what is left. */
  static Path markDropped(Path path) throws IOException {
    Path dropped = path.resolveSibling(path.getFileName() + DROPPED);
    if (!Files.exists(path)) {
      Files.createDirectories(path);
    }
    DurableFiles.rename(path, dropped);
    return dropped;
  }

  /** Deletes what is left of a dropped collection, and has the catalogue say so. */
  static void remove(Path dir, Path dropped, Catalogue without) throws IOException {
    DurableFiles.deleteContents(dropped);
    without.write(dir);
    Files.deleteIfExists(dropped);
    DurableFiles.syncDirectory(dir.resolve(DataDirectory.COLLECTIONS));
  }

  /** Finishes drops that a crash, or a disk, cut short. */
  static Catalogue finishDrops(Path dir, Catalogue catalogue) throws IOException {
    Catalogue without = catalogue;
    for (Path path : DurableFiles.list(dir.resolve(DataDirectory.COLLECTIONS))) {
      String directory = path.getFileName().toString();
      if (!directory.endsWith(DROPPED)) {
        continue;
      }
      for (Catalogue.Entry entry : catalogue.entries().values()) {
        if (directory.equals(DataDirectory.path(dir, entry).getFileName() + DROPPED)) {
          without = without.without(entry.schema().name());
        }
      }
      LOG.info("removing what is left of a dropped collection: {}", path);
      remove(dir, path, without);
    }
    return without;
  }

  /** Moves what the catalogue does not list out of the way, and tells. */
  static void setAsideUnlisted(Path dir, Catalogue catalogue) throws IOException {
    Set<Path> listed = new HashSet<>();
    catalogue.entries().values().forEach(entry -> listed.add(DataDirectory.path(dir, entry)));
    for (Path path : DurableFiles.list(dir.resolve(DataDirectory.COLLECTIONS))) {
      if (!listed.contains(path)) {
        Path aside = free(dir.resolve(SET_ASIDE), path.getFileName().toString());
        Files.createDirectories(dir.resolve(SET_ASIDE));
        Files.move(path, aside, StandardCopyOption.ATOMIC_MOVE);
        DurableFiles.syncDirectory(dir.resolve(SET_ASIDE));
        DurableFiles.syncDirectory(dir.resolve(DataDirectory.COLLECTIONS));
        LOG.warn("{} is not listed in CATALOGUE and was moved to {}", path, aside);
      }
    }
  }

  private static Path free(Path directory, String name) {
    Path path = directory.resolve(name);
    for (int i = 2; Files.exists(path); i++) {
      path = directory.resolve(name + "-" + i);
    }
    return path;
  }
}
