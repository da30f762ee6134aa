package io.omendb.index.distance;

import io.omendb.memory.AddressSpace;
import io.omendb.memory.Memory;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Compares the kernels of this process with their scalar specification, has the JIT compile them,
 * and times them. A JIT or a processor that computes wrongly must not serve; one that computes
 * slowly must be seen.
 */
public final class KernelSelfTest {
  /**
   * At each width they take each path through the kernels. Few and small: a start compares them in
   * the interpreter.
   */
  private static final int[] DIMS = {32, 96, 224};

  private static final int MOST_DIMS = 224;
  private static final int TIMED_DIMS = 128;
  private static final int TIMED_ROWS = 1024;
  private static final int TIMED_ROUNDS = 100;
  private static final int UNTIMED_ROUNDS = 9 * TIMED_ROUNDS;

  /** Those of the calls that have the kernels compiled: each path, the usual one oftener. */
  private static final int[] COMPILED_DIMS = {TIMED_DIMS, 32, TIMED_DIMS, 96, MOST_DIMS};

  /** Calls of each kernel that take less than {@link #COMPILED_NANOS} once all are compiled. */
  private static final int COMPILED_CALLS = 20;

  private static final long COMPILED_NANOS = 6_000;
  private static final int SIDE = 1024 * Float.BYTES;

  private static volatile boolean blocksVerified;

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

  /**
   * Compares the kernels of {@link FastScan}, once in a process. Not with the others: it has
   * classes loaded for a tenth of a second of which most servers need none.
   *
   * @throws IllegalStateException naming the kernel and the dimension that differ
   */
  public static void verifyBlocks() {
    if (blocksVerified) {
      return;
    }
    SplittableRandom random = new SplittableRandom(42);
    int room = (FastScan.COLUMNS + 1) * MOST_DIMS + FastScan.blockBytes(MOST_DIMS);
    try (AddressSpace space = AddressSpace.reserve(room)) {
      space.commit(room);
      for (int dims : DIMS) {
        verifyBlock(space.address(), dims, random);
      }
    }
    blocksVerified = true;
  }

  private static void verifyCodes(long a, long b, int dims, SplittableRandom random) {
    byte[] query = codes(dims, random);
    byte[] row = codes(dims, random);
    for (int i = 0; i < dims; i += 3) {
      query[i] = 127; // extremes beside noise: the largest squares must not overflow a lane
      row[i] = 0;
    }
    Memory.write(query, 0, a, dims);
    Memory.write(row, 0, b, dims);
    int expected = ScalarKernels.squaredL2(a, b, dims);
    expect("squaredL2 of codes", dims, expected, Kernels.squaredL2(a, b, dims), 0);
    expect("squaredL2 of a query's codes", dims, expected, Kernels.squaredL2(query, b, dims), 0);
  }

  private static void verifyFloats(long row, int dims, SplittableRandom random) {
    float[] query = new float[dims];
    float[] values = new float[dims];
    for (int i = 0; i < dims; i++) {
      query[i] = (float) random.nextDouble(-1, 1);
      values[i] = (float) random.nextDouble(-1, 1);
    }
    Memory.writeFloats(values, 0, row, dims);
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

  private static void verifyBlock(long centre, int dims, SplittableRandom random) {
    int rowBytes = (FastScan.COLUMNS + 1) * dims;
    byte[] rows = codes(rowBytes, random);
    Memory.write(rows, 0, centre, rowBytes);
    int[] ids = IntStream.rangeClosed(1, FastScan.COLUMNS).toArray();
    long block = centre + rowBytes;
    new FastScan.Writer(dims, dims).write(centre, centre, dims, ids, 0, ids.length, block);
    byte[] codes = Arrays.copyOfRange(rows, dims, 2 * dims);
    FastScan.Query query = new FastScan.Query();
    query.set(codes, dims, dims);
    int distance = Kernels.squaredL2(codes, centre, dims);
    float[] expected = new float[FastScan.COLUMNS];
    float[] actual = new float[FastScan.COLUMNS];
    int plain = FastScan.plain(block, query, distance, distance, expected);
    expect("block bound", dims, plain, FastScan.scan(block, query, distance, distance, actual), 0);
    for (int column = 0; column < FastScan.COLUMNS; column++) {
      expect("block estimate", dims, expected[column], actual[column], 0);
    }
  }

  private static byte[] codes(int count, SplittableRandom random) {
    byte[] codes = new byte[count];
    random.nextBytes(codes);
    for (int i = 0; i < count; i++) {
      codes[i] &= 127;
    }
    return codes;
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

  /**
   * Calls the kernels until the JIT has compiled them, with dimensions that take each way through
   * them: a way that was not taken is not compiled. The first collection that takes it would find
   * them interpreted for seconds, and at times compiled anew with vectors on the heap.
   *
   * @param gaveUp whether to return although they are not
   */
  public static void compile(BooleanSupplier gaveUp) {
    try (AddressSpace space = AddressSpace.reserve(2 * SIDE)) {
      space.commit(2 * SIDE);
      long row = space.address();
      byte[] codes = new byte[MOST_DIMS];
      float[] floats = new float[MOST_DIMS];
      int[] ordinals = new int[1];
      int[] distances = new int[1];
      double sum = 0;
      long nanos;
      do {
        long start = System.nanoTime();
        for (int i = 0; i < COMPILED_CALLS; i++) {
          int dims = COMPILED_DIMS[i % COMPILED_DIMS.length];
          sum +=
              Kernels.squaredL2(codes, row, dims, dims, ordinals, 1, distances)
                  + Kernels.squaredL2(row, row + SIDE, dims)
                  + Kernels.squaredL2(floats, row, dims)
                  + Kernels.dot(floats, row, dims)
                  + Kernels.squaredNorm(row, dims);
        }
        nanos = System.nanoTime() - start;
      } while (nanos > COMPILED_NANOS && !gaveUp.getAsBoolean());
      checkZero(sum);
    }
  }

  /** Times the kernels: medians over rows that lie in the cache. Takes 0.1 s. */
  public static Timing time() {
    long rowBytes = TIMED_DIMS * Float.BYTES;
    try (AddressSpace space = AddressSpace.reserve(TIMED_ROWS * rowBytes)) {
      space.commit(TIMED_ROWS * rowBytes);
      int[] ordinals = new int[TIMED_ROWS];
      for (int i = 0; i < TIMED_ROWS; i++) {
        ordinals[i] = i * 7 % TIMED_ROWS;
      }
      byte[] codes = new byte[TIMED_DIMS];
      float[] floats = new float[TIMED_DIMS];
      int[] distances = new int[TIMED_ROWS];
      long[] codeNanos = new long[TIMED_ROUNDS];
      long[] floatNanos = new long[TIMED_ROUNDS];
      double sum = 0;
      // The first rounds have the loops compiled, and are written over.
      for (int round = 0; round < UNTIMED_ROUNDS + TIMED_ROUNDS; round++) {
        long start = System.nanoTime();
        sum +=
            Kernels.squaredL2(
                codes, space.address(), TIMED_DIMS, TIMED_DIMS, ordinals, TIMED_ROWS, distances);
        long middle = System.nanoTime();
        for (int i = 0; i < TIMED_ROWS; i++) {
          sum += Kernels.squaredL2(floats, space.address() + i * rowBytes, TIMED_DIMS);
        }
        codeNanos[round % TIMED_ROUNDS] = middle - start;
        floatNanos[round % TIMED_ROUNDS] = System.nanoTime() - middle;
      }
      checkZero(sum);
      return new Timing(VectorWidth.current(), median(codeNanos), median(floatNanos));
    }
  }

  private static double median(long[] nanos) {
    Arrays.sort(nanos);
    return (double) nanos[nanos.length / 2] / TIMED_ROWS;
  }

  private static void checkZero(double sum) {
    if (sum != 0) {
      throw new IllegalStateException("distances of zeros sum to " + sum);
    }
  }
}
