package io.omendb.index.hnsw;

import io.omendb.index.ExactDistance;
import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.distance.Panel;
import io.omendb.index.distance.WideRows;
import java.util.function.IntPredicate;

/**
 * The exact answers of many queries, compared with all rows.
 *
 * <p>Products of many queries with many rows tell which rows may be among the nearest; these alone
 * are measured one by one, by the distances that searches give. A product of floats is off by no
 * more than its number of components times half a unit in the last place of the norms' product,
 * which decides what may be: nothing is missed, whatever the data. One by one, 512 queries and
 * 60,000 rows of 784 dimensions took four times as long.
 *
 * <p>Heap: a copy of the queries, and a panel for each thread.
 */
public final class ExactNearest {
  /** Bounds the error of a distance by products, for each component and unit of squared norms. */
  private static final float ROUNDING = 0x1p-22f;

  private static final int READ_AT_ONCE = 256;

  private final Similarity similarity;
  private final int dimension;
  private final VectorRows rows;
  private final int bound;
  private final IntPredicate isAnswer;

  /**
   * @param bound rows from here on are no answers
   * @param isAnswer which of the others are
   */
  public ExactNearest(
      Similarity similarity, int dimension, VectorRows rows, int bound, IntPredicate isAnswer) {
    this.similarity = similarity;
    this.dimension = dimension;
    this.rows = rows;
    this.bound = bound;
    this.isAnswer = isAnswer;
  }

  /**
   * Finds each query's nearest.
   *
   * @param queries padded as {@link ExactDistance} wants them
   * @param squaredNorms theirs
   * @param own for each query a row that is no answer
   * @param nearest for each query, reset to what is wanted; receives rows
   */
  public void find(
      float[][] queries, float[] squaredNorms, int[] own, TopK[] nearest, Workers workers) {
    int ofEach = Math.ceilDiv(queries.length, workers.threads());
    int chunkSize = Math.ceilDiv(ofEach, WideRows.TILE) * WideRows.TILE;
    workers.run(
        Math.ceilDiv(queries.length, chunkSize),
        worker ->
            chunk -> {
              int from = chunk * chunkSize;
              int to = Math.min(queries.length, from + chunkSize);
              new Part(queries, squaredNorms, own, nearest, from, to).find();
            });
  }

  /** Some of the queries; of one thread. */
  private final class Part {
    private final float[][] queries;
    private final float[] squaredNorms;
    private final int[] own;
    private final TopK[] nearest;
    private final int first;
    private final int end;
    private final WideRows wide = new WideRows(dimension);
    private final Panel panel = new Panel(dimension);
    private final float[] dots = new float[WideRows.TILE * Panel.LANES];

    /** Rows of the panel's lanes, and their norms. */
    private final int[] lanes = new int[Panel.LANES];

    private final float[] rowNorms = new float[Panel.LANES];
    private final long[] addresses = new long[Panel.LANES];

    Part(float[][] queries, float[] squaredNorms, int[] own, TopK[] nearest, int first, int end) {
      this.queries = queries;
      this.squaredNorms = squaredNorms;
      this.own = own;
      this.nearest = nearest;
      this.first = first;
      this.end = end;
      wide.resize(end - first);
      for (int i = first; i < end; i++) {
        wide.setFloats(i - first, queries[i], 0);
      }
    }

    void find() {
      int count = 0;
      for (int row = 0; row < bound; row++) {
        if (row % READ_AT_ONCE == 0) {
          rows.willRead(row, Math.min(bound, row + READ_AT_ONCE));
        }
        if (isAnswer.test(row)) {
          lanes[count] = row;
          rowNorms[count] = rows.squaredNorm(row);
          addresses[count++] = rows.row(row);
          if (count == Panel.LANES) {
            compare(count);
            count = 0;
          }
        }
      }
      compare(count);
    }

    private void compare(int count) {
      panel.setFloats(addresses, count);
      for (int tile = 0; first + tile < end && count > 0; tile += WideRows.TILE) {
        wide.dots(tile, panel, dots, 0);
        int some = Math.min(WideRows.TILE, end - first - tile);
        for (int i = 0; i < some; i++) {
          offer(first + tile + i, i * Panel.LANES, count);
        }
      }
    }

    /** Measures the lanes that may be among a query's nearest. */
    private void offer(int query, int at, int count) {
      TopK found = nearest[query];
      for (int lane = 0; lane < count; lane++) {
        float least = leastDistance(dots[at + lane], squaredNorms[query], rowNorms[lane]);
        // Not "nearer": where norms overflow, it is no number, and is measured.
        if (!(least > found.bound()) && lanes[lane] != own[query]) {
          found.offer(measure(query, lane), lanes[lane]);
        }
      }
    }

    private float leastDistance(float dot, float norm, float rowNorm) {
      float slack = ROUNDING * dimension;
      float norms = norm + rowNorm;
      return switch (similarity) {
        case L2 -> norms - 2 * dot - slack * norms;
        case COSINE -> 1 - dot / (float) Math.sqrt((double) norm * rowNorm) - slack;
        case INNER_PRODUCT -> -dot - slack * norms;
      };
    }

    private float measure(int query, int lane) {
      return ExactDistance.distance(
          similarity,
          queries[query],
          squaredNorms[query],
          rows.row(lanes[lane]),
          rowNorms[lane],
          queries[query].length);
    }
  }
}
