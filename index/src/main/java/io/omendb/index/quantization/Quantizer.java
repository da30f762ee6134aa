package io.omendb.index.quantization;

import io.omendb.index.Similarity;
import io.omendb.index.distance.Kernels;
import io.omendb.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * Scalar quantization to 7-bit codes (SQ8 with one bit to spare for the kernels): {@code code[j] =
 * round((y[j] − low[j]) · scale)}, clamped to 0..127.
 *
 * <p>{@code y} is the vector (L2, INNER_PRODUCT) or its unit vector (COSINE). The step is one for
 * all dimensions and the offset cancels, so that squared Euclidean distance between codes is
 * proportional to that between vectors. Under INNER_PRODUCT code 63.5 is zero in every dimension,
 * and each row has a {@link #bias}, its squared norm in code units: {@code |x − y|² − |x|² − |y|² =
 * −2 x·y}. A query may then be scaled as suits the codes, which leaves the order of its products as
 * it was.
 *
 * <p>Immutable; any thread may use it.
 *
 * @param similarity how vectors become {@code y}
 * @param dimension components of a vector
 * @param normBound INNER_PRODUCT: largest norm whose biased distances cannot become negative; else
 *     0
 * @param scale codes per unit
 * @param low value of code 0 in each dimension
 * @param rotation what {@code y} is turned by before; null: by nothing
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never handed out to be written
public record Quantizer(
    Similarity similarity,
    int dimension,
    float normBound,
    float scale,
    float[] low,
    @Nullable Rotation rotation) {
  /** The largest code. */
  public static final int MAX_CODE = 127;

  /** Of the error of a distance of codes, within which nearly all lie. */
  private static final double DEVIATIONS = 3;

  /** Bounds biases and shift, so that their sums with a distance stay in an int. */
  private static final double MAX_BIAS = 1 << 29;

  /** Checks the shape. */
  public Quantizer {
    if (low.length != dimension) {
      throw new IllegalArgumentException("low.length=" + low.length + ", expected " + dimension);
    }
  }

  /** Without a rotation. */
  public Quantizer(
      Similarity similarity, int dimension, float normBound, float scale, float[] low) {
    this(similarity, dimension, normBound, scale, low, null);
  }

  /** Whether distances to a row are taken less its {@link #bias}. */
  public boolean biased() {
    return similarity == Similarity.INNER_PRODUCT;
  }

  /** Squared norm of a row in code units. */
  public int bias(float squaredNorm) {
    return (int) Math.min(MAX_BIAS, Math.rint((double) scale * scale * squaredNorm));
  }

  /** What is added to biased distances so that they are not negative. */
  public int shift() {
    return bias(normBound * normBound);
  }

  /** Codes of a row, padded to what the kernels need. */
  public int paddedCodes() {
    return Kernels.paddedCodes(dimension);
  }

  /**
   * Encodes one stored vector.
   *
   * @param row address of {@code dimension} float32
   * @param squaredNorm of the row
   * @param target address of {@link #paddedCodes} bytes; the padding is not written
   * @param work room for {@code dimension} components
   * @return components that had to be clipped
   */
  public int encode(long row, float squaredNorm, long target, float[] work) {
    Memory.readFloats(row, work, 0, dimension);
    rotate(work);
    float factor = similarity == Similarity.COSINE ? scale / (float) Math.sqrt(squaredNorm) : scale;
    int clipped = 0;
    for (int j = 0; j < dimension; j++) {
      int code = Math.round(work[j] * factor - low[j] * scale);
      int clamped = Math.clamp(code, 0, MAX_CODE);
      clipped += code == clamped ? 0 : 1;
      Memory.putByte(target + j, (byte) clamped);
    }
    return clipped;
  }

  /**
   * Encodes a query.
   *
   * @param query at least {@code dimension} components
   * @param target at least {@link #paddedCodes} long; the padding is zeroed
   * @param work room for {@code dimension} components
   */
  public void encodeQuery(float[] query, byte[] target, float[] work) {
    System.arraycopy(query, 0, work, 0, dimension);
    rotate(work);
    float factor = scale * queryScale(query);
    for (int j = 0; j < dimension; j++) {
      float code = work[j] * factor - low[j] * scale;
      target[j] = (byte) Math.clamp(code + 0.5F, 0, MAX_CODE);
    }
    for (int j = dimension; j < paddedCodes(); j++) {
      target[j] = 0;
    }
  }

  /**
   * The largest distance of codes that rows no farther than a distance have, but for few: each side
   * is rounded by up to half a step, a twelfth of its square in the mean. L2 and COSINE only; what
   * is clipped may lie farther.
   *
   * @param distance as {@link io.omendb.index.ExactDistance} has it
   */
  public int farthest(float distance) {
    double squared = similarity == Similarity.COSINE ? 2.0 * distance : distance;
    double ofCodes = squared * scale * scale;
    return (int)
        Math.min(
            Integer.MAX_VALUE, ofCodes + dimension / 6.0 + DEVIATIONS * 2 * Math.sqrt(ofCodes / 6));
  }

  private void rotate(float[] vector) {
    if (rotation != null) {
      rotation.apply(vector);
    }
  }

  /** COSINE: to norm 1; INNER_PRODUCT: to the whole range of the codes. */
  private float queryScale(float[] query) {
    return switch (similarity) {
      case L2 -> 1;
      case COSINE -> {
        double squares = 0;
        for (int j = 0; j < dimension; j++) {
          squares += (double) query[j] * query[j];
        }
        yield squares > 0 ? (float) (1 / Math.sqrt(squares)) : 0;
      }
      case INNER_PRODUCT -> {
        float largest = 0;
        for (int j = 0; j < dimension; j++) {
          largest = Math.max(largest, Math.abs(query[j]));
        }
        yield largest > 0 ? MAX_CODE / (2 * scale * largest) : 0;
      }
    };
  }
}
