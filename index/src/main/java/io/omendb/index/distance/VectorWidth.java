package io.omendb.index.distance;

import java.util.Locale;

/**
 * The SIMD width that the kernels of this process use, fixed at class load.
 *
 * <p>The system property {@code omendb.simd} overrides what the processor offers: {@code 512},
 * {@code 256}, {@code 128} or {@code scalar}. A species wider than the hardware would fall back to
 * boxed lanes, some 100 times slower, so a wider request is lowered to what there is.
 */
public enum VectorWidth {
  /** Plain loops: no incubator module, or asked for. */
  SCALAR(0),
  /** 128-bit (NEON). */
  BITS_128(128),
  /** 256-bit (AVX2). */
  BITS_256(256),
  /** 512-bit (AVX-512 with BW). */
  BITS_512(512);

  /** The system property that lowers the width. */
  public static final String PROPERTY = "omendb.simd";

  private static final VectorWidth CURRENT = choose(System.getProperty(PROPERTY, "auto"));

  private final int bits;

  VectorWidth(int bits) {
    this.bits = bits;
  }

  /** Width in bits; 0 for scalar. */
  public int bits() {
    return bits;
  }

  /** The width of this process. */
  public static VectorWidth current() {
    return CURRENT;
  }

  private static VectorWidth choose(String requested) {
    int wanted =
        switch (requested.toLowerCase(Locale.ROOT)) {
          case "auto", "512" -> 512;
          case "256" -> 256;
          case "128" -> 128;
          case "scalar" -> 0;
          default ->
              throw new IllegalArgumentException(
                  PROPERTY + "=" + requested + ", expected auto, 512, 256, 128 or scalar");
        };
    int offered = offeredBits();
    VectorWidth width = SCALAR;
    for (VectorWidth candidate : values()) {
      if (candidate.bits <= wanted && candidate.bits <= offered) {
        width = candidate;
      }
    }
    return width;
  }

  private static int offeredBits() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return 0;
    }
    return SimdKernels.Processor.preferredBits();
  }
}
