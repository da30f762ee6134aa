package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.omendb.index.Similarity;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.FailureHandler;
import io.omendb.storage.api.WriteMode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** What the tests of the engine share. */
final class TestEngine {
  private static final long AWAIT_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long POLL_NANOS = 1_000_000;

  private TestEngine() {}

  static Random random(Class<?> test) {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println(test.getSimpleName() + " seed=" + seed);
    return new Random(seed);
  }

  static Database open(Path directory) throws IOException {
    return open(directory, 2);
  }

  static Database open(Path directory, int linkerThreads) throws IOException {
    return Database.open(
        directory, new DatabaseOptions(new Durability.Os(), linkerThreads, FailureHandler.NONE));
  }

  /** Waits for a state that another thread brings about. */
  static void await(String what, BooleanSupplier state) {
    long start = System.nanoTime();
    while (!state.getAsBoolean()) {
      if (System.nanoTime() - start > AWAIT_NANOS) {
        fail("not within a minute: " + what);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  static void awaitAcknowledged(Collection collection, long sequence) {
    await("acknowledged " + sequence, () -> collection.visibleSequence() >= sequence);
  }

  /** Waits until the sweep that follows linking has left a graph without violations. */
  static void awaitSound(Collection collection) {
    await("a graph without violations", () -> collection.violations().isEmpty());
  }

  /** Waits until every row is in the graph. */
  static void awaitLinked(Collection collection) {
    await(
        "all rows linked",
        () -> {
          CollectionStats stats = collection.stats(false);
          return stats.unlinkedCount() + stats.unbuiltCount() == 0;
        });
  }

  /** The graph's hash once every row is in it. */
  static String graphHash(Collection collection) {
    awaitLinked(collection);
    String hash = collection.stats(true).graphHash();
    if (hash == null) {
      throw new AssertionError("no hash of a graph that is whole");
    }
    return hash;
  }

  /** Upserts rows and waits for the acknowledgement, no longer. */
  static AppendResult insert(Collection collection, TestRows rows) throws Exception {
    return append(collection, rows, WriteMode.UPSERT, Visibility.IMMEDIATE);
  }

  static AppendResult append(
      Collection collection, TestRows rows, WriteMode mode, Visibility visibility)
      throws Exception {
    AppendResult result = new AppendResult();
    collection.append(rows, mode, visibility, result);
    awaitAcknowledged(collection, result.lsn);
    return result;
  }

  static void delete(Collection collection, long... ids) throws IOException {
    awaitAcknowledged(collection, collection.delete(ids).lsn());
  }

  static SearchRequest nearest(float[] query, int k) {
    SearchRequest request = new SearchRequest();
    request.query = query;
    request.k = k;
    return request;
  }

  static SearchRequest exactNearest(float[] query, int k) {
    SearchRequest request = nearest(query, k);
    request.exact = true;
    return request;
  }

  static SearchResult search(Collection collection, SearchRequest request) {
    SearchResult result = new SearchResult();
    assertTrue(collection.acquire());
    try {
      collection.search(request, new SearchScratch(), result);
    } finally {
      collection.release();
    }
    return result;
  }

  /** Numeric ids of a result, nearest first. */
  static List<Long> ids(Collection collection, SearchResult result) {
    List<Long> ids = new ArrayList<>();
    assertTrue(collection.acquire());
    try {
      for (int i = 0; i < result.count(); i++) {
        ids.add(collection.rows().numericId(result.slot(i)));
      }
    } finally {
      collection.release();
    }
    return ids;
  }

  static List<Long> searchIds(Collection collection, SearchRequest request) {
    return ids(collection, search(collection, request));
  }

  static String stringId(Collection collection, int slot) {
    byte[] utf8 = new byte[collection.rows().stringIdLength(slot)];
    assertEquals(utf8.length, collection.rows().copyStringId(slot, utf8, 0));
    return new String(utf8, StandardCharsets.UTF_8);
  }

  /** Vectors around centres, as embeddings lie. */
  static float[][] clustered(Random random, int count, int dimension) {
    float[][] centres = new float[20][dimension];
    for (float[] centre : centres) {
      for (int d = 0; d < dimension; d++) {
        centre[d] = (float) random.nextGaussian();
      }
    }
    float[][] vectors = new float[count][dimension];
    for (float[] vector : vectors) {
      float[] centre = centres[random.nextInt(centres.length)];
      for (int d = 0; d < dimension; d++) {
        vector[d] = centre[d] + 0.5f * (float) random.nextGaussian();
      }
    }
    return vectors;
  }

  /** The distance that a similarity promises, in double. */
  static double distance(Similarity similarity, float[] a, float[] b) {
    double squares = 0;
    double dot = 0;
    double squaredA = 0;
    double squaredB = 0;
    for (int d = 0; d < a.length; d++) {
      squares += ((double) a[d] - b[d]) * ((double) a[d] - b[d]);
      dot += (double) a[d] * b[d];
      squaredA += (double) a[d] * a[d];
      squaredB += (double) b[d] * b[d];
    }
    return switch (similarity) {
      case L2 -> squares;
      case COSINE -> 1 - dot / Math.sqrt(squaredA * squaredB);
      case INNER_PRODUCT -> -dot;
    };
  }

  /** The k smallest distances, ascending. */
  static double[] bruteForce(Similarity similarity, float[] query, List<float[]> rows, int k) {
    return rows.stream()
        .mapToDouble(row -> distance(similarity, query, row))
        .sorted()
        .limit(k)
        .toArray();
  }

  /** Asserts that a result is the k nearest of rows whose id is their index in {@code vectors}. */
  static void assertNearest(
      Collection collection,
      float[] query,
      List<float[]> live,
      float[][] vectors,
      int k,
      SearchResult result) {
    Similarity similarity = collection.config().similarity();
    double[] expected = bruteForce(similarity, query, live, k);
    List<Long> ids = ids(collection, result);
    assertEquals(expected.length, ids.size());
    assertEquals(ids.size(), ids.stream().distinct().count(), () -> "twice in " + ids);
    for (int i = 0; i < expected.length; i++) {
      double tolerance = 1e-4 * (1 + Math.abs(expected[i]));
      assertEquals(expected[i], result.distance(i), tolerance);
      float[] vector = vectors[Math.toIntExact(ids.get(i))];
      assertEquals(distance(similarity, query, vector), result.distance(i), tolerance);
    }
  }

  /** The directory of the n-th collection created. */
  static Path collectionDirectory(Path directory, int index) throws IOException {
    return list(directory.resolve("collections")).get(index);
  }

  static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }

  /** The newest last. */
  static List<Path> images(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("image-"))
          .sorted(
              Comparator.comparingInt((Path file) -> file.toString().length())
                  .thenComparing(Path::toString))
          .toList();
    }
  }

  /**
   * Copies the directory of a live database as a killed process would leave it. A crash stops
   * everything at once, a copy takes time: so the marks of the logs' ends go first, then the logs,
   * the newest file before the others, and then what their records need, which only grows; and a
   * copy during which a checkpoint came between is made again.
   */
  static void copy(Path from, Path to) throws IOException {
    List<Path> before;
    do {
      before = crashOrder(from);
      for (Path file : before) {
        Path copy = to.resolve(from.relativize(file));
        Files.createDirectories(Objects.requireNonNull(copy.getParent()));
        try {
          Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        } catch (NoSuchFileException e) {
          break; // the lists differ
        }
      }
      for (Path copied : files(to)) {
        if (!before.contains(from.resolve(to.relativize(copied)))) {
          Files.delete(copied);
        }
      }
    } while (!before.equals(crashOrder(from)));
  }

  private static List<Path> crashOrder(Path from) throws IOException {
    List<Path> marks = new ArrayList<>();
    List<Path> logs = new ArrayList<>();
    List<Path> others = new ArrayList<>();
    for (Path file : liveFiles(from).stream().sorted().toList()) {
      if (file.toString().endsWith(".wal")) {
        logs.addFirst(file);
      } else if (file.endsWith("MARK")) {
        marks.add(file);
      } else if (!file.endsWith("LOCK") && !file.toString().endsWith(".tmp")) {
        others.add(file);
      }
    }
    marks.addAll(logs);
    marks.addAll(others);
    return marks;
  }

  /** The files in a directory and below, of which some may go while they are listed. */
  private static List<Path> liveFiles(Path directory) throws IOException {
    while (true) {
      try {
        return files(directory);
      } catch (UncheckedIOException e) {
        if (!(e.getCause() instanceof NoSuchFileException)) {
          throw e;
        }
      }
    }
  }

  /** The files in a directory and below. */
  static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      return walk.filter(Files::isRegularFile).toList();
    }
  }

  /** Flips bits of one byte. */
  static void flip(Path file, long offset) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      assertEquals(1, channel.read(one, offset));
      one.put(0, (byte) (one.get(0) ^ 0x10)).flip();
      assertEquals(1, channel.write(one, offset));
    }
  }

  static List<float[]> listOf(float[][] vectors) {
    return Arrays.asList(vectors);
  }
}
