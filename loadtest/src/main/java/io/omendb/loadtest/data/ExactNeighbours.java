package io.omendb.loadtest.data;

import io.omendb.loadtest.report.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Exact nearest neighbours by comparing each query with every row. It shares no code with the index
 * which is judged by it.
 *
 * <p>The base passes by in tiles of rows laid out component by component, so that the inner loops
 * run over consecutive floats and the compiler turns them into vector instructions: an array for
 * each component, because one array read at several offsets might be the one written to, for all
 * that the compiler knows. A tile stays in the cache while all queries of a thread pass over it.
 * Floats only choose candidates, some more than are wanted; these are ranked by distances in double
 * precision, equal ones by row.
 */
public final class ExactNeighbours {

  /** Candidates beyond k, so that rounding cannot lose a true neighbour. */
  private static final int SLACK = 32;

  /** Floats of a tile: half a MiB, which second-level caches hold. */
  private static final int TILE_FLOATS = 1 << 17;

  private final Vectors base;
  private final Vectors queries;
  private final Metric metric;
  private final int k;
  private final int kept;

  private ExactNeighbours(Vectors base, Vectors queries, Metric metric, int k) {
    this.base = base;
    this.queries = queries;
    this.metric = metric;
    this.k = Math.min(k, base.count());
    this.kept = Math.min(k + SLACK, base.count());
  }

  /** Finds the k nearest rows of every query. */
  public static Neighbours find(
      Vectors base, Vectors queries, Metric metric, int k, int threads, Progress progress) {
    if (base.dimension() != queries.dimension()) {
      throw new IllegalArgumentException(
          "dimension of queries=" + queries.dimension() + ", expected " + base.dimension());
    }
    return new ExactNeighbours(base, queries, metric, k).run(threads, progress);
  }

  private Neighbours run(int threads, Progress progress) {
    int[] found = new int[queries.count() * k];
    List<Future<?>> parts = new ArrayList<>();
    progress.start("exact answers", (long) threads * base.count());
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      for (int thread = 0; thread < threads; thread++) {
        int from = (int) ((long) queries.count() * thread / threads);
        int to = (int) ((long) queries.count() * (thread + 1) / threads);
        parts.add(executor.submit(() -> new Part(from, to).run(found, progress)));
      }
      for (Future<?> part : parts) {
        part.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("exact search failed", e.getCause());
    }
    progress.finish();
    return new Neighbours(found, k);
  }

  /** The queries of one thread. */
  private final class Part {

    private final int from;
    private final int dimension = base.dimension();
    private final int tileRows =
        Math.clamp(Integer.highestOneBit(TILE_FLOATS / dimension), 64, 1024);
    private final float[] block;
    private final NearestList[] nearest;

    Part(int from, int to) {
      this.from = from;
      this.block = new float[(to - from) * dimension];
      this.nearest = new NearestList[to - from];
      queries.copy(from, to - from, block, 0);
      if (metric == Metric.COSINE) {
        normalise(block);
      }
      for (int i = 0; i < nearest.length; i++) {
        nearest[i] = new NearestList(kept);
      }
    }

    void run(int[] found, Progress progress) {
      float[] rows = new float[tileRows * dimension];
      float[][] tile = new float[dimension][tileRows];
      float[] distances = new float[tileRows];
      for (int first = 0; first < base.count(); first += tileRows) {
        int n = Math.min(tileRows, base.count() - first);
        base.copy(first, n, rows, 0);
        if (metric == Metric.COSINE) {
          normalise(rows);
        }
        transpose(rows, tile);
        for (int query = 0; query < nearest.length; query++) {
          if (metric == Metric.IP) {
            negatedDots(block, query * dimension, tile, distances, dimension);
          } else {
            squaredDistances(block, query * dimension, tile, distances, dimension);
          }
          nearest[query].offerAll(distances, n, first);
        }
        progress.add(n);
      }
      for (int query = 0; query < nearest.length; query++) {
        rank(query, found);
      }
    }

    private void rank(int query, int[] found) {
      float[] vector = queries.row(from + query);
      int[] candidates = nearest[query].rows();
      double[] distances = new double[candidates.length];
      Integer[] order = new Integer[candidates.length];
      for (int i = 0; i < candidates.length; i++) {
        distances[i] = metric.distance(vector, base.row(candidates[i]));
        order[i] = i;
      }
      Arrays.sort(
          order,
          (x, y) -> {
            int byDistance = Double.compare(distances[x], distances[y]);
            return byDistance != 0 ? byDistance : Integer.compare(candidates[x], candidates[y]);
          });
      for (int rank = 0; rank < k; rank++) {
        found[(from + query) * k + rank] = candidates[order[rank]];
      }
    }

    /**
     * Row-major to component-major; rows past the end of the base keep what an earlier tile had.
     */
    private void transpose(float[] rows, float[][] tile) {
      for (int row = 0; row < tileRows; row++) {
        for (int j = 0; j < dimension; j++) {
          tile[j][row] = rows[row * dimension + j];
        }
      }
    }

    private void normalise(float[] rows) {
      for (int start = 0; start < rows.length; start += dimension) {
        double sum = 0;
        for (int j = 0; j < dimension; j++) {
          sum += (double) rows[start + j] * rows[start + j];
        }
        double scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
        for (int j = 0; j < dimension; j++) {
          rows[start + j] = (float) (rows[start + j] * scale);
        }
      }
    }
  }

  private static void squaredDistances(
      float[] query, int start, float[][] tile, float[] sums, int dimension) {
    Arrays.fill(sums, 0);
    int j = 0;
    for (; j + 3 < dimension; j += 4) {
      addSquares(query, start + j, tile[j], tile[j + 1], tile[j + 2], tile[j + 3], sums);
    }
    for (; j < dimension; j++) {
      addSquares(query[start + j], tile[j], sums);
    }
  }

  private static void addSquares(
      float[] query, int start, float[] x0, float[] x1, float[] x2, float[] x3, float[] sums) {
    float q0 = query[start];
    float q1 = query[start + 1];
    float q2 = query[start + 2];
    float q3 = query[start + 3];
    for (int row = 0; row < sums.length; row++) {
      float d0 = x0[row] - q0;
      float d1 = x1[row] - q1;
      float d2 = x2[row] - q2;
      float d3 = x3[row] - q3;
      sums[row] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    }
  }

  private static void addSquares(float q, float[] x, float[] sums) {
    for (int row = 0; row < sums.length; row++) {
      float difference = x[row] - q;
      sums[row] += difference * difference;
    }
  }

  private static void negatedDots(
      float[] query, int start, float[][] tile, float[] sums, int dimension) {
    Arrays.fill(sums, 0);
    int j = 0;
    for (; j + 3 < dimension; j += 4) {
      subtractProducts(query, start + j, tile[j], tile[j + 1], tile[j + 2], tile[j + 3], sums);
    }
    for (; j < dimension; j++) {
      subtractProducts(query[start + j], tile[j], sums);
    }
  }

  private static void subtractProducts(
      float[] query, int start, float[] x0, float[] x1, float[] x2, float[] x3, float[] sums) {
    float q0 = query[start];
    float q1 = query[start + 1];
    float q2 = query[start + 2];
    float q3 = query[start + 3];
    for (int row = 0; row < sums.length; row++) {
      sums[row] -= (x0[row] * q0 + x1[row] * q1) + (x2[row] * q2 + x3[row] * q3);
    }
  }

  private static void subtractProducts(float q, float[] x, float[] sums) {
    for (int row = 0; row < sums.length; row++) {
      sums[row] -= x[row] * q;
    }
  }
}
