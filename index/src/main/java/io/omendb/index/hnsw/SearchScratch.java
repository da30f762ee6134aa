package io.omendb.index.hnsw;

import io.omendb.index.Similarity;
import io.omendb.index.distance.FastScan;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What one searching thread needs, reused from search to search: nothing is allocated in a search
 * once the arrays have grown to the graph's size.
 *
 * <p>Visited nodes are a bit set (125 KB at one million nodes stays in the L2 cache; the common
 * array of 2-byte stamps does not) with the list of set words' ordinals to clear it by.
 *
 * <p>Threads: one owner at a time.
 */
public final class SearchScratch {
  /** Room for the longest adjacency list. */
  private static final int MAX_LIST = 256;

  /** Visited nodes that are cleared one by one; of more, the whole set is. */
  private static final int MOST_LISTED = 1 << 16;

  /** Keys {@code distance << 32 | ordinal << 1 | expanded}, ascending. */
  long[] pool = new long[512];

  int poolSize;

  /** Whether the last search's beam was full: a wider one may find more. */
  boolean filled;

  /** The graph's bound when the search began; nodes from here on are passed over. */
  int bound;

  /** Codes of the query. */
  byte[] query = new byte[256];

  /** Padded float query for re-ranking and flat scans. */
  float[] floatQuery = new float[256];

  /** What the next searches score nodes on. */
  Scoring scoring = Scoring.CODES;

  /** The query for neighbour blocks. */
  final FastScan.Query blockQuery = new FastScan.Query();

  /** Candidates of a search by blocks. */
  final CandidateBuckets candidates = new CandidateBuckets();

  private int[] nearest = new int[128];

  /** A query while it is rotated. */
  private float[] work = new float[256];

  /** Where the full vectors are that nodes are scored on; null: they are scored on codes. */
  @Nullable VectorRows vectors;

  Similarity similarity = Similarity.L2;

  /** The query for full vectors, padded to {@link #vectorDims}; null: search by codes or blocks. */
  float @Nullable [] vectorQuery;

  float vectorQuerySquaredNorm;
  int vectorDims;

  /** Where the pool has so many, a search ends by distance; 0: it does not. */
  int stopRank;

  /** …once the nearest candidate is farther than this times the one of that rank. */
  float stopFactor;

  private int[] rows = new int[256];
  private int[] rowDistances = new int[256];

  /** Whether distances are biased: an inner product, not a distance. */
  boolean biased;

  /** The caller's own between searches: page faults of its thread. */
  public long majorFaults;

  int[] gathered = new int[MAX_LIST];

  /** Of a hop, those entries that may join the pool. */
  final long[] entries = new long[MAX_LIST];

  int[] distances = new int[MAX_LIST];

  /** Of the columns of a block. */
  float[] estimates = new float[FastScan.COLUMNS];

  /** Expanded nodes as {@code distance << 32 | ordinal}: the candidates of a link search. */
  long[] expanded = new long[1024];

  int expandedCount;

  /** Distances computed since {@link #resetCounters}. */
  long distanceComputations;

  /** Nodes expanded since {@link #resetCounters}. */
  long nodesVisited;

  /** Keeps the touch pass alive. */
  int touched;

  private long[] visited = new long[0];
  private int[] visitedList = new int[4096];
  private int visitedCount;

  /** Distances computed by the last search. */
  public long distanceComputations() {
    return distanceComputations;
  }

  /** Nodes expanded by the last search. */
  public long nodesVisited() {
    return nodesVisited;
  }

  /** The padded float query of the current search; at least {@code length} long. */
  public float[] floatQuery(int length) {
    if (floatQuery.length < length) {
      floatQuery = new float[length];
    }
    return floatQuery;
  }

  /** Room for {@code length} row numbers, for the caller's own use between searches. */
  public int[] rows(int length) {
    if (rows.length < length) {
      rows = new int[length + (length >>> 1)];
    }
    return rows;
  }

  /** Room for the distances of as many, likewise. */
  public int[] rowDistances(int length) {
    if (rowDistances.length < length) {
      rowDistances = new int[length + (length >>> 1)];
    }
    return rowDistances;
  }

  /** What searches score nodes on. */
  public Scoring scoring() {
    return scoring;
  }

  /** Whether the last search's beam was full: a wider one may find more. */
  public boolean filled() {
    return filled;
  }

  /** Searches end only when the beam is expanded from now on, as they do at first. */
  public void neverStop() {
    stopRank = 0;
  }

  /**
   * Searches also end by distance from now on: when no candidate is nearer than {@code 1 + reach}
   * times the {@code rank}-th nearest node found, in what nodes are scored on (squared, for L2).
   * Distance Adaptive Beam Search, <a href="https://arxiv.org/abs/2505.15636">2505.15636</a>. For
   * distances only: products have no such ratio.
   */
  public void stopBeyond(int rank, float reach) {
    stopRank = rank;
    stopFactor = 1 + reach;
  }

  /** The rank of {@link #stopBeyond}; 0: searches do not end by distance. */
  public int stopRank() {
    return stopRank;
  }

  /** Searches score nodes on their codes from now on, as they do at first. */
  public void scoreOnCodes() {
    scoring = Scoring.CODES;
    vectorQuery = null;
  }

  /** Searches score nodes by their neighbours' blocks from now on, where the index has them. */
  public void scoreOnBlocks() {
    scoring = Scoring.BLOCKS;
    vectorQuery = null;
  }

  /**
   * Searches score nodes on their full vectors from now on: several times the memory traffic, for
   * data whose rows lie closer together than codes can tell apart.
   *
   * @param query padded with zeros to {@code padded}
   */
  public void scoreOnVectors(float[] query, float squaredNorm, int padded) {
    scoring = Scoring.VECTORS;
    vectorQuery = query;
    vectorQuerySquaredNorm = squaredNorm;
    vectorDims = padded;
  }

  /** Keeps a touch pass alive: the value has no meaning. */
  public void keep(int touches) {
    touched += touches;
  }

  byte[] query(int length) {
    if (query.length < length) {
      query = new byte[length];
    }
    return query;
  }

  /** Room for so many components. */
  float[] work(int length) {
    if (work.length < length) {
      work = new float[length];
    }
    return work;
  }

  /** Room for the smallest distances so far, all as large as can be. */
  int[] nearest(int rank) {
    if (nearest.length < rank) {
      nearest = new int[rank + (rank >>> 1)];
    }
    Arrays.fill(nearest, 0, rank, Integer.MAX_VALUE);
    return nearest;
  }

  /** Puts an entry into the pool, which grows as it must. */
  void addToPool(int at, long entry) {
    if (at == pool.length) {
      pool = Arrays.copyOf(pool, 2 * at);
    }
    pool[at] = entry;
  }

  void resetCounters() {
    distanceComputations = 0;
    nodesVisited = 0;
  }

  /**
   * Clears the pool and the visited set; makes room for the nodes below {@code graphBound} and for
   * {@code ef}.
   */
  void begin(int graphBound, int ef) {
    bound = graphBound;
    poolSize = 0;
    filled = false;
    expandedCount = 0;
    clearVisited();
    int words = (bound + 63) >>> 6;
    if (visited.length < words) {
      visited = new long[words + (words >>> 3)];
    }
    if (pool.length <= ef) {
      pool = new long[ef + 1 + (ef >>> 1)];
    }
  }

  /** Clears the pool and the visited set, keeping what was expanded. */
  void restart() {
    poolSize = 0;
    clearVisited();
  }

  void clearVisited() {
    if (visitedCount > visitedList.length) {
      Arrays.fill(visited, 0);
    } else {
      for (int i = 0; i < visitedCount; i++) {
        visited[visitedList[i] >>> 6] = 0;
      }
    }
    visitedCount = 0;
  }

  /** 1 for a node that is unmarked, 0 for one that is marked. */
  int unvisited(int ordinal) {
    return (int) (~visited[ordinal >>> 6] >>> ordinal) & 1;
  }

  /** Marks a node and says whether it was unmarked. */
  boolean visit(int ordinal) {
    if (mark(ordinal) == 0) {
      return false;
    }
    remember(ordinal);
    return true;
  }

  /**
   * Marks a node, which is to be {@link #remember}ed if it was unmarked. Without a branch: half of
   * the nodes that a search meets it has met before, in no order that could be predicted.
   *
   * @return 1 if it was unmarked, 0 if not
   */
  int mark(int ordinal) {
    int word = ordinal >>> 6;
    long before = visited[word];
    visited[word] = before | 1L << ordinal;
    return (int) (~before >>> ordinal) & 1;
  }

  private void remember(int ordinal) {
    ensureVisited(1);
    if (visitedCount < visitedList.length) {
      visitedList[visitedCount] = ordinal;
    }
    visitedCount++;
  }

  /** Remembers the first {@code count} of {@link #gathered}, all just marked. */
  void rememberGathered(int count) {
    ensureVisited(count);
    if (visitedCount + count <= visitedList.length) {
      System.arraycopy(gathered, 0, visitedList, visitedCount, count);
    }
    visitedCount += count;
  }

  /** Room for more, as many as a list has at most, up to what is worth clearing one by one. */
  private void ensureVisited(int more) {
    if (visitedCount + more > visitedList.length && visitedList.length < MOST_LISTED) {
      visitedList = Arrays.copyOf(visitedList, visitedList.length * 2);
    }
  }

  void addExpanded(long key) {
    if (expandedCount == expanded.length) {
      expanded = Arrays.copyOf(expanded, expanded.length * 2);
    }
    expanded[expandedCount++] = key;
  }
}
