package io.omendb.storage.api;

/** Checks vectors where they will stay, after the one copy and before anything is applied. */
@FunctionalInterface
public interface RowCheck {
  /**
   * Checks {@code n} vectors and computes their squared norms.
   *
   * @param address of the first vector
   * @param stride bytes between vectors
   * @param squaredNorms filled from 0 to {@code n - 1}; owned by the caller
   * @throws InvalidRowsException if a row cannot be stored; item indexes count the vectors given
   *     here, and storage turns them into indexes of the {@link RowSource}
   */
  void check(long address, int stride, int n, float[] squaredNorms) throws InvalidRowsException;
}
