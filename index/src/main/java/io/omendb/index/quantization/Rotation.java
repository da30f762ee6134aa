package io.omendb.index.quantization;

import io.omendb.index.distance.Kernels;
import java.util.SplittableRandom;

/**
 * A rotation that spreads each component over all others: one-bit codes are even in all directions
 * only then, whatever the data.
 *
 * <p>Each of its rounds flips signs, runs Walsh–Hadamard transforms, and permutes. A transform
 * takes a power of two; where the dimension is none, the first and the last components are
 * transformed in turn, which overlap. Where there are enough, the stages of the nearest components
 * are left out, which SIMD is slow at: the permutation brings others near. One rotation for each
 * dimension; immutable.
 */
public final class Rotation {
  /** Transforms that a component goes through; odd. */
  private static final int ROUNDS = 3;

  private static final long SEED = 0x524F_5441_5445L;

  private final int dimension;

  /** Components that are transformed at a time. */
  private final int width;

  /** Components that the first stage is apart. */
  private final int least;

  /** For each round and component ± the scale that keeps lengths. */
  private final float[] signs;

  /** For each round where each component comes from. */
  private final int[] sources;

  /**
   * @param dimension components of a vector
   */
  public Rotation(int dimension) {
    this.dimension = dimension;
    this.width = Integer.highestOneBit(dimension);
    this.least = width >= 8 * Kernels.FLOAT_BLOCK ? Kernels.FLOAT_BLOCK : 1;
    this.signs = new float[ROUNDS * dimension];
    this.sources = new int[ROUNDS * dimension];
    SplittableRandom random = new SplittableRandom(SEED);
    float scale = (float) (1 / Math.sqrt((double) width / least));
    for (int i = 0; i < signs.length; i++) {
      signs[i] = random.nextBoolean() ? scale : -scale;
      int of = i % dimension;
      int other = i - of + random.nextInt(of + 1);
      sources[i] = sources[other];
      sources[other] = of;
    }
  }

  /**
   * Rotates a vector.
   *
   * @param work the vector, and room for as much behind it, where the result is put; the vector is
   *     overwritten
   */
  public void apply(float[] work) {
    int from = 0;
    int to = dimension;
    for (int round = 0; round < ROUNDS; round++) {
      int at = round * dimension;
      transform(work, from, at);
      if (width < dimension) {
        transform(work, from + dimension - width, at + dimension - width);
      }
      for (int j = 0; j < dimension; j++) {
        work[to + j] = work[from + sources[at + j]];
      }
      to = from; // an odd number of rounds ends behind
      from = dimension - from;
    }
  }

  private void transform(float[] work, int from, int at) {
    for (int j = 0; j < width; j++) {
      work[from + j] *= signs[at + j];
    }
    Kernels.hadamard(work, from, width, least);
  }
}
