package io.omendb.index.hnsw;

import io.omendb.index.distance.FastScan;
import io.omendb.index.distance.Kernels;
import io.omendb.memory.Memory;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * A search by {@link NeighborBlocks}: the descent is that of {@link HnswSearcher}; on level 0
 * candidates have estimates, and a node's distance is that of its code once it is expanded.
 *
 * <p>A node counts as visited when it is expanded, not when it is met: each node that leads to it
 * estimates it anew, and the least estimate decides. Marked where met, 90 nodes had to be expanded
 * for recall 0.966 where 70 give 0.980 (60,000 photo-SIFT). So it may be a candidate more than
 * once.
 *
 * <p>Static methods over the caller's scratch: no allocation, no lock.
 */
final class BlockSearcher {
  /**
   * Where the descent ends: by blocks a node's neighbours are scored sooner than by their codes (3
   * us of 36 for recall 0.94, 60,000 photo-SIFT; from level 2 on no more than that).
   */
  private static final int ENTRY_LEVEL = 1;

  private BlockSearcher() {}

  /**
   * Fills the scratch's pool with the nodes that were expanded, ascending by the distances of their
   * codes; about {@code ef}.
   *
   * @param entry of the graph, read before {@code bound}
   * @param bound of the graph, read before {@code blocks}
   * @return false if the search comes to a node whose blocks are still to be written
   */
  static boolean search(
      HnswGraph graph,
      long entry,
      int bound,
      NeighborBlocks blocks,
      int ef,
      SearchScratch scratch) {
    scratch.begin(bound, ef);
    if (entry < 0) {
      return true;
    }
    long seed = HnswSearcher.descendTo(ENTRY_LEVEL, graph, entry, blocks.codes(), scratch);
    if (!blocks.isWritten(HnswSearcher.ordinalOf(seed))) {
      return false;
    }
    scratch.blockQuery.set(
        scratch.query, blocks.codes().quantizer().dimension(), blocks.codes().dims());
    CandidateBuckets candidates = scratch.candidates;
    candidates.begin(HnswSearcher.distanceOf(seed), ef);
    candidates.push(HnswSearcher.distanceOf(seed), HnswSearcher.ordinalOf(seed), 1);
    int expanded = expandAll(blocks, candidates, scratch);
    Arrays.sort(scratch.pool, 0, expanded);
    scratch.poolSize = expanded;
    scratch.filled = candidates.filled();
    scratch.nodesVisited += expanded;
    scratch.distanceComputations += expanded;
    return true;
  }

  /** Expands candidates until none is left, or none within reach; returns how many. */
  private static int expandAll(
      NeighborBlocks blocks, CandidateBuckets candidates, SearchScratch scratch) {
    int rank = scratch.stopRank;
    int[] nearest = scratch.nearest(rank);
    float reach = Float.POSITIVE_INFINITY;
    float[] estimates = scratch.estimates;
    int bound = scratch.bound;
    int dims = blocks.codes().dims();
    int stride = blocks.stride();
    int expanded = 0;
    int touched = 0;
    while (candidates.pop()) {
      int node = candidates.poppedOrdinal();
      if (candidates.poppedEstimate() > reach) {
        break; // what else its bucket has is as far, as far as estimates can tell
      }
      if (!scratch.visit(node)) {
        candidates.forget();
        continue;
      }
      long stretch = blocks.stretch(node);
      touched += Memory.touch(stretch, stride);
      int distance = Kernels.squaredL2(scratch.query, stretch, dims);
      scratch.addToPool(expanded++, HnswSearcher.pooled(HnswSearcher.key(distance, node)));
      if (rank > 0 && distance < nearest[rank - 1]) {
        insert(nearest, rank, distance);
        reach = nearest[rank - 1] * scratch.stopFactor;
      }
      candidates.ensure(blocks.blocks() * FastScan.COLUMNS);
      for (int block = 0; block < blocks.blocks(); block++) {
        long ids = blocks.ids(stretch, block);
        int near =
            FastScan.scan(
                NeighborBlocks.block(ids),
                scratch.blockQuery,
                distance,
                Math.min(reach, candidates.bound()),
                estimates);
        VarHandle.acquireFence();
        while (near != 0) {
          int column = Integer.numberOfTrailingZeros(near);
          near &= near - 1;
          int id = Memory.getInt(ids + 4L * column);
          if (Integer.compareUnsigned(id, bound) < 0) {
            candidates.push(estimates[column], id, scratch.unvisited(id));
          }
        }
        candidates.trim();
      }
    }
    scratch.keep(touched);
    return expanded;
  }

  /** Puts a distance among the ascending {@code rank} smallest; the largest leaves. */
  private static void insert(int[] nearest, int rank, int distance) {
    int at = rank - 1;
    while (at > 0 && nearest[at - 1] > distance) {
      nearest[at] = nearest[at - 1];
      at--;
    }
    nearest[at] = distance;
  }
}
