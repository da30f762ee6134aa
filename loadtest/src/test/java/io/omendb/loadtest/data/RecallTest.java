package io.omendb.loadtest.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.omendb.loadtest.report.Progress;
import org.junit.jupiter.api.Test;

class RecallTest {

  /** Rows 0 to 9 on a line; rows 2 and 3 at one place. */
  private final Vectors base = ArrayVectors.of(10, 2, row -> new float[] {row == 3 ? 2 : row, 0});

  private final Vectors queries = ArrayVectors.of(1, 2, row -> new float[] {0, 0});

  private final Recall recall =
      new Recall(
          base,
          queries,
          Metric.L2,
          ExactNeighbours.find(base, queries, Metric.L2, 3, 1, Progress.NONE),
          3);

  @Test
  void countsARowAtTheDistanceOfTheLastTrueNeighbour() {
    assertEquals(3, recall.found(0, new long[] {0, 1, 3}, 3));
  }

  @Test
  void doesNotCountFartherRows() {
    assertEquals(2, recall.found(0, new long[] {0, 1, 4}, 3));
  }

  @Test
  void countsARowOnceAndForeignOnesNever() {
    assertEquals(1, recall.found(0, new long[] {0, 0, 77}, 3));
    assertEquals(1, recall.found(0, new long[] {1, -1, 1}, 3));
  }

  @Test
  void looksAtKHitsOnly() {
    assertEquals(2, recall.found(0, new long[] {0, 9, 1, 2}, 4));
  }

  @Test
  void meanIsOverQueriesTimesK() {
    assertEquals(2.0 / 3, recall.mean(2), 1e-12);
  }
}
