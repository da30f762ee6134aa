package io.omendb.index.hnsw;

import io.omendb.index.ExactDistance;
import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.distance.Kernels;
import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import io.omendb.memory.NativeInts;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Vectors in native memory as a store holds them, indexes over them, and what is truly near. */
public final class NativeRows implements VectorRows, AutoCloseable {
  static final int M = 16;
  static final int EF_CONSTRUCTION = 128;

  private static final int SMALLEST_BATCH = 256;
  private static final int BATCHES_PER_GRAPH = 50;

  private final int dimension;
  private final int padded;
  private final AddressSpace space;
  private final float[] squaredNorms;
  private int count;

  /** Room for {@code capacity} rows. */
  public NativeRows(int dimension, int capacity) {
    this.dimension = dimension;
    this.padded = Kernels.paddedFloats(dimension);
    this.space = AddressSpace.reserve((long) capacity * padded * Float.BYTES);
    this.squaredNorms = new float[capacity];
    space.commit((long) capacity * padded * Float.BYTES);
  }

  /** Components of a row. */
  public int dimension() {
    return dimension;
  }

  /** Rows of independent normal components. */
  public static NativeRows gaussian(int dimension, int count, long seed) {
    NativeRows rows = new NativeRows(dimension, count);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < count; i++) {
      rows.add(gaussian(dimension, random));
    }
    return rows;
  }

  /** Normal rows made longer by factors of 1 to 10, spread evenly in the logarithm. */
  public static NativeRows ofManyNorms(int dimension, int count, long seed) {
    NativeRows rows = new NativeRows(dimension, count);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < count; i++) {
      float[] vector = gaussian(dimension, random);
      scale(vector, (float) Math.pow(10, random.nextDouble()));
      rows.add(vector);
    }
    return rows;
  }

  /** A vector of independent normal components. */
  public static float[] gaussian(int dimension, SplittableRandom random) {
    float[] vector = new float[dimension];
    for (int j = 0; j < dimension; j++) {
      vector[j] = (float) random.nextGaussian();
    }
    return vector;
  }

  static void scale(float[] vector, float factor) {
    for (int j = 0; j < vector.length; j++) {
      vector[j] *= factor;
    }
  }

  /** Appends a row. */
  public void add(float[] vector) {
    long row = row(count);
    Memory.writeFloats(vector, 0, row, dimension);
    squaredNorms[count++] = Kernels.squaredNorm(row, padded);
  }

  @Override
  public long row(int ordinal) {
    return space.address() + (long) ordinal * padded * Float.BYTES;
  }

  @Override
  public float squaredNorm(int ordinal) {
    return squaredNorms[ordinal];
  }

  /** Rows added. */
  public int count() {
    return count;
  }

  /** A row as a query, padded. */
  public float[] vector(int ordinal) {
    float[] vector = new float[padded];
    Memory.readFloats(row(ordinal), vector, 0, padded);
    return vector;
  }

  /** Pads a vector to a query. */
  public float[] query(float[] vector) {
    float[] query = new float[padded];
    System.arraycopy(vector, 0, query, 0, dimension);
    return query;
  }

  /** The distance a user sees. */
  public float distance(Similarity similarity, float[] query, int ordinal) {
    float squares = 0;
    for (float x : query) {
      squares += x * x;
    }
    return ExactDistance.distance(
        similarity, query, squares, row(ordinal), squaredNorms[ordinal], padded);
  }

  /** The k nearest of rows 0..bound−1 by measuring all. */
  public TopK nearest(Similarity similarity, float[] query, int k, int bound) {
    TopK nearest = new TopK();
    nearest.reset(k);
    for (int i = 0; i < bound; i++) {
      nearest.offer(distance(similarity, query, i), i);
    }
    return nearest;
  }

  /** An empty index over these rows; replaced code tables go to {@code retired}. */
  HnswIndex index(Similarity similarity, int m, Workers workers, List<AutoCloseable> retired) {
    return new HnswIndex(
        new HnswIndex.Parameters(similarity, dimension, m, EF_CONSTRUCTION, 7, false),
        this,
        workers,
        retired::add);
  }

  /** Links rows from..to−1 in batches as the engine cuts them; nobody searches meanwhile. */
  void link(HnswIndex index, List<AutoCloseable> retired, int from, int to) {
    int at = from;
    while (at < to) {
      int size = Math.min(to - at, batchSize(index));
      int[] batch = new int[size];
      for (int i = 0; i < size; i++) {
        batch[i] = at + i;
      }
      at += size;
      index.link(batch, size, at);
      closeAll(retired);
    }
  }

  static int batchSize(HnswIndex index) {
    return Math.max(SMALLEST_BATCH, index.linkedCount() / BATCHES_PER_GRAPH);
  }

  static void closeAll(List<AutoCloseable> retired) {
    for (AutoCloseable table : retired) {
      try {
        table.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
    retired.clear();
  }

  /** Links all rows on one thread or more, and sweeps, as a build ends. */
  HnswIndex build(Similarity similarity, Workers workers) {
    List<AutoCloseable> retired = new ArrayList<>();
    HnswIndex index = index(similarity, M, workers, retired);
    link(index, retired, 0, count);
    index.sweep();
    return index;
  }

  /** The numbers of some rows. */
  static NativeInts range(int from, int to) {
    NativeInts numbers = new NativeInts(to - from);
    for (int i = from; i < to; i++) {
      numbers.set(i - from, i);
    }
    return numbers;
  }

  /** Builds of all rows at once, and sweeps. */
  HnswIndex buildAtOnce(Similarity similarity, Workers workers) {
    HnswIndex index = index(similarity, M, workers, new ArrayList<>());
    try (BulkLinker build = index.build(range(0, count), count)) {
      boolean ready = false;
      while (!ready) {
        ready = build.step();
      }
      build.publish();
      build.linkCopies();
    }
    index.sweep();
    return index;
  }

  /** Searches the graph and measures what it found, as a user's search does. */
  TopK search(HnswIndex index, float[] query, int k, int ef, SearchScratch scratch) {
    Similarity similarity = index.parameters().similarity();
    int found = index.search(query, ef, scratch);
    TopK nearest = new TopK();
    nearest.reset(k);
    for (int i = 0; i < found; i++) {
      int ordinal = HnswIndex.found(scratch, i);
      nearest.offer(distance(similarity, query, ordinal), ordinal);
    }
    return nearest;
  }

  /**
   * Share of the k nearest that searches found; rows as near as the k-th are as good as it.
   *
   * @param queries padded
   */
  double recall(HnswIndex index, List<float[]> queries, int k, int ef) {
    Similarity similarity = index.parameters().similarity();
    SearchScratch scratch = new SearchScratch();
    int hits = 0;
    for (float[] query : queries) {
      TopK exact = nearest(similarity, query, k, count);
      float worst = exact.distance(exact.size() - 1);
      float allowed = worst + 1e-5f * Math.abs(worst);
      TopK found = search(index, query, k, ef, scratch);
      for (int i = 0; i < found.size(); i++) {
        hits += found.distance(i) <= allowed ? 1 : 0;
      }
    }
    return (double) hits / (k * queries.size());
  }

  /** Queries of normal components. */
  List<float[]> gaussianQueries(int queries, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<float[]> list = new ArrayList<>();
    for (int i = 0; i < queries; i++) {
      list.add(query(gaussian(dimension, random)));
    }
    return list;
  }

  /** What graphs of 1,000 fixed rows hash to, grown and built at once. */
  public static long hashOfASmallGraph(Similarity similarity) {
    try (Workers workers = new Workers(1, "link");
        NativeRows rows = ofManyNorms(100, 1000, 11);
        HnswIndex grown = rows.build(similarity, workers);
        HnswIndex atOnce = rows.buildAtOnce(similarity, workers)) {
      return grown.graphHash() << 32 ^ atOnce.graphHash();
    }
  }

  @Override
  public void close() {
    space.close();
  }
}
