package io.omendb.index.quantization;

import io.omendb.index.distance.Kernels;
import java.util.SplittableRandom;

/**
 * A rotation that spreads each component over all others: one-bit codes are even in all directions
 * only then, whatever the data.
 *
 * <p>Each of its rounds flips signs and runs a Walsh–Hadamard transform. That takes a power of two;
 * where the dimension is none, the first and the last components are transformed in turn, which
 * overlap, and the halves are mixed by plane rotations. All of it is done vector by vector: with a
 * random permutation in place of the transforms' nearest stages, a third of a round was its
 * gathers. One rotation for each dimension; immutable.
 */
public final class Rotation {
  /** Of this rotation among those that there were: codes made with another are of no use. */
  public static final int NUMBER = 2;

  /** Transforms that a component goes through. */
  private static final int ROUNDS = 3;

  private static final long SEED = 0x524F_5441_5445L;

  private final int dimension;

  /** Components that are transformed at a time. */
  private final int width;

  /** For each round and component ± the scale that keeps lengths. */
  private final float[] factors;

  /**
   * @param dimension components of a vector
   */
  public Rotation(int dimension) {
    this.dimension = dimension;
    this.width = Integer.highestOneBit(dimension);
    this.factors = new float[ROUNDS * dimension];
    SplittableRandom random = new SplittableRandom(SEED);
    float scale = (float) (1 / Math.sqrt(width));
    for (int i = 0; i < factors.length; i++) {
      factors[i] = random.nextBoolean() ? scale : -scale;
    }
  }

  /** Rotates the first {@code dimension} components, in place. */
  public void apply(float[] vector) {
    for (int round = 0; round < ROUNDS; round++) {
      int at = round * dimension;
      Kernels.hadamard(vector, 0, width, factors, at);
      if (width < dimension) {
        int rest = dimension - width;
        Kernels.hadamard(vector, rest, width, factors, at + rest);
        Kernels.turn(vector, dimension / 2, dimension - dimension / 2);
      }
    }
  }
}
