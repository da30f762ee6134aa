package io.omendb.index.distance;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.omendb.memory.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The kernels beside plain loops and beside kernels in C, 24 vectors a call as a hop of a search
 * scores them, all in the cache. Run by {@link KernelBenchmarkTest}.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@OperationsPerInvocation(KernelBenchmarks.ROWS)
@Warmup(iterations = 6, time = 500, timeUnit = TimeUnit.MILLISECONDS) // compiled after a second
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(2)
@SuppressWarnings("NullAway.Init") // by setUp
public class KernelBenchmarks {
  static final int ROWS = 24;

  /** The system property that names the library of the kernels in C. */
  static final String LIBRARY = "omendb.kernels";

  /** About half of the estimates are below. */
  private static final int DISTANCE = 1 << 17;

  /** Components of a vector. */
  @Param({"128", "384", "784"})
  public int dimension;

  private final float[] query = new float[1 << 13];
  private final byte[] codes = new byte[1 << 13];
  private final int[] ordinals = IntStream.range(0, ROWS).toArray();
  private final int[] distances = new int[ROWS];
  private final float[] estimates = new float[FastScan.COLUMNS];
  private final FastScan.Query blockQuery = new FastScan.Query();

  private Arena arena;
  private int dims;
  private int floatDims;
  private long floatRows;
  private long codeRows;
  private long blocks;
  private int blockStride;
  private MemorySegment nativeQuery;
  private MemorySegment nativeCodes;
  private MemorySegment nativeEntries;
  private MemorySegment out;
  private MethodHandle floatsInC;
  private MethodHandle codesInC;
  private MethodHandle blocksInC;

  /** Makes rows, and asserts that both find the same. */
  @Setup
  @SuppressWarnings("restricted") // the library is ours
  public void setUp() throws Throwable {
    arena = Arena.ofConfined();
    dims = Kernels.paddedCodes(dimension);
    floatDims = Kernels.paddedFloats(dimension);
    SplittableRandom random = new SplittableRandom(dimension);
    floatRows = arena.allocate((long) ROWS * floatDims * Float.BYTES, 64).address();
    codeRows = arena.allocate((long) ROWS * dims, 64).address();
    for (int j = 0; j < dimension; j++) {
      query[j] = (float) random.nextDouble();
      codes[j] = (byte) random.nextInt(128);
      for (int row = 0; row < ROWS; row++) {
        long at = floatRows + 4L * (row * floatDims + j);
        Memory.putInt(at, Float.floatToRawIntBits((float) random.nextDouble()));
        Memory.putByte(codeRows + (long) row * dims + j, (byte) random.nextInt(128));
      }
    }
    nativeQuery = arena.allocateFrom(JAVA_FLOAT, query);
    nativeCodes = arena.allocateFrom(ValueLayout.JAVA_BYTE, codes);
    out = arena.allocate(JAVA_FLOAT, Math.max(ROWS, FastScan.COLUMNS));
    blockStride = FastScan.blockBytes(dims);
    blocks = arena.allocate((long) ROWS * blockStride, 64).address();
    FastScan.Writer writer = new FastScan.Writer(dimension, dims);
    for (int row = 0; row < ROWS; row++) {
      writer.write(
          codeRows + (long) row * dims,
          codeRows,
          dims,
          ordinals,
          0,
          ROWS,
          blocks + (long) row * blockStride);
    }
    blockQuery.set(codes, dimension, dims);
    nativeEntries = arena.allocateFrom(ValueLayout.JAVA_BYTE, blockQuery.entries);
    link(SymbolLookup.libraryLookup(Path.of(System.getProperty(LIBRARY)), arena));
    verify();
  }

  @SuppressWarnings("restricted")
  private void link(SymbolLookup library) {
    floatsInC =
        Linker.nativeLinker()
            .downcallHandle(
                library.findOrThrow("floats"),
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS),
                Linker.Option.critical(false));
    codesInC =
        Linker.nativeLinker()
            .downcallHandle(
                library.findOrThrow("codes"),
                FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS),
                Linker.Option.critical(false));
    blocksInC =
        Linker.nativeLinker()
            .downcallHandle(
                library.findOrThrow("blocks"),
                FunctionDescriptor.of(
                    JAVA_INT,
                    JAVA_LONG,
                    JAVA_LONG,
                    JAVA_INT,
                    ADDRESS,
                    JAVA_INT,
                    JAVA_FLOAT,
                    JAVA_FLOAT,
                    JAVA_FLOAT,
                    JAVA_FLOAT,
                    ADDRESS),
                Linker.Option.critical(false));
  }

  private void verify() throws Throwable {
    floatsInC();
    for (int row = 0; row < ROWS; row++) {
      float expected = Kernels.squaredL2(query, floatRow(row), floatDims);
      if (Math.abs(out.getAtIndex(JAVA_FLOAT, row) - expected) > 1e-4f * expected) {
        throw new AssertionError("floats in C differ, row " + row);
      }
    }
    codesInC();
    codes();
    for (int row = 0; row < ROWS; row++) {
      if (out.getAtIndex(JAVA_INT, row) != distances[row]) {
        throw new AssertionError("codes in C differ, row " + row);
      }
    }
    if (blocksInC() != blocks()) {
      throw new AssertionError("blocks in C differ");
    }
  }

  @TearDown
  public void close() {
    arena.close();
  }

  private long floatRow(int row) {
    return floatRows + 4L * row * floatDims;
  }

  @Benchmark
  public float floats() {
    float sum = 0;
    for (int row = 0; row < ROWS; row++) {
      sum += Kernels.squaredL2(query, floatRow(row), floatDims);
    }
    return sum;
  }

  @Benchmark
  public float floatsPlain() {
    float sum = 0;
    for (int row = 0; row < ROWS; row++) {
      sum += ScalarKernels.squaredL2(query, floatRow(row), floatDims);
    }
    return sum;
  }

  @Benchmark
  public MemorySegment floatsInC() throws Throwable {
    floatsInC.invokeExact(nativeQuery, floatRows, ROWS, floatDims, out);
    return out;
  }

  @Benchmark
  public int codes() {
    return Kernels.squaredL2(codes, codeRows, dims, dims, ordinals, ROWS, distances);
  }

  @Benchmark
  public int codesPlain() {
    int sum = 0;
    for (int row = 0; row < ROWS; row++) {
      sum += ScalarKernels.squaredL2(codes, codeRows + (long) row * dims, dims);
    }
    return sum;
  }

  @Benchmark
  public MemorySegment codesInC() throws Throwable {
    codesInC.invokeExact(nativeCodes, codeRows, ROWS, dims, out);
    return out;
  }

  @Benchmark
  public int blocks() {
    int below = 0;
    for (int row = 0; row < ROWS; row++) {
      long block = blocks + (long) row * blockStride;
      below ^= FastScan.scan(block, blockQuery, DISTANCE, DISTANCE, estimates);
    }
    return below;
  }

  @Benchmark
  public int blocksPlain() {
    int below = 0;
    for (int row = 0; row < ROWS; row++) {
      long block = blocks + (long) row * blockStride;
      below ^= FastScan.plain(block, blockQuery, DISTANCE, DISTANCE, estimates);
    }
    return below;
  }

  @Benchmark
  public int blocksInC() throws Throwable {
    return (int)
        blocksInC.invokeExact(
            blocks,
            (long) blockStride,
            ROWS,
            nativeEntries,
            blockQuery.groups,
            blockQuery.step,
            blockQuery.offset,
            (float) DISTANCE,
            (float) DISTANCE,
            out);
  }
}
