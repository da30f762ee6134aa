package io.omendb.index.hnsw;

import io.omendb.index.ExactDistance;
import io.omendb.index.distance.Kernels;
import io.omendb.index.quantization.CodeTable;
import io.omendb.memory.Memory;

/**
 * K-NN-SEARCH (Alg. 5) over SEARCH-LAYER (Alg. 2): greedy descent through the upper levels, then a
 * beam of {@code ef} on level 0.
 *
 * <p>One sorted array serves as both heaps of the paper: a candidate carries a bit that says
 * whether it was expanded. Each hop has two phases, first gather the unvisited neighbours, then
 * score them in one loop, so that their loads overlap. Distances are those of codes, or of full
 * vectors where the scratch has them.
 *
 * <p>Static methods over the caller's scratch: no allocation, no lock.
 */
final class HnswSearcher {
  private static final long EXPANDED = 1L;

  private HnswSearcher() {}

  /**
   * Fills the scratch's pool with the {@code ef} nearest nodes that the graph finds, ascending. The
   * query code must be in {@code scratch.query}.
   *
   * @param entry of the graph, read before {@code bound}
   * @param bound of the graph, read before {@code codes}: these have a row for every ordinal below
   *     it, while that of a later node may lie in the table of a later fit only
   */
  static void search(
      HnswGraph graph, long entry, int bound, CodeTable codes, int ef, SearchScratch scratch) {
    scratch.begin(bound, ef);
    if (entry < 0) {
      return;
    }
    seed(scratch, descendTo(0, graph, entry, codes, scratch));
    searchLayer(graph, codes, 0, ef, scratch);
  }

  static long key(int distance, int ordinal) {
    return (long) distance << 32 | ordinal;
  }

  static int ordinalOf(long key) {
    return (int) key;
  }

  static int distanceOf(long key) {
    return (int) (key >>> 32);
  }

  /** The ordinal of a pool entry. */
  static int pooledOrdinal(long pooled) {
    return (int) pooled >>> 1;
  }

  static int distance(CodeTable codes, int ordinal, SearchScratch scratch) {
    scratch.gathered[0] = ordinal;
    score(codes, 1, scratch);
    return scratch.distances[0];
  }

  /** Puts a first candidate into the pool. */
  static void seed(SearchScratch scratch, long key) {
    if (scratch.visit(ordinalOf(key))) {
      scratch.pool[scratch.poolSize++] = pooled(key);
    }
  }

  /** The pool entry of a key. */
  static long pooled(long key) {
    return (key & 0xFFFF_FFFF_0000_0000L) | (key & 0x7FFF_FFFFL) << 1;
  }

  /** Greedy descent from the entry through the levels above {@code level}. */
  static long descendTo(
      int level, HnswGraph graph, long entry, CodeTable codes, SearchScratch scratch) {
    long nearest = key(distance(codes, (int) entry, scratch), (int) entry);
    for (int above = (int) (entry >>> 32); above > level; above--) {
      nearest = descend(graph, codes, above, nearest, scratch);
    }
    scratch.clearVisited();
    return nearest;
  }

  /**
   * Moves to the nearest neighbour on a level until none is nearer. Nodes marked visited were not
   * nearer, and are not met again.
   */
  static long descend(
      HnswGraph graph, CodeTable codes, int level, long from, SearchScratch scratch) {
    int[] gathered = scratch.gathered;
    int[] distances = scratch.distances;
    long nearest = from;
    while (true) {
      int n = graph.unvisitedNeighbors(level, ordinalOf(nearest), scratch);
      score(codes, n, scratch);
      long before = nearest;
      for (int i = 0; i < n; i++) {
        long key = key(distances[i], gathered[i]);
        if (distances[i] < distanceOf(nearest)) {
          nearest = key;
        }
      }
      if (nearest == before) {
        return nearest;
      }
    }
  }

  /**
   * SEARCH-LAYER: expands candidates until the {@code ef} nearest are all expanded, or the nearest
   * is beyond the scratch's reach. Starts from what is in the pool; nodes marked visited are not
   * met again, nor those past the scratch's bound. Records the expanded nodes.
   */
  static void searchLayer(
      HnswGraph graph, CodeTable codes, int level, int ef, SearchScratch scratch) {
    long[] pool = scratch.pool;
    int[] gathered = scratch.gathered;
    int[] distances = scratch.distances;
    long[] entries = scratch.entries;
    int rank = scratch.stopRank;
    int reach = Integer.MAX_VALUE;
    int size = scratch.poolSize;
    int at = 0;
    while (at < size) {
      long candidate = pool[at];
      if ((candidate & EXPANDED) != 0) {
        at++;
        continue;
      }
      if (rank > 0 && size >= rank) {
        reach = reach(distanceOf(pool[rank - 1]), scratch);
        if (distanceOf(candidate) > reach) {
          break;
        }
      }
      pool[at] = candidate | EXPANDED;
      int node = pooledOrdinal(candidate);
      scratch.addExpanded(key((int) (candidate >>> 32), node));
      int n = graph.unvisitedNeighbors(level, node, scratch);
      score(codes, n, scratch);
      // What is too far for the pool as it stands is left out without a branch: most is, in no
      // order that could be predicted.
      long bound = size == ef ? pool[size - 1] : Long.MAX_VALUE;
      int kept = 0;
      for (int i = 0; i < n; i++) {
        long entry = (long) distances[i] << 32 | (long) gathered[i] << 1;
        entries[kept] = entry;
        kept += entry < bound && distances[i] <= reach ? 1 : 0;
      }
      int first = at + 1;
      for (int i = 0; i < kept; i++) {
        long entry = entries[i];
        if (size == ef) {
          if (entry >= pool[size - 1]) {
            continue;
          }
          size--;
        }
        int position = insertionPoint(pool, size, entry);
        System.arraycopy(pool, position, pool, position + 1, size - position);
        pool[position] = entry;
        size++;
        first = Math.min(first, position);
      }
      at = first;
    }
    scratch.poolSize = size;
    scratch.filled = size == ef;
  }

  /** Second phase of a hop, and of a step of the descent: distances of what was gathered. */
  private static void score(CodeTable codes, int n, SearchScratch scratch) {
    scratch.nodesVisited++;
    scratch.distanceComputations += n;
    VectorRows vectors = scratch.vectors;
    float[] query = scratch.vectorQuery;
    if (vectors != null && query != null) {
      scoreVectors(vectors, query, n, scratch);
      return;
    }
    scratch.touched +=
        Kernels.squaredL2(
            scratch.query,
            codes.address(),
            codes.stride(),
            codes.dims(),
            scratch.gathered,
            n,
            scratch.distances);
    if (scratch.biased) {
      codes.applyBiases(scratch.gathered, n, scratch.distances);
    }
  }

  /** As by codes: the rows' lines are touched first, so that their loads overlap. */
  private static void scoreVectors(
      VectorRows vectors, float[] query, int n, SearchScratch scratch) {
    int[] gathered = scratch.gathered;
    int[] distances = scratch.distances;
    int dims = scratch.vectorDims;
    int touched = 0;
    for (int i = 0; i < n; i++) {
      touched += Memory.touch(vectors.row(gathered[i]), dims * Float.BYTES);
    }
    scratch.touched += touched;
    for (int i = 0; i < n; i++) {
      int node = gathered[i];
      float distance =
          ExactDistance.distance(
              scratch.similarity,
              query,
              scratch.vectorQuerySquaredNorm,
              vectors.row(node),
              vectors.squaredNorm(node),
              dims);
      distances[i] = ordered(distance);
    }
  }

  /** The farthest distance that is worth expanding, where the one of the rank is this. */
  private static int reach(int distance, SearchScratch scratch) {
    return scratch.vectorQuery == null
        ? (int) (distance * scratch.stopFactor)
        : ordered(Float.intBitsToFloat(distance) * scratch.stopFactor);
  }

  /** The bits of a float as an int, in the order of the floats. */
  static int ordered(float value) {
    int bits = Float.floatToRawIntBits(value);
    return bits ^ ((bits >> 31) & Integer.MAX_VALUE);
  }

  /** How many entries of the pool are smaller; without a branch that is mispredicted. */
  private static int insertionPoint(long[] pool, int size, long entry) {
    int from = 0;
    for (int length = size; length > 0; ) {
      int half = (length + 1) >>> 1;
      from += pool[from + half - 1] < entry ? half : 0;
      length -= half;
    }
    return from;
  }
}
