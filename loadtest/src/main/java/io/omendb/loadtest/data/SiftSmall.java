package io.omendb.loadtest.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The real set that comes with OmenDB: siftsmall of the TEXMEX corpus, 10,000 rows of 128 whole
 * numbers, 100 queries, Euclidean.
 */
public final class SiftSmall {

  /** Rows. */
  public static final int COUNT = 10_000;

  /** Components. */
  public static final int DIMENSION = 128;

  private static final String FOLDER = "/io/omendb/loadtest/siftsmall/";
  private static final String BASE = "siftsmall_base.bvecs";
  private static final String QUERY = "siftsmall_query.bvecs";
  private static final String TRUTH = "siftsmall_groundtruth.ivecs";

  private SiftSmall() {}

  /** Writes the set's files into a directory. */
  public static void unpack(Path directory) throws IOException {
    Files.createDirectories(directory);
    for (String name : List.of(BASE, QUERY, TRUTH)) {
      try (InputStream file = SiftSmall.class.getResourceAsStream(FOLDER + name)) {
        if (file == null) {
          throw new IOException("resource " + name + " is missing");
        }
        Files.write(directory.resolve(name), file.readAllBytes());
      }
    }
  }

  /** The base, of a directory it was unpacked into. */
  public static Path base(Path directory) {
    return directory.resolve(BASE);
  }

  /** The queries, of a directory they were unpacked into. */
  public static Path queries(Path directory) {
    return directory.resolve(QUERY);
  }

  /** The exact answers under L2, of a directory they were unpacked into. */
  public static Path truth(Path directory) {
    return directory.resolve(TRUTH);
  }
}
