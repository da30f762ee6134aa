package io.omendb.index.hnsw;

/** What a search knows nodes' distances by, until the nearest are measured on full vectors. */
public enum Scoring {
  /** Each neighbour's 7-bit code. */
  CODES(0),

  /** One-bit codes of a node's neighbours beside it, its own code once it is expanded. */
  BLOCKS(1),

  /** Full vectors. */
  VECTORS(2);

  private final int code;

  Scoring(int code) {
    this.code = code;
  }

  /** Its number in files. */
  public int code() {
    return code;
  }

  /**
   * The one with a number.
   *
   * @throws IllegalArgumentException if none has it
   */
  public static Scoring ofCode(int code) {
    for (Scoring scoring : values()) {
      if (scoring.code == code) {
        return scoring;
      }
    }
    throw new IllegalArgumentException("scoring=" + code + ", expected 0 to 2");
  }
}
