package io.omendb.index.hnsw;

/**
 * Top levels by the paper's law, floor(−ln(U) / ln(m)), with U a hash of seed and ordinal: the same
 * node gets the same level in every rebuild and replay.
 */
record LevelGenerator(long seed, int m) {
  int levelOf(int ordinal) {
    long h = mix(seed ^ mix(ordinal));
    double u = ((h >>> 11) + 1) * 0x1.0p-53; // (0, 1]
    if (u * m > 1) {
      return 0; // mostly, without two logarithms
    }
    return Math.min(HnswGraph.MAX_LEVEL, (int) (-Math.log(u) / Math.log(m)));
  }

  /** SplitMix64's finalizer: every input bit reaches every output bit. */
  static long mix(long z) {
    long x = z + 0x9E3779B97F4A7C15L;
    x = (x ^ (x >>> 30)) * 0xBF58476D1CE4E5B9L;
    x = (x ^ (x >>> 27)) * 0x94D049BB133111EBL;
    return x ^ (x >>> 31);
  }
}
