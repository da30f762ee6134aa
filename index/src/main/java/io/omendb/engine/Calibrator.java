package io.omendb.engine;

import io.omendb.index.ExactDistance;
import io.omendb.index.TopK;
import io.omendb.index.hnsw.HnswIndex;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.memory.Memory;
import io.omendb.storage.CollectionStore;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the default ef: the smallest of a ladder that reaches the target recall@10 on rows that
 * are not linked yet. Linked rows would flatter the graph, being linked to their own neighbours.
 *
 * <p>A beam is not widened past the point where the graph computes a fixed share of all distances:
 * there a scan would do as well.
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

  /** …but so many it always may. */
  private static final int MIN_DISTANCES = 1400;

  /**
   * What a calibration found.
   *
   * @param ef the default
   * @param recall recall@10 measured with it
   */
  record Calibration(int ef, double recall) {}

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
   * @param linked rows in the graph
   * @return null where there is nothing that the samples could find
   */
  @Nullable Calibration calibrate(int[] samples, int count, double targetRecall, long linked) {
    float[][] queries = new float[count][];
    for (int i = 0; i < count; i++) {
      queries[i] = new float[store.rows().rowStride() / Float.BYTES];
      Memory.readFloats(row(samples[i]), queries[i], 0, store.schema().dimension());
    }
    TopK[] exact = exactNearest(samples, queries);
    SearchScratch scratch = new SearchScratch();
    SearchRequest request = new SearchRequest();
    SearchResult result = new SearchResult();
    request.k = K + 1; // the sample itself may be among the answers
    Calibration chosen = new Calibration(UNCALIBRATED_EF, Double.NaN);
    for (int ef : LADDER) {
      long found = 0;
      long there = 0;
      long distances = 0;
      for (int i = 0; i < count; i++) {
        request.query = queries[i];
        search.searchGraph(request, ef, scratch, result);
        distances += result.distanceComputations;
        found += Math.min(exact[i].size(), hits(result, samples[i], exact[i]));
        there += exact[i].size();
      }
      if (ef > LADDER[0] && distances > count * Math.max(MIN_DISTANCES, MAX_SHARE * linked)) {
        return chosen;
      }
      if (there == 0) {
        return null;
      }
      chosen = new Calibration(ef, (double) found / there);
      if (chosen.recall >= targetRecall + MARGIN * (1 - targetRecall)) {
        return chosen;
      }
    }
    return chosen;
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
      squaredNorms[i] = store.rows().squaredNorm(samples[i]);
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
