package io.omendb.index.distance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Compiles kernels in C and runs {@link KernelBenchmarks} beside them. Needs a C compiler. */
class KernelBenchmarkTest {
  private final Path library;

  KernelBenchmarkTest(@TempDir Path directory) throws Exception {
    Path source = directory.resolve("kernels.c");
    try (InputStream c = KernelBenchmarks.class.getResourceAsStream("kernels.c")) {
      Files.copy(Objects.requireNonNull(c), source);
    }
    library = directory.resolve("kernels.so");
    Process compiler =
        new ProcessBuilder(
                List.of(
                    "cc",
                    "-O3",
                    "-march=native",
                    "-shared",
                    "-fPIC",
                    "-o",
                    library.toString(),
                    source.toString()))
            .redirectErrorStream(true)
            .start();
    String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, compiler.waitFor(), said);
  }

  /** What is measured beside each other computes the same. */
  @Test
  @Tag("ci")
  void theKernelsInCFindWhatOursDo() throws Throwable {
    System.setProperty(KernelBenchmarks.LIBRARY, library.toString());
    for (int dimension : new int[] {128, 384, 784}) {
      KernelBenchmarks benchmarks = new KernelBenchmarks();
      benchmarks.dimension = dimension;
      benchmarks.setUp();
      assertTrue(benchmarks.blocks() != 0, "no estimate is below the bound");
      benchmarks.close();
    }
  }

  /** Prints nanoseconds a vector, or a block of 32, of our SIMD, of plain loops and of C. */
  @Test
  @Tag("kernels")
  void measure() throws Exception {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(KernelBenchmarks.class.getName())
            .jvmArgsAppend(
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0", // as the launcher
                "-D" + KernelBenchmarks.LIBRARY + "=" + library);
    String width = System.getProperty(VectorWidth.PROPERTY);
    if (width != null) {
      options.jvmArgsAppend("-D" + VectorWidth.PROPERTY + "=" + width);
    }
    Collection<RunResult> results = new Runner(options.build()).run();
    Map<String, Map<String, Double>> nanos = new TreeMap<>();
    for (RunResult result : results) {
      String dimension = result.getParams().getParam("dimension");
      nanos
          .computeIfAbsent(dimension, _ -> new TreeMap<>())
          .put(result.getPrimaryResult().getLabel(), result.getPrimaryResult().getScore());
    }
    System.out.println("| ns, by dimension | SIMD | plain loops | C | SIMD ÷ C |");
    System.out.println("|---|---|---|---|---|");
    nanos.forEach((dimension, of) -> {
      for (String kernel : List.of("floats", "codes", "blocks")) {
        double ours = of.getOrDefault(kernel, Double.NaN);
        double c = of.getOrDefault(kernel + "InC", Double.NaN);
        System.out.printf(
            Locale.ROOT,
            "| %s, %s | %.1f | %.1f | %.1f | %.2f |%n",
            kernel,
            dimension,
            ours,
            of.getOrDefault(kernel + "Plain", Double.NaN),
            c,
            ours / c);
      }
    });
  }
}
