package io.omendb.storage.checkpoint;

import io.omendb.storage.api.CollectionSchema;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.file.DurableFiles;
import io.omendb.storage.file.FramedFile;
import io.omendb.storage.file.FramedFileLayout;
import io.omendb.storage.file.SchemaCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The commit point of a checkpoint: what of a collection's files is valid, and where its log takes
 * over.
 *
 * @param generation of the checkpoint, 1 for a new collection
 * @param collection identity, also in the headers of its log files
 * @param schema of the collection
 * @param lsn everything up to it is in the extents
 * @param slots of them valid
 * @param heapBytes of them valid
 * @param firstSequence log file in which the records after {@code lsn} begin
 * @param tombstonesCrc of the body of {@code tombstones-G}
 * @param sumsCrc of the body of {@code sums-G}
 * @param imageGeneration the newest image, 0 for none
 * @param imageSections of it valid
 * @param streams how far each got
 */
public record Manifest(
    long generation,
    UUID collection,
    CollectionSchema schema,
    long lsn,
    int slots,
    long heapBytes,
    long firstSequence,
    int tombstonesCrc,
    int sumsCrc,
    long imageGeneration,
    int imageSections,
    List<StreamTable.Saved> streams) {
  private static final String MANIFEST = "MANIFEST-";
  private static final String TOMBSTONES = "tombstones-";
  private static final String SUMS = "sums-";
  private static final String IMAGE = "image-";
  private static final int LEAST_STREAM_BYTES = 20;

  public static Path file(Path directory, long generation) {
    return directory.resolve(MANIFEST + generation);
  }

  static Path tombstones(Path directory, long generation) {
    return directory.resolve(TOMBSTONES + generation);
  }

  static Path sums(Path directory, long generation) {
    return directory.resolve(SUMS + generation);
  }

  public static Path image(Path directory, long generation) {
    return directory.resolve(IMAGE + generation);
  }

  /** Whether a file is one that checkpoints make and this manifest does not name. */
  boolean isUnreferenced(Path file) {
    String name = file.getFileName().toString();
    return (name.startsWith(MANIFEST) && !name.equals(MANIFEST + generation))
        || (name.startsWith(TOMBSTONES) && !name.equals(TOMBSTONES + generation))
        || (name.startsWith(SUMS) && !name.equals(SUMS + generation))
        || (name.startsWith(IMAGE) && !name.equals(IMAGE + imageGeneration));
  }

  static boolean isManifest(Path file) {
    return generationOf(file) > 0;
  }

  /** Generations of the manifests in a directory, newest first. */
  static List<Long> generations(Path directory) throws IOException {
    List<Long> generations = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      for (Path file : DurableFiles.list(directory)) {
        if (generationOf(file) > 0) {
          generations.add(generationOf(file));
        }
      }
    }
    generations.sort((a, b) -> Long.compare(b, a));
    return generations;
  }

  private static long generationOf(Path file) {
    String name = file.getFileName().toString();
    if (!name.startsWith(MANIFEST)) {
      return 0;
    }
    try {
      return Long.parseLong(name.substring(MANIFEST.length()));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** Writes the manifest; once this returns the checkpoint has happened. */
  void write(Path directory) throws IOException {
    FramedFile.Writer writer = new FramedFile.Writer();
    writer.putLong(generation).putUuid(collection);
    SchemaCodec.write(writer, schema);
    writer.putLong(lsn).putInt(slots).putLong(heapBytes).putLong(firstSequence);
    writer.putInt(tombstonesCrc).putInt(sumsCrc).putLong(imageGeneration);
    writer.putInt(streams.size());
    for (StreamTable.Saved stream : streams) {
      writer.putText(stream.streamId()).putLong(stream.sequence());
      writer.putLong(stream.lastSeenMillis());
    }
    writer.putInt(imageSections);
    writer.replace(file(directory, generation), FramedFileLayout.MANIFEST_MAGIC);
  }

  static Manifest read(Path directory, long generation) throws IOException {
    FramedFile.Reader reader =
        FramedFile.read(file(directory, generation), FramedFileLayout.MANIFEST_MAGIC);
    long written = reader.getLong();
    if (written != generation) {
      throw reader.corrupt("generation=" + written + ", expected " + generation);
    }
    UUID collection = reader.getUuid();
    CollectionSchema schema = SchemaCodec.read(reader);
    long lsn = reader.getLong();
    int slots = reader.getInt();
    long heapBytes = reader.getLong();
    long firstSequence = reader.getLong();
    int tombstonesCrc = reader.getInt();
    int sumsCrc = reader.getInt();
    long imageGeneration = reader.getLong();
    List<StreamTable.Saved> streams = readStreams(reader);
    // Manifests of builds whose images had no sections end here.
    int imageSections = reader.remaining() > 0 ? reader.getInt() : 0;
    return new Manifest(
        generation,
        collection,
        schema,
        lsn,
        slots,
        heapBytes,
        firstSequence,
        tombstonesCrc,
        sumsCrc,
        imageGeneration,
        imageSections,
        streams);
  }

  private static List<StreamTable.Saved> readStreams(FramedFile.Reader reader)
      throws CorruptFileException {
    int count = reader.getCount(LEAST_STREAM_BYTES);
    List<StreamTable.Saved> streams = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      streams.add(new StreamTable.Saved(reader.getText(), reader.getLong(), reader.getLong()));
    }
    return List.copyOf(streams);
  }
}
