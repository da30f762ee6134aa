package io.omendb.loadtest.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.report.Progress;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {

  private final Path directory;
  private final Started progress = new Started();

  DatasetTest(@TempDir Path directory) throws IOException {
    this.directory = directory;
    SiftSmall.unpack(directory);
  }

  @Test
  void takesTheAnswersThatComeWithTheSet() throws IOException {
    try (Dataset set = open(Integer.MAX_VALUE, Metric.L2)) {
      assertFalse(progress.started, "no answers computed");
      assertEquals("siftsmall", set.name());
      assertEquals(SiftSmall.COUNT, set.base().count());
      assertEquals(SiftSmall.DIMENSION, set.base().dimension());
      Neighbours official = Neighbours.read(SiftSmall.truth(directory));
      assertEquals(Dataset.K, found(set, official), "every answer of the file counts");
    }
  }

  @Test
  void computesThemForAPrefix() throws IOException {
    try (Dataset set = open(1_000, Metric.L2)) {
      assertTrue(progress.started);
      assertEquals(1_000, set.base().count());
    }
  }

  @Test
  void computesThemForAnotherMetric() throws IOException {
    try (Dataset set = open(Integer.MAX_VALUE, Metric.IP)) {
      assertTrue(progress.started);
      Neighbours official = Neighbours.read(SiftSmall.truth(directory));
      assertTrue(found(set, official) < Dataset.K, "L2 answers are not those of inner product");
    }
  }

  private static int found(Dataset set, Neighbours lists) {
    long[] rows = new long[Dataset.K];
    int found = Dataset.K;
    for (int query = 0; query < set.queries().count(); query++) {
      for (int rank = 0; rank < Dataset.K; rank++) {
        rows[rank] = lists.row(query, rank);
      }
      found = Math.min(found, set.recall().found(query, rows, Dataset.K));
    }
    return found;
  }

  /** Further rows are the set's with noise: like others, and the same each time. */
  @Test
  void givesMoreRowsThanThereAre() throws IOException {
    int rows = 3 * SiftSmall.COUNT / 2;
    float[][] copies = new float[2][];
    for (int time = 0; time < 2; time++) {
      try (Dataset set = open(Integer.MAX_VALUE, rows, Metric.L2)) {
        assertEquals(rows, set.base().count());
        float[] of = set.base().row(9);
        copies[time] = set.base().row(SiftSmall.COUNT + 9);
        double squared = 0;
        for (int d = 0; d < of.length; d++) {
          squared += (copies[time][d] - of[d]) * (double) (copies[time][d] - of[d]);
        }
        // Neighbours of this set lie 100 to 400 apart.
        assertEquals(200, Math.sqrt(squared), 100);
        assertTrue(set.truth().row(0, 0) < rows);
      }
    }
    assertArrayEquals(copies[0], copies[1]);
  }

  private Dataset open(int limit, Metric metric) throws IOException {
    return open(limit, 0, metric);
  }

  private Dataset open(int limit, int rows, Metric metric) throws IOException {
    return Dataset.open(
        SiftSmall.base(directory),
        SiftSmall.queries(directory),
        SiftSmall.truth(directory),
        limit,
        rows,
        Integer.MAX_VALUE,
        metric,
        2,
        progress);
  }

  /** Notices that long work began. */
  private static final class Started implements Progress {
    private boolean started;

    @Override
    public void start(String what, long total) {
      started = true;
    }

    @Override
    public void add(long steps) {}

    @Override
    public void finish() {}
  }
}
