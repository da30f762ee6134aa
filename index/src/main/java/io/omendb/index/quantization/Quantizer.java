package io.omendb.index.quantization;

import io.omendb.index.Similarity;
import io.omendb.index.distance.Kernels;
import io.omendb.storage.memory.Memory;

/**
 * Scalar quantization to 7-bit codes (SQ8 with one bit to spare for the kernels): {@code code[j] =
 * round((y[j] − low[j]) · scale)}, clamped to 0..127.
 *
 * <p>{@code y} is the vector brought to Euclidean space by its {@link Similarity}: itself (L2), its
 * unit vector (COSINE), or (INNER_PRODUCT) the vector followed by {@code extraDimensions} equal
 * coordinates that raise its norm to {@code normBound}; a query gets zeros there and is scaled to
 * {@code normBound}, which leaves the order of its dot products as it was. The step is one for all
 * dimensions and the offset cancels, so that squared Euclidean distance between codes is
 * proportional to that between vectors.
 *
 * <p>Immutable; any thread may use it.
 *
 * @param similarity how vectors become {@code y}
 * @param dimension components of a vector
 * @param extraDimensions coordinates added for INNER_PRODUCT, else 0
 * @param normBound largest norm that INNER_PRODUCT can represent, else 0
 * @param scale codes per unit
 * @param low value of code 0 in each of {@code dimension + extraDimensions} coordinates
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never handed out to be written
public record Quantizer(
    Similarity similarity,
    int dimension,
    int extraDimensions,
    float normBound,
    float scale,
    float[] low) {
  /** The largest code. */
  public static final int MAX_CODE = 127;

  /** Checks the shape. */
  public Quantizer {
    if (low.length != dimension + extraDimensions) {
      throw new IllegalArgumentException(
          "low.length=" + low.length + ", expected " + (dimension + extraDimensions));
    }
  }

  /** Codes of a row, padded to what the kernels need. */
  public int paddedCodes() {
    return Kernels.paddedCodes(dimension + extraDimensions);
  }

  /**
   * Encodes one stored vector.
   *
   * @param row address of {@code dimension} float32
   * @param squaredNorm of the row
   * @param target address of {@link #paddedCodes} bytes; the padding is not written
   * @return components that had to be clipped
   */
  public int encode(long row, float squaredNorm, long target) {
    float factor = similarity == Similarity.COSINE ? scale / (float) Math.sqrt(squaredNorm) : scale;
    int clipped = 0;
    for (int j = 0; j < dimension; j++) {
      int code = Math.round(Memory.getFloat(row + 4L * j) * factor - low[j] * scale);
      int clamped = Math.clamp(code, 0, MAX_CODE);
      clipped += code == clamped ? 0 : 1;
      Memory.putByte(target + j, (byte) clamped);
    }
    if (extraDimensions > 0) {
      float missing = normBound * normBound - squaredNorm;
      float each = (float) Math.sqrt(Math.max(0, missing) / extraDimensions);
      byte code = (byte) Math.clamp(Math.round((each - low[dimension]) * scale), 0, MAX_CODE);
      for (int j = dimension; j < dimension + extraDimensions; j++) {
        Memory.putByte(target + j, code);
      }
      // A vector beyond the bound is misplaced as a whole, not in one component.
      clipped += missing < 0 ? dimension : 0;
    }
    return clipped;
  }

  /**
   * Encodes a query, widened for the kernels.
   *
   * @param query at least {@code dimension} components
   * @param target at least {@link #paddedCodes} long; the padding is zeroed
   */
  public void encodeQuery(float[] query, short[] target) {
    float factor = scale;
    if (similarity != Similarity.L2) {
      double squares = 0;
      for (int j = 0; j < dimension; j++) {
        squares += (double) query[j] * query[j];
      }
      double norm = Math.sqrt(squares);
      double wanted = similarity == Similarity.COSINE ? 1 : normBound;
      factor = norm > 0 ? (float) (scale * wanted / norm) : 0;
    }
    for (int j = 0; j < dimension; j++) {
      int code = Math.round(query[j] * factor - low[j] * scale);
      target[j] = (short) Math.clamp(code, 0, MAX_CODE);
    }
    for (int j = dimension; j < dimension + extraDimensions; j++) {
      target[j] = (short) Math.clamp(Math.round(-low[j] * scale), 0, MAX_CODE);
    }
    for (int j = dimension + extraDimensions; j < paddedCodes(); j++) {
      target[j] = 0;
    }
  }
}
