package io.omendb.engine;

/** What a collection's memory is spent on. */
public enum Profile {
  /** Codes and graph: some 800 bytes a vector of 128 dimensions, with the vector itself. */
  MEMORY,

  /**
   * Each node's neighbours have one-bit codes beside it as well, which searches go by: more memory,
   * less time. For INNER_PRODUCT as {@link #MEMORY}: these codes estimate distances.
   */
  SPEED
}
