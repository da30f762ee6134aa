package io.omendb.index;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The real vectors that come with OmenDB, as {@code loadtest} ships them: siftsmall of the TEXMEX
 * corpus, 10,000 rows of 128 whole numbers 0..255 and 100 queries.
 */
public final class SiftSmall {
  /** Components. */
  public static final int DIMENSION = 128;

  private static final Path FOLDER =
      Path.of(
          System.getProperty("basedir", "."),
          "../loadtest/src/main/resources/io/omendb/loadtest/siftsmall");

  private SiftSmall() {}

  /** The rows. */
  public static float[][] base() throws IOException {
    return read("siftsmall_base.bvecs");
  }

  /** The queries. */
  public static float[][] queries() throws IOException {
    return read("siftsmall_query.bvecs");
  }

  /** A bvecs file: for each vector its dimension as int32, then a byte each component. */
  private static float[][] read(String name) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.wrap(Files.readAllBytes(FOLDER.resolve(name))).order(ByteOrder.LITTLE_ENDIAN);
    float[][] vectors = new float[bytes.capacity() / (Integer.BYTES + DIMENSION)][DIMENSION];
    for (float[] vector : vectors) {
      if (bytes.getInt() != DIMENSION) {
        throw new IOException(name + ": not of dimension " + DIMENSION);
      }
      for (int j = 0; j < DIMENSION; j++) {
        vector[j] = bytes.get() & 0xFF;
      }
    }
    return vectors;
  }
}
