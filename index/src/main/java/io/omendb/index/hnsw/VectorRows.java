package io.omendb.index.hnsw;

/**
 * Where the full vectors of nodes lie.
 *
 * <p>Implementations are called from several threads and must not allocate.
 */
public interface VectorRows {
  /** Address of a node's float32 row, padded with zeros to the kernels' block. */
  long row(int ordinal);

  /**
   * Rows {@code [from, to)} are about to be read, one after the other: some hundred at a time. What
   * is not in memory is asked for at once, not page by page.
   */
  default void willRead(int from, int to) {}

  /** Squared norm of the row. */
  float squaredNorm(int ordinal);
}
