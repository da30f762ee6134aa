package io.omendb.index.quantization;

import io.omendb.index.distance.Panel;
import io.omendb.index.distance.WideRows;
import io.omendb.memory.Memory;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Code rows in fewer components: those of the subspace in which rows differ most. Distances between
 * them are about those between the codes, where most of these lie in it, and are found in as much
 * less time as there are fewer.
 *
 * <p>The subspace is found by subspace iteration (Halko, Martinsson, Tropp, <a
 * href="https://arxiv.org/abs/0909.4061">0909.4061</a>, algorithm 4.4): {@link #PASSES} passes over
 * a sample, each of {@link #add}s and {@link #endPass}. Within it a {@link Rotation} makes the
 * components alike, so that they have one step: bytes of −127 to 127.
 *
 * <p>All sums go row after row, so that neither threads nor the width of vectors change anything.
 * One thread trains it; any may {@link #project} then, each with its own scratch.
 */
public final class Projection {
  /** The first finds the mean, the others turn the subspace towards that of most variance. */
  public static final int PASSES = 3;

  private static final long SEED = 0x5B5B_ACE0_F_C0DE5L;

  /** Deviations of a component that fit into a byte. */
  private static final double DEVIATIONS = 5;

  private static final int LARGEST = 127;

  /** A row of which less is left, without what others have of it, depends on them. */
  private static final double LEAST_PART = 1e-5;

  private final int dims;
  private final int components;

  /** Orthonormal rows while it is trained; in the end, times what makes a step of a component. */
  private final float[][] basis;

  private final WideRows wide;

  /** For each component of a projected row the sum of what rows are in it, times the rows. */
  private final float[][] sums;

  private final double[] mean;

  /** What the mean is in the basis. */
  private final float[] offsets;

  private final Scratch scratch;
  private final WideRows weights = new WideRows(Panel.LANES);
  private final Panel block = new Panel(Panel.LANES);
  private final float[] products = new float[WideRows.TILE * Panel.LANES];
  private double squares;
  private int rows;
  private int pass;

  /**
   * Not trained yet.
   *
   * @param dims codes of a row, padding included
   * @param components of a projected row, a multiple of {@link WideRows#TILE}
   */
  public Projection(int dims, int components) {
    this.dims = dims;
    this.components = components;
    this.basis = new float[components][dims];
    this.wide = new WideRows(dims);
    this.sums = new float[components][dims];
    this.mean = new double[dims];
    this.offsets = new float[components];
    this.scratch = new Scratch(dims, components);
    wide.resize(components);
    weights.resize(components);
    SplittableRandom random = new SplittableRandom(SEED);
    for (float[] row : basis) {
      for (int k = 0; k < dims; k++) {
        row[k] = (float) random.nextGaussian();
      }
    }
  }

  /** A thread's own arrays. */
  public static final class Scratch {
    private final Panel panel;
    private final float[] dots;

    private Scratch(int dims, int components) {
      this.panel = new Panel(dims);
      this.dots = new float[components * Panel.LANES];
    }
  }

  /** For one thread at a time. */
  public Scratch newScratch() {
    return new Scratch(dims, components);
  }

  /** Bytes of a projected row. */
  public int components() {
    return components;
  }

  /**
   * Adds rows to the sample of a pass.
   *
   * @param codes addresses of {@link Panel#LANES} code rows
   */
  public void add(long[] codes) {
    rows += Panel.LANES;
    if (pass == 0) {
      for (long row : codes) {
        for (int k = 0; k < dims; k++) {
          mean[k] += Memory.getByte(row + k);
        }
      }
      return;
    }
    multiply(codes, Panel.LANES, scratch);
    for (int c = 0; c < components; c++) {
      int at = c * Panel.LANES;
      for (int lane = 0; lane < Panel.LANES; lane++) {
        float centred = scratch.dots[at + lane] - offsets[c];
        scratch.dots[at + lane] = centred;
        squares += (double) centred * centred;
      }
      weights.setFloats(c, scratch.dots, at);
    }
    // Codes of 32 rows in 32 components at a time, weighed with what the rows are in the basis.
    for (int k = 0; k < dims; k += Panel.LANES) {
      for (int lane = 0; lane < Panel.LANES; lane++) {
        block.setComponent(lane, codes[lane] + k);
      }
      for (int first = 0; first < components; first += WideRows.TILE) {
        weights.dots(first, block, products, 0);
        for (int c = 0; c < WideRows.TILE; c++) {
          float[] sum = sums[first + c];
          for (int lane = 0; lane < Panel.LANES; lane++) {
            sum[k + lane] += products[c * Panel.LANES + lane];
          }
        }
      }
    }
  }

  private void multiply(long[] codes, int count, Scratch with) {
    for (int lane = 0; lane < count; lane++) {
      with.panel.set(lane, codes[lane]);
    }
    for (int first = 0; first < components; first += WideRows.TILE) {
      wide.dots(first, with.panel, with.dots, first * Panel.LANES);
    }
  }

  /** Ends a pass over the sample. */
  public void endPass() {
    if (pass == 0) {
      for (int k = 0; k < dims; k++) {
        mean[k] /= rows;
      }
    } else {
      for (int c = 0; c < components; c++) {
        System.arraycopy(sums[c], 0, basis[c], 0, dims);
        Arrays.fill(sums[c], 0);
      }
    }
    makeOrthonormal();
    if (++pass == PASSES) {
      mix();
      double deviation = Math.sqrt(squares / rows / components);
      float steps = (float) (LARGEST / Math.max(1, DEVIATIONS * deviation));
      for (float[] row : basis) {
        for (int k = 0; k < dims; k++) {
          row[k] *= steps;
        }
      }
    }
    for (int c = 0; c < components; c++) {
      wide.setFloats(c, basis[c], 0);
      offsets[c] = (float) dot(basis[c], mean);
    }
    squares = 0;
    rows = 0;
  }

  /** Gram–Schmidt, twice for the sake of rounding; what depends on others becomes zero. */
  private void makeOrthonormal() {
    for (int c = 0; c < components; c++) {
      float[] row = basis[c];
      double before = Math.sqrt(dot(row, row));
      for (int twice = 0; twice < 2; twice++) {
        for (int other = 0; other < c; other++) {
          subtract(row, (float) dot(row, basis[other]), basis[other]);
        }
      }
      double norm = Math.sqrt(dot(row, row));
      float factor = norm > LEAST_PART * before ? (float) (1 / norm) : 0;
      for (int k = 0; k < dims; k++) {
        row[k] *= factor;
      }
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += (double) a[k] * b[k];
    }
    return sum;
  }

  private static double dot(float[] a, double[] b) {
    double sum = 0;
    for (int k = 0; k < a.length; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }

  private static void subtract(float[] from, float factor, float[] row) {
    for (int k = 0; k < from.length; k++) {
      from[k] -= factor * row[k];
    }
  }

  /** Turns the basis in its subspace, so that no component has more of the variance. */
  private void mix() {
    Rotation rotation = new Rotation(components);
    float[] column = new float[components];
    for (int k = 0; k < dims; k++) {
      for (int c = 0; c < components; c++) {
        column[c] = basis[c][k];
      }
      rotation.apply(column);
      for (int c = 0; c < components; c++) {
        basis[c][k] = column[c];
      }
    }
  }

  /**
   * Projects rows.
   *
   * @param codes addresses of code rows, at most {@link Panel#LANES}
   * @param targets where to, {@link #components} bytes each
   */
  public void project(long[] codes, long[] targets, int count, Scratch with) {
    multiply(codes, count, with);
    for (int c = 0; c < components; c++) {
      for (int lane = 0; lane < count; lane++) {
        float steps = with.dots[c * Panel.LANES + lane] - offsets[c];
        int rounded = Math.clamp(Math.round(steps), -LARGEST, LARGEST);
        Memory.putByte(targets[lane] + c, (byte) rounded);
      }
    }
  }
}
