package io.omendb.engine;

import io.omendb.index.ExactDistance;
import io.omendb.index.TopK;
import io.omendb.index.hnsw.HnswIndex;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.memory.Memory;
import io.omendb.storage.CollectionStore;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Chooses what a search does that names no ef: the smallest of a ladder that reaches the target
 * recall@10 on rows that are not linked yet, or a comparison with all rows. Linked rows would
 * flatter the graph, being linked to their own neighbours: 800 random rows of 1,536 dimensions were
 * found to 0.998 at ef 14, and others like them to 0.62. Where there is nothing else, each is
 * crossed with a neighbour, half of the components of one and half of the other.
 *
 * <p>Up to a share of all distances the beam is widened whatever it takes. Beyond that time
 * decides: the beam is widened as long as it takes less than comparing all rows, which finds
 * everything. So the target is missed only where either takes more than {@link #MOST_NANOS}.
 */
final class Calibrator {
  /** The ef before the first calibration. */
  static final int UNCALIBRATED_EF = 128;

  private static final int K = 10;
  private static final int[] LADDER = {
    10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 896, 1280, 1792, 2560, 3584, 4096
  };

  /** Largest share of all rows that a default search may measure… */
  private static final double MAX_SHARE = 0.08;

  /** …but so many it always may; what more takes is measured. */
  private static final int MIN_DISTANCES = 1400;

  /** Longest time of a default search beyond that share. */
  private static final long MOST_NANOS = 10_000_000;

  /** Scans that are timed. */
  private static final int TIMED_SCANS = 5;

  /**
   * What a calibration found.
   *
   * @param ef the default; {@link #SCAN}: all rows are compared
   * @param recall recall@10 measured with it
   */
  record Calibration(int ef, double recall) {
    static final int SCAN = 0;

    boolean scans() {
      return ef == SCAN;
    }
  }

  /** Share of the misses allowed that is kept in reserve: the samples are few. */
  private static final double MARGIN = 0.4;

  /** Rows that stay in the cache while all samples are compared with them. */
  private static final int BLOCK = 256;

  private final CollectionStore store;
  private final HnswIndex index;
  private final RowSearch search;

  Calibrator(CollectionStore store, HnswIndex index, RowSearch search) {
    this.store = store;
    this.index = index;
    this.search = search;
  }

  /**
   * Measures.
   *
   * @param samples slots used as queries; themselves no answers
   * @param inGraph whether they are linked
   * @param linked rows in the graph
   * @return null where there is nothing that the samples could find
   */
  @Nullable Calibration calibrate(
      int[] samples, int count, boolean inGraph, double targetRecall, long linked) {
    float[][] queries = new float[count][];
    for (int i = 0; i < count; i++) {
      queries[i] = inGraph ? crossed(samples[i]) : vector(samples[i]);
    }
    TopK[] exact = exactNearest(samples, queries);
    SearchScratch scratch = new SearchScratch();
    SearchRequest request = new SearchRequest();
    SearchResult result = new SearchResult();
    request.k = K + 1; // the sample itself may be among the answers
    Calibration chosen = new Calibration(UNCALIBRATED_EF, Double.NaN);
    double goal = targetRecall + MARGIN * (1 - targetRecall);
    long[] nanos = new long[count];
    long scanNanos = -1;
    for (int ef : LADDER) {
      long found = 0;
      long there = 0;
      long distances = 0;
      for (int i = 0; i < count; i++) {
        request.query = queries[i];
        search.searchGraph(request, ef, scratch, result);
        distances += result.distanceComputations;
        nanos[i] = result.graphNanos + result.rerankNanos;
        found += Math.min(exact[i].size(), hits(result, samples[i], exact[i]));
        there += exact[i].size();
      }
      if (there == 0) {
        return null;
      }
      if (ef > LADDER[0] && distances > count * Math.max(MIN_DISTANCES, MAX_SHARE * linked)) {
        goal = targetRecall;
        scanNanos = scanNanos < 0 ? scanNanos(queries, scratch) : scanNanos;
        if (median(nanos) >= Math.min(scanNanos, MOST_NANOS)) {
          break;
        }
      }
      chosen = new Calibration(ef, (double) found / there);
      if (chosen.recall >= goal) {
        return chosen;
      }
    }
    scanNanos = scanNanos < 0 ? scanNanos(queries, scratch) : scanNanos;
    return scanNanos <= MOST_NANOS ? new Calibration(Calibration.SCAN, 1) : chosen;
  }

  /** What comparing all rows with a query takes. */
  private long scanNanos(float[][] queries, SearchScratch scratch) {
    SearchRequest request = new SearchRequest();
    SearchResult result = new SearchResult();
    request.k = K;
    long[] nanos = new long[Math.min(TIMED_SCANS, queries.length)];
    for (int i = 0; i < nanos.length; i++) {
      request.query = queries[i];
      search.scan(request, scratch, result);
      nanos[i] = result.scanNanos;
      if (nanos[i] > 2 * MOST_NANOS) {
        return nanos[i]; // once is enough, and may have been a second
      }
    }
    return median(nanos);
  }

  private static long median(long[] nanos) {
    long[] sorted = nanos.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  private float[] vector(int slot) {
    float[] vector = new float[store.rows().rowStride() / Float.BYTES];
    Memory.readFloats(row(slot), vector, 0, dimension());
    return vector;
  }

  /** A row with half of its components from one of its neighbours: near both, and no row. */
  private float[] crossed(int slot) {
    SplittableRandom random = new SplittableRandom(slot);
    float[] vector = vector(slot);
    int[] neighbors = new int[index.graph().maxDegree(0)];
    int degree = index.graph().neighbors(0, slot, neighbors);
    if (degree == 0) {
      return vector;
    }
    float[] other = vector(neighbors[random.nextInt(degree)]);
    float[] crossed = vector.clone();
    for (int j = 0; j < dimension(); j++) {
      crossed[j] = random.nextBoolean() ? other[j] : vector[j];
    }
    float squaredNorm = QueryNorm.squared(crossed, 0, dimension());
    return QueryNorm.isValid(squaredNorm, index.parameters().similarity()) ? crossed : vector;
  }

  private int dimension() {
    return store.schema().dimension();
  }

  private long row(int slot) {
    return store.rows().vectorsAddress() + (long) slot * store.rows().rowStride();
  }

  /** Each sample's nearest linked live rows; all samples on one block of rows at a time. */
  private TopK[] exactNearest(int[] samples, float[][] queries) {
    int padded = store.rows().rowStride() / Float.BYTES;
    TopK[] nearest = new TopK[queries.length];
    float[] squaredNorms = new float[queries.length];
    for (int i = 0; i < queries.length; i++) {
      nearest[i] = new TopK();
      nearest[i].reset(K);
      squaredNorms[i] = QueryNorm.squared(queries[i], 0, dimension());
    }
    int bound = index.graph().bound();
    for (int from = 0; from < bound; from += BLOCK) {
      int to = Math.min(bound, from + BLOCK);
      for (int i = 0; i < queries.length; i++) {
        for (int slot = from; slot < to; slot++) {
          if (slot != samples[i] && index.graph().isLinked(slot) && !store.rows().isDeleted(slot)) {
            float distance =
                ExactDistance.distance(
                    index.parameters().similarity(),
                    queries[i],
                    squaredNorms[i],
                    row(slot),
                    store.rows().squaredNorm(slot),
                    padded);
            if (distance <= nearest[i].bound()) {
              nearest[i].offer(distance, slot);
            }
          }
        }
      }
    }
    return nearest;
  }

  /**
   * Answers that are among the exact ones, or as near. Not by distance alone: its last bit depends
   * on how the query's norm was summed and how the kernel was compiled, and would cost hits.
   */
  private static int hits(SearchResult result, int sample, TopK exact) {
    TopK nearest = result.nearest;
    int hits = 0;
    for (int i = 0; i < nearest.size() && hits < K; i++) {
      int slot = nearest.ordinal(i);
      if (slot != sample && (nearest.distance(i) <= kth(exact) || contains(exact, slot))) {
        hits++;
      }
    }
    return hits;
  }

  private static float kth(TopK exact) {
    return exact.size() == 0 ? 0 : exact.distance(exact.size() - 1);
  }

  private static boolean contains(TopK exact, int slot) {
    for (int i = 0; i < exact.size(); i++) {
      if (exact.ordinal(i) == slot) {
        return true;
      }
    }
    return false;
  }
}
