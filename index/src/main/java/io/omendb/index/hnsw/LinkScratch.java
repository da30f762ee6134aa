package io.omendb.index.hnsw;

import java.util.Arrays;

/**
 * A worker's own arrays while it links, of whichever collection: there may be many collections, and
 * one batch is linked at a time.
 */
final class LinkScratch {
  final SearchScratch search = new SearchScratch();
  final NeighborSelector selector;
  final int[] selected;
  final int[] list;
  final int[] probed;
  final int[] targetList;
  private final int maxDegree;
  long[] candidates = new long[1024];

  /** For graphs of this degree on level 0, or less. */
  LinkScratch(int maxDegree) {
    this.maxDegree = maxDegree;
    selector = new NeighborSelector(maxDegree);
    selected = new int[maxDegree];
    list = new int[maxDegree];
    probed = new int[maxDegree];
    targetList = new int[maxDegree];
  }

  /** Whether it does for a graph of this degree. */
  boolean fits(int degree) {
    return degree <= maxDegree;
  }

  /** {@link #candidates} with room for so many; what is in them stays. */
  long[] candidates(int size) {
    if (candidates.length < size) {
      candidates = Arrays.copyOf(candidates, size + (size >>> 1));
    }
    return candidates;
  }
}
