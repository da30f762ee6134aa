package io.omendb.engine;

import io.omendb.index.TopK;

/**
 * What a search found, nearest first, and how; a reusable holder. Equal distances are in order of
 * id. Slots stay readable while the collection's lease is held.
 */
public final class SearchResult {
  final TopK nearest = new TopK();

  /** How it was answered. */
  public SearchStrategy strategy = SearchStrategy.GRAPH;

  /** Beam used; 0 where the graph was not. */
  public int ef;

  /** Nodes expanded. */
  public long nodesVisited;

  /** Distances computed: on codes in the graph, on full vectors in scans and re-ranking. */
  public long distanceComputations;

  /** Rows compared because they are not linked. */
  public long unlinkedRows;

  /** Rows of the graph's beam measured again on full vectors. */
  public long reranked;

  /** Time in the graph, ns. */
  public long graphNanos;

  /** Time in flat scans, ns. */
  public long scanNanos;

  /** Time re-ranking, ns. */
  public long rerankNanos;

  /** Whether the scan was given up, and the rows found are not the nearest. */
  public boolean abandoned;

  int[] slots = new int[16];
  float[] distances = new float[16];
  int count;

  /** Rows found. */
  public int count() {
    return count;
  }

  /** Slot of the i-th nearest row. */
  public int slot(int i) {
    return slots[i];
  }

  /** Distance of the i-th nearest row. */
  public float distance(int i) {
    return distances[i];
  }

  void reset(int k) {
    nearest.reset(k);
    if (slots.length < k) {
      slots = new int[k];
      distances = new float[k];
    }
    count = 0;
    strategy = SearchStrategy.GRAPH;
    ef = 0;
    nodesVisited = 0;
    distanceComputations = 0;
    unlinkedRows = 0;
    reranked = 0;
    graphNanos = 0;
    scanNanos = 0;
    rerankNanos = 0;
    abandoned = false;
  }
}
