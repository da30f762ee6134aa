package io.omendb.index.hnsw;

/**
 * Where the full vectors of nodes lie.
 *
 * <p>Implementations are called from several threads and must not allocate.
 */
public interface VectorRows {
  /** Address of a node's float32 row, padded with zeros to the kernels' block. */
  long row(int ordinal);

  /** Squared norm of the row. */
  float squaredNorm(int ordinal);
}
