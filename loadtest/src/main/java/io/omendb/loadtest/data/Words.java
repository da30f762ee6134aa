package io.omendb.loadtest.data;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/**
 * Words as vectors, a set that comes with OmenDB: who looks at the neighbours sees whether they are
 * right. The most frequent English words, in that order; cosine.
 *
 * @param names of the rows
 * @param vectors of the rows
 */
public record Words(List<String> names, Vectors vectors) {

  private static final String RESOURCE = "/io/omendb/loadtest/words/words.bin.gz";

  /** Every so many words one is kept out of the rows, to ask for its neighbours. */
  private static final int HELD_OUT_ONE_IN = 200;

  /** Reads the set. */
  public static Words load() throws IOException {
    try (InputStream file = Words.class.getResourceAsStream(RESOURCE)) {
      if (file == null) {
        throw new IOException("resource " + RESOURCE + " is missing");
      }
      return read(new DataInputStream(new BufferedInputStream(new GZIPInputStream(file), 1 << 16)));
    }
  }

  private static Words read(DataInputStream in) throws IOException {
    int rows = in.readInt();
    int dimension = in.readInt();
    String names = new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
    float[] components = new float[Math.multiplyExact(rows, dimension)];
    byte[] row = new byte[dimension];
    for (int at = 0; at < components.length; ) {
      float step = in.readFloat();
      in.readFully(row);
      for (byte component : row) {
        components[at++] = component * step;
      }
    }
    return new Words(names.lines().toList(), new ArrayVectors(components, dimension));
  }

  /** The words to ask for. */
  public Words queries() {
    int each = HELD_OUT_ONE_IN;
    return pick(names.size() / each, query -> query * each + each - 1);
  }

  /** The words to search: all others. */
  public Words base() {
    int each = HELD_OUT_ONE_IN - 1;
    return pick(
        names.size() / HELD_OUT_ONE_IN * each, row -> row / each * HELD_OUT_ONE_IN + row % each);
  }

  private Words pick(int count, IntUnaryOperator row) {
    List<String> picked = IntStream.range(0, count).map(row).mapToObj(names::get).toList();
    return new Words(
        picked, ArrayVectors.of(count, vectors.dimension(), i -> vectors.row(row.applyAsInt(i))));
  }
}
