package io.omendb.index.distance;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.util.SplittableRandom;

/**
 * Compares the kernels of this process with their scalar specification, and times them. A JIT or a
 * processor that computes wrongly must not serve; one that computes slowly must be seen.
 */
public final class KernelSelfTest {
  private static final int[] DIMS = {32, 64, 96, 128, 224, 416, 1024};
  private static final int TIMED_DIMS = 128;
  private static final int TIMED_ROWS = 1024;
  private static final long TIMED_NANOS = 1_000_000_000L;
  private static final int SIDE = 1024 * Float.BYTES;

  /**
   * What was measured, ns a distance in cache, for 128 dimensions.
   *
   * @param width SIMD width in use
   * @param codeNanos 7-bit codes, gathered
   * @param floatNanos float32
   */
  public record Timing(VectorWidth width, double codeNanos, double floatNanos) {}

  private KernelSelfTest() {}

  /**
   * Compares.
   *
   * @throws IllegalStateException naming the kernel and the dimension that differ
   */
  public static void verify() {
    SplittableRandom random = new SplittableRandom(42);
    try (AddressSpace space = AddressSpace.reserve(2 * SIDE)) {
      space.commit(2 * SIDE);
      long a = space.address();
      long b = a + SIDE;
      for (int dims : DIMS) {
        verifyCodes(a, b, dims, random);
        verifyFloats(a, dims, random);
      }
    }
  }

  private static void verifyCodes(long a, long b, int dims, SplittableRandom random) {
    short[] query = new short[dims];
    for (int i = 0; i < dims; i++) {
      // Extremes beside noise: the largest squares must not overflow a lane.
      Memory.putByte(a + i, (byte) (i % 3 == 0 ? 127 : random.nextInt(128)));
      Memory.putByte(b + i, (byte) (i % 3 == 0 ? 0 : random.nextInt(128)));
    }
    Kernels.widen(a, query, dims);
    int expected = ScalarKernels.squaredL2(a, b, dims);
    expect("squaredL2 of codes", dims, expected, Kernels.squaredL2(a, b, dims), 0);
    expect("squaredL2 of a query's codes", dims, expected, Kernels.squaredL2(query, b, dims), 0);
  }

  private static void verifyFloats(long row, int dims, SplittableRandom random) {
    float[] query = new float[dims];
    for (int i = 0; i < dims; i++) {
      query[i] = (float) random.nextDouble(-1, 1);
      Memory.putFloat(row + 4L * i, (float) random.nextDouble(-1, 1));
    }
    double allowed = 1e-6 * dims;
    expect(
        "squaredL2 of floats",
        dims,
        ScalarKernels.squaredL2(query, row, dims),
        Kernels.squaredL2(query, row, dims),
        allowed);
    expect(
        "dot", dims, ScalarKernels.dot(query, row, dims), Kernels.dot(query, row, dims), allowed);
    expect(
        "squaredNorm",
        dims,
        ScalarKernels.squaredNorm(row, dims),
        Kernels.squaredNorm(row, dims),
        allowed);
  }

  private static void expect(
      String kernel, int dims, double expected, double actual, double allowed) {
    if (!(Math.abs(expected - actual) <= allowed)) {
      throw new IllegalStateException(
          "kernel self-test failed: %s over %d dimensions at %s gave %s, expected %s; -D%s=scalar serves"
              .formatted(
                  kernel, dims, VectorWidth.current(), actual, expected, VectorWidth.PROPERTY));
    }
  }

  /** Times; takes a second, most of it for the JIT to get round to the loops. */
  public static Timing time() {
    long rowBytes = TIMED_DIMS * Float.BYTES;
    try (AddressSpace space = AddressSpace.reserve(TIMED_ROWS * rowBytes)) {
      space.commit(TIMED_ROWS * rowBytes);
      int[] ordinals = new int[TIMED_ROWS];
      for (int i = 0; i < TIMED_ROWS; i++) {
        ordinals[i] = i * 7 % TIMED_ROWS;
      }
      short[] codes = new short[TIMED_DIMS];
      float[] floats = new float[TIMED_DIMS];
      int[] distances = new int[TIMED_ROWS];
      long bestCodes = Long.MAX_VALUE;
      long bestFloats = Long.MAX_VALUE;
      float sum = 0;
      long end = System.nanoTime() + TIMED_NANOS;
      long start;
      while ((start = System.nanoTime()) < end) {
        sum +=
            Kernels.squaredL2(
                codes, space.address(), TIMED_DIMS, TIMED_DIMS, ordinals, TIMED_ROWS, distances);
        long middle = System.nanoTime();
        for (int i = 0; i < TIMED_ROWS; i++) {
          sum += Kernels.squaredL2(floats, space.address() + i * rowBytes, TIMED_DIMS);
        }
        bestCodes = Math.min(bestCodes, middle - start);
        bestFloats = Math.min(bestFloats, System.nanoTime() - middle);
      }
      if (!(sum >= 0)) {
        throw new IllegalStateException("distances of zeros sum to " + sum);
      }
      return new Timing(
          VectorWidth.current(), (double) bestCodes / TIMED_ROWS, (double) bestFloats / TIMED_ROWS);
    }
  }
}
