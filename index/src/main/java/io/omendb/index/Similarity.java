package io.omendb.index;

/**
 * What "near" means. Distances ascend: a smaller distance is a nearer vector.
 *
 * <p>Codes know only squared Euclidean distance. Cosine reduces to it on unit vectors, inner
 * product by a bias of each row (see {@code Quantizer}). The exact distances re-rank the candidates
 * and are what the user sees.
 */
public enum Similarity {
  /** Squared Euclidean distance. */
  L2(1),
  /** 1 − cosine of the angle; vectors of zero norm are refused. */
  COSINE(2),
  /** The negated dot product. */
  INNER_PRODUCT(3);

  private final int code;

  Similarity(int code) {
    this.code = code;
  }

  /** The number that stands for it in files; never changes. */
  public int code() {
    return code;
  }
}
