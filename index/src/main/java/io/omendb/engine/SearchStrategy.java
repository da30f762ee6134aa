package io.omendb.engine;

/** How a search was answered. */
public enum SearchStrategy {
  /** The graph, and beside it the rows that wait to be linked. */
  GRAPH,
  /**
   * All rows were compared: none is linked yet, or hardly one is left of those that are, or the
   * graph would take longer for the target recall.
   */
  FLAT,
  /** Asked to compare all rows. */
  EXACT,
  /** The graph found too little, and all rows were compared. Counted: it hides a defect. */
  FALLBACK
}
