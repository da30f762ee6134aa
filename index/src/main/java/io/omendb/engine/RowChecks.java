package io.omendb.engine;

import io.omendb.index.Similarity;
import io.omendb.index.distance.Kernels;
import io.omendb.memory.Memory;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.InvalidRowsException.Item;
import io.omendb.storage.api.RowCheck;
import java.util.ArrayList;
import java.util.List;

/**
 * Accepts vectors whose components are finite and whose norm is one of {@link QueryNorm}. One pass
 * of the norm kernel: only what it cannot vouch for is looked at by component.
 */
record RowChecks(int dimension, Similarity similarity) implements RowCheck {
  @Override
  public void check(long address, int stride, int n, float[] squaredNorms)
      throws InvalidRowsException {
    int padded = Kernels.paddedFloats(dimension);
    boolean valid = true;
    for (int i = 0; i < n; i++) {
      float norm = Kernels.squaredNorm(address + (long) i * stride, padded);
      squaredNorms[i] = norm;
      valid &= isValid(norm);
    }
    if (!valid) {
      throw invalid(address, stride, n, squaredNorms);
    }
  }

  private boolean isValid(float squaredNorm) {
    return QueryNorm.isValid(squaredNorm, similarity);
  }

  private InvalidRowsException invalid(long address, int stride, int n, float[] squaredNorms) {
    List<Item> items = new ArrayList<>();
    int total = 0;
    for (int i = 0; i < n; i++) {
      if (!isValid(squaredNorms[i])) {
        total++;
        if (items.size() < InvalidRowsException.MAX_ITEMS) {
          items.add(describe(i, address + (long) i * stride, squaredNorms[i]));
        }
      }
    }
    return new InvalidRowsException(items, total);
  }

  private Item describe(int index, long row, float squaredNorm) {
    int largest = 0;
    for (int j = 0; j < dimension; j++) {
      float x = Memory.getFloat(row + 4L * j);
      if (!Float.isFinite(x)) {
        return new Item(index, j, x, "not finite");
      }
      if (Math.abs(x) > Math.abs(Memory.getFloat(row + 4L * largest))) {
        largest = j;
      }
    }
    return squaredNorm < Float.MIN_NORMAL
        ? new Item(index, -1, 0, "zero norm under cosine")
        : new Item(
            index, largest, Memory.getFloat(row + 4L * largest), "distances overflow float32");
  }
}
