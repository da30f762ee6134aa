package io.omendb.loadtest.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.function.IntFunction;

/** Vectors in an array: generated sets, and those small enough to be rearranged. */
public final class ArrayVectors implements Vectors {

  private final float[] components;
  private final int dimension;

  /** Takes the array over: rows of {@code dimension} components, one behind the other. */
  public ArrayVectors(float[] components, int dimension) {
    if (components.length % dimension != 0) {
      throw new IllegalArgumentException(
          "components=" + components.length + ", expected a multiple of dimension=" + dimension);
    }
    this.components = components;
    this.dimension = dimension;
  }

  /** The rows which a function gives. */
  public static ArrayVectors of(int count, int dimension, IntFunction<float[]> rows) {
    float[] components = new float[Math.multiplyExact(count, dimension)];
    for (int row = 0; row < count; row++) {
      System.arraycopy(rows.apply(row), 0, components, row * dimension, dimension);
    }
    return new ArrayVectors(components, dimension);
  }

  @Override
  public int count() {
    return components.length / dimension;
  }

  @Override
  public int dimension() {
    return dimension;
  }

  @Override
  public void copy(int from, int n, MemorySegment target, long offset, long stride) {
    Objects.checkFromIndexSize(from, n, count());
    for (int i = 0; i < n; i++) {
      MemorySegment.copy(
          components,
          (from + i) * dimension,
          target,
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          offset + i * stride,
          dimension);
    }
  }
}
