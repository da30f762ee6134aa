package io.omendb.engine;

import io.omendb.index.hnsw.Scoring;
import org.jspecify.annotations.Nullable;

/**
 * What a search does that names no ef, as a calibration found it.
 *
 * @param ef beam of a search for ten rows; {@link #SCAN}: all rows are compared
 * @param efOf100 that of a search for a hundred; 0: not measured
 * @param scoring what nodes are scored on, also where an ef is named
 * @param reach of a search for up to ten rows, see {@link
 *     io.omendb.index.hnsw.SearchScratch#stopBeyond}: it finds as much as with {@code ef}, for
 *     less; 0: it has none
 * @param reachOf100 of a search for a hundred rows; 0: it has none
 * @param recall recall@10 measured so; NaN before the first calibration
 * @param withoutBlocks what serves while there are no blocks; null unless they are scored on
 */
public record Calibration(
    int ef,
    int efOf100,
    Scoring scoring,
    float reach,
    float reachOf100,
    double recall,
    @Nullable Calibration withoutBlocks) {
  static final int SCAN = 0;

  /** Before the first calibration. */
  static final Calibration NONE = new Calibration(128, 0, Scoring.CODES, 0, 0, Double.NaN, null);

  /** All rows are compared, and nothing is missed. */
  static final Calibration OF_SCAN = new Calibration(SCAN, 0, Scoring.CODES, 0, 0, 1, null);

  /** What {@link #ef} and {@link #efOf100} were measured for. */
  static final int K = 10;

  static final int LARGE_K = 100;

  /** Widest that is measured. */
  static final int LARGEST = 4096;

  /** Beam of a search for k rows where no large k was measured, in k. */
  private static final double LEAST = 1.5;

  /** This one, or what stands in for it where there are no blocks. */
  Calibration usable(boolean hasBlocks) {
    return withoutBlocks == null || hasBlocks ? this : withoutBlocks;
  }

  boolean scans() {
    return ef == SCAN;
  }

  /**
   * The beam of a search for {@code k} rows, at least k: as measured for ten and for a hundred, by
   * a power of k between the two, in proportion beyond, up to {@link #LARGEST} or little more than
   * k.
   */
  int efFor(int k) {
    double wanted = Math.max(ef, LEAST * k);
    if (k > K && efOf100 > ef) {
      double power = Math.log10((double) efOf100 / ef);
      wanted =
          k < LARGE_K
              ? ef * Math.pow((double) k / K, power)
              : Math.max(Math.min((double) efOf100 * k / LARGE_K, LARGEST), LEAST * k);
    }
    return (int) Math.max(k, Math.ceil(wanted));
  }

  /** Reach of a search for {@code k} rows; 0: it has none. */
  float reachFor(int k) {
    if (k <= K || reach == 0 || reachOf100 == 0) {
      return k <= K ? reach : 0;
    }
    float part = (float) Math.min(1, Math.log10((double) k / K));
    return reach + part * (reachOf100 - reach);
  }

  private static String words(Scoring scoring) {
    return switch (scoring) {
      case CODES -> "";
      case BLOCKS -> " on blocks";
      case VECTORS -> " on vectors";
    };
  }

  /** In words, for the log. */
  String describe() {
    return scans()
        ? "all rows are compared"
        : "ef "
            + ef
            + words(scoring)
            + (reach > 0 ? " or reach " + reach : "")
            + (efOf100 > 0 ? ", " + efOf100 + " for 100 rows" : "");
  }
}
