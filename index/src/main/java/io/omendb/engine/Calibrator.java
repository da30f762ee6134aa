package io.omendb.engine;

import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.hnsw.ExactNearest;
import io.omendb.index.hnsw.HnswGraph;
import io.omendb.index.hnsw.HnswIndex;
import io.omendb.index.hnsw.Scoring;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.index.hnsw.Workers;
import io.omendb.memory.Memory;
import io.omendb.storage.CollectionStore;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Chooses what a search does that names no ef: the narrowest beam that reaches the target recall@10
 * on rows that are not linked yet, or a comparison with all rows. Linked rows would flatter the
 * graph, being linked to their own neighbours: 800 random rows of 1,536 dimensions were found to
 * 0.998 at ef 14, and others like them to 0.62. Where there is nothing else, each is crossed with a
 * neighbour, half of the components of one and half of the other.
 *
 * <p>The beam is scored on codes, or on full vectors where that reaches the target with less memory
 * traffic: where rows lie closer together than codes can tell apart, a wider beam on codes only
 * gathers more of what they cannot order. Which of the two is counted, not timed, so that the same
 * rows get the same.
 *
 * <p>A search also ends by distance, where that takes fewer than a beam that finds as much: easy
 * queries end early, and hard ones may go on.
 *
 * <p>Up to a share of all distances the beam is widened whatever it takes. Beyond that time
 * decides: the beam is widened as long as it takes less than comparing all rows, which finds
 * everything. So the target is missed only where either takes more than {@link #MOST_NANOS}.
 */
final class Calibrator {
  private static final int NARROWEST = 10;

  /** From one beam tried to the next; between the last two it is searched on. */
  private static final int STEP = 2;

  /** The beam is found to one in so many. */
  private static final int RESOLUTION = 20;

  /** Largest share of all rows that a default search may measure… */
  private static final double MAX_SHARE = 0.08;

  /** …but so many it always may; what more takes is measured. */
  private static final int MIN_DISTANCES = 1400;

  /** Longest time of a default search beyond that share. */
  private static final long MOST_NANOS = 10_000_000;

  /** Scans that are timed. */
  private static final int TIMED_SCANS = 5;

  /**
   * Share of the misses allowed that is kept in reserve: the graph grows by a fourth before the
   * next calibration, and the samples of this one are some hundreds, whose recall has a standard
   * error of 0.002.
   */
  private static final double MARGIN = 0.15;

  /** Samples of searches for a hundred rows: each has a hundred answers. */
  private static final int LARGE_K_SAMPLES = 32;

  /** So many samples are always measured; more while all of them together take no longer than… */
  private static final int LEAST_SAMPLES = 128;

  private static final long LONG_NANOS = 500_000_000;

  /**
   * A graph below this is not asked for a hundred rows, nor for a reach: of the 55 ms that a
   * thousand rows took, 14 were their calibration, and half of that found that no reach helps.
   */
  private static final int MORE_THAN_EF_FROM = 2_000;

  /**
   * Time of a distance at a million rows, in ns: of the node, and of each cache line of its row.
   */
  private static final double NANOS_OF_NODE = 55;

  private static final double NANOS_OF_LINE = 10.5;

  /** Of scoring a node's neighbours by their blocks, and of queueing those that are near. */
  private static final double NANOS_OF_BLOCKS = 100;

  /** Between these the reach is sought, by bisection of its logarithm: to one part in twenty. */
  private static final float LEAST_REACH = 0.02f;

  private static final float MOST_REACH = 0.64f;

  private static final int REACH_STEPS = 6;

  /** Samples that a worker searches for at a time. */
  private static final int CHUNK = 16;

  /** By how much full vectors must be cheaper than codes. */
  private static final double CHEAPER = 0.9;

  private final CollectionStore store;
  private final HnswIndex index;
  private final RowSearch search;
  private final Workers workers;

  Calibrator(CollectionStore store, HnswIndex index, RowSearch search, Workers workers) {
    this.store = store;
    this.index = index;
    this.search = search;
    this.workers = workers;
  }

  /**
   * Measures.
   *
   * @param slots samples, used as queries; themselves no answers
   * @param inGraph whether they are linked
   * @param linked rows in the graph
   * @return null where there is nothing that the samples could find
   */
  @Nullable Calibration calibrate(
      int[] slots, int count, boolean inGraph, double targetRecall, int linked) {
    double goal = targetRecall + MARGIN * (1 - targetRecall);
    Samples samples = new Samples(slots, count, inGraph, linked);
    if (!samples.hasAnswers()) {
      return null;
    }
    Scoring scoring = Scoring.CODES;
    Beam codes = samples.narrowest(Calibration.K, scoring, goal, Double.MAX_VALUE);
    boolean reached = codes.recall >= goal;
    Beam chosen = codes;
    if (!reached || samples.mayBeCheaperOnVectors(codes, goal)) {
      double limit = reached ? CHEAPER * codes.cost : Double.MAX_VALUE;
      Beam vectors = samples.narrowest(Calibration.K, Scoring.VECTORS, goal, limit);
      if (vectors.cost < limit && vectors.recall >= Math.min(goal, codes.recall)) {
        scoring = Scoring.VECTORS;
        chosen = vectors;
      }
    }
    if (chosen.recall < goal && samples.scanNanos() <= MOST_NANOS) {
      return Calibration.OF_SCAN;
    }
    Beam stopping = samples.stopping(Calibration.K, scoring, goal, chosen);
    Calibration withoutBlocks = samples.calibration(scoring, goal, chosen, stopping, null);
    if (!index.hasBlocks()) {
      return withoutBlocks;
    }
    Beam blocks = samples.narrowest(Calibration.K, Scoring.BLOCKS, goal, Double.MAX_VALUE);
    Beam stoppingOnBlocks = samples.stopping(Calibration.K, Scoring.BLOCKS, goal, blocks);
    return stoppingOnBlocks.recall >= goal && stoppingOnBlocks.cost < CHEAPER * stopping.cost
        ? samples.calibration(Scoring.BLOCKS, goal, blocks, stoppingOnBlocks, withoutBlocks)
        : withoutBlocks;
  }

  /**
   * What searches with one beam took.
   *
   * @param ef of the beam
   * @param reach of the search; 0: none
   * @param recall mean of all samples
   * @param distances mean number computed
   * @param cost mean time in ns by the count of what was read
   * @param nanos median time
   */
  private record Beam(
      int ef, float reach, double recall, double distances, double cost, long nanos) {}

  /** Figures of each sample's search. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Measured(
      long[] nanos, long[] distances, long[] reranked, long[] expanded, long[] found) {
    Measured(int samples) {
      this(
          new long[samples],
          new long[samples],
          new long[samples],
          new long[samples],
          new long[samples]);
    }
  }

  /** Queries with their exact answers. */
  private final class Samples {
    private final int[] slots;
    private final boolean inGraph;
    private final int linked;
    private final float[][] queries;
    private final TopK[] exact;
    private final SearchScratch[] scratches = new SearchScratch[workers.threads()];
    private long scanNanos = -1;

    Samples(int[] slots, int count, boolean inGraph, int linked) {
      this.slots = slots;
      this.inGraph = inGraph;
      this.linked = linked;
      queries = new float[count][];
      for (int i = 0; i < count; i++) {
        queries[i] = inGraph ? crossed(slots[i]) : vector(slots[i]);
      }
      exact = exactNearest(slots, queries);
      Arrays.setAll(scratches, worker -> new SearchScratch());
    }

    private int count(int k) {
      return k == Calibration.K ? queries.length : Math.min(queries.length, LARGE_K_SAMPLES);
    }

    /** What was found for ten rows, completed by what a search for a hundred takes. */
    Calibration calibration(
        Scoring scoring,
        double goal,
        Beam beam,
        Beam stopping,
        @Nullable Calibration withoutBlocks) {
      int efOf100 = 0;
      float reachOf100 = 0;
      if (linked >= MORE_THAN_EF_FROM) {
        Beam large = narrowest(Calibration.LARGE_K, scoring, goal, Double.MAX_VALUE);
        efOf100 = large.ef;
        reachOf100 = stopping(Calibration.LARGE_K, scoring, goal, large).reach;
      }
      return new Calibration(
          beam.ef, efOf100, scoring, stopping.reach, reachOf100, stopping.recall, withoutBlocks);
    }

    /** Whether there is anything to be found. */
    boolean hasAnswers() {
      return Arrays.stream(exact).anyMatch(answers -> answers.size() > 0);
    }

    /**
     * The narrowest beam that reaches the goal; where none does, the widest that is worth its time.
     *
     * @param limit of the cost: a beam beyond it is not looked for
     */
    Beam narrowest(int k, Scoring scoring, double goal, double limit) {
      Beam below = measure(k, scoring, Math.max(NARROWEST, k), 0);
      while (below.recall < goal && below.cost < limit && below.ef < Calibration.LARGEST) {
        Beam wider = measure(k, scoring, Math.min(STEP * below.ef, Calibration.LARGEST), 0);
        if (takesTooLong(wider)) {
          return below;
        }
        if (wider.recall >= goal) {
          return narrowestBetween(k, scoring, goal, below.ef, wider);
        }
        below = wider;
      }
      return below;
    }

    private Beam narrowestBetween(int k, Scoring scoring, double goal, int below, Beam reaching) {
      int low = below;
      Beam narrowest = reaching;
      while (narrowest.ef - low > Math.max(1, low / RESOLUTION)) {
        int between = (int) Math.round(Math.sqrt((double) low * narrowest.ef));
        Beam middle = measure(k, scoring, between, 0);
        if (middle.recall >= goal) {
          narrowest = middle;
        } else {
          low = middle.ef;
        }
      }
      return narrowest;
    }

    /**
     * The least reach that finds what the beam does, if that takes less than the beam; the beam
     * otherwise.
     */
    Beam stopping(int k, Scoring scoring, double goal, Beam beam) {
      if (linked < MORE_THAN_EF_FROM
          || index.parameters().similarity() == Similarity.INNER_PRODUCT
          || beam.recall < goal) {
        return beam;
      }
      Beam least = beam;
      double low = LEAST_REACH;
      double high = MOST_REACH;
      for (int step = 0; step < REACH_STEPS; step++) {
        double middle = Math.sqrt(low * high);
        Beam tried = measure(k, scoring, beam.ef, (float) middle);
        if (tried.recall >= goal) {
          least = tried;
          high = middle;
        } else {
          low = middle;
        }
      }
      return least.cost < beam.cost ? least : beam;
    }

    /** Whether a beam on vectors that costs as much as that on codes, or less, reaches the goal. */
    boolean mayBeCheaperOnVectors(Beam codes, double goal) {
      double ratio = nanosOf(index.codes().dims()) / nanosOf(store.rows().rowStride());
      int ef = Math.max(NARROWEST, (int) (CHEAPER * ratio * codes.ef));
      return ef < codes.ef && measure(Calibration.K, Scoring.VECTORS, ef, 0).recall >= goal;
    }

    private boolean takesTooLong(Beam beam) {
      return beam.distances > Math.max(MIN_DISTANCES, MAX_SHARE * linked)
          && beam.nanos >= Math.min(scanNanos(), MOST_NANOS);
    }

    private Beam measure(int k, Scoring scoring, int ef, float reach) {
      Measured measured = new Measured(count(k));
      int some = Math.min(measured.nanos.length, LEAST_SAMPLES);
      search(k, scoring, ef, reach, 0, some, measured);
      int count = some;
      if (Arrays.stream(measured.nanos).sum() < LONG_NANOS) {
        count = measured.nanos.length;
        search(k, scoring, ef, reach, some, count, measured);
      }
      long distances = Arrays.stream(measured.distances).sum();
      long reranked = Arrays.stream(measured.reranked).sum();
      long found = Arrays.stream(measured.found).sum();
      long answers = 0;
      for (int i = 0; i < count; i++) {
        answers += Math.min(k, exact[i].size());
      }
      double ofVector = nanosOf(store.rows().rowStride());
      double ofNode = scoring == Scoring.VECTORS ? ofVector : nanosOf(index.codes().dims());
      double ofBlocks = scoring == Scoring.BLOCKS ? nanosOfBlocks() : 0;
      double cost =
          ((distances - reranked) * ofNode
                  + Arrays.stream(measured.expanded).sum() * ofBlocks
                  + reranked * ofVector)
              / count;
      double recall = (double) found / Math.max(1, answers);
      return new Beam(
          ef, reach, recall, (double) distances / count, cost, median(measured.nanos, count));
    }

    /**
     * Searches for the samples from one to another, each chunk of them on whichever worker is free.
     */
    private void search(
        int k, Scoring scoring, int ef, float reach, int from, int to, Measured measured) {
      workers.runEach(
          to - from,
          CHUNK,
          worker -> {
            SearchRequest request = new SearchRequest();
            SearchResult result = new SearchResult();
            request.k = inGraph ? k + 1 : k; // the sample itself may be among the answers
            return sample -> {
              int i = from + sample;
              request.query = queries[i];
              search.searchGraph(request, ef, reach, scoring, scratches[worker], result);
              measured.nanos[i] = result.graphNanos + result.rerankNanos;
              measured.distances[i] = result.distanceComputations;
              measured.reranked[i] = result.reranked;
              measured.expanded[i] = result.nodesVisited;
              measured.found[i] =
                  Math.min(Math.min(k, exact[i].size()), hits(result, slots[i], exact[i], k));
            };
          });
    }

    /** What comparing all rows with a query takes. */
    long scanNanos() {
      if (scanNanos < 0) {
        scanNanos = timeScans();
      }
      return scanNanos;
    }

    private long timeScans() {
      SearchRequest request = new SearchRequest();
      SearchResult result = new SearchResult();
      request.k = Calibration.K;
      long[] nanos = new long[Math.min(TIMED_SCANS, queries.length)];
      for (int i = 0; i < nanos.length; i++) {
        request.query = queries[i];
        search.scan(request, scratches[0], result);
        nanos[i] = result.scanNanos;
        if (nanos[i] > 2 * MOST_NANOS) {
          return nanos[i]; // once is enough, and may have been a second
        }
      }
      return median(nanos, nanos.length);
    }
  }

  private static double nanosOf(int rowBytes) {
    return NANOS_OF_NODE + NANOS_OF_LINE * Math.ceilDiv(rowBytes, Memory.CACHE_LINE);
  }

  /** Of the blocks of a node that is expanded; its code is counted apart. */
  private double nanosOfBlocks() {
    return NANOS_OF_BLOCKS + NANOS_OF_LINE * Math.ceilDiv(index.blockStride(), Memory.CACHE_LINE);
  }

  private static long median(long[] nanos, int count) {
    long[] sorted = Arrays.copyOf(nanos, count);
    Arrays.sort(sorted);
    return sorted[count / 2];
  }

  private float[] vector(int slot) {
    float[] vector = new float[store.rows().rowStride() / Float.BYTES];
    Memory.readFloats(index.rows().row(slot), vector, 0, dimension());
    return vector;
  }

  /** A row with half of its components from one of its neighbours: near both, and no row. */
  private float[] crossed(int slot) {
    SplittableRandom random = new SplittableRandom(slot);
    float[] vector = vector(slot);
    int[] neighbors = new int[index.graph().maxDegree(0)];
    int degree = index.graph().neighbors(0, slot, neighbors);
    if (degree == 0) {
      return vector;
    }
    float[] other = vector(neighbors[random.nextInt(degree)]);
    float[] crossed = vector.clone();
    for (int j = 0; j < dimension(); j++) {
      crossed[j] = random.nextBoolean() ? other[j] : vector[j];
    }
    float squaredNorm = QueryNorm.squared(crossed, 0, dimension());
    return QueryNorm.isValid(squaredNorm, index.parameters().similarity()) ? crossed : vector;
  }

  private int dimension() {
    return store.schema().dimension();
  }

  /** Each sample's nearest linked live rows: as many as are asked for with any k. */
  private TopK[] exactNearest(int[] samples, float[][] queries) {
    TopK[] nearest = new TopK[queries.length];
    float[] squaredNorms = new float[queries.length];
    for (int i = 0; i < nearest.length; i++) {
      squaredNorms[i] = QueryNorm.squared(queries[i], 0, dimension());
      nearest[i] = new TopK();
      nearest[i].reset(i < LARGE_K_SAMPLES ? Calibration.LARGE_K : Calibration.K);
    }
    HnswGraph graph = index.graph();
    new ExactNearest(
            index.parameters().similarity(),
            dimension(),
            index.rows(),
            graph.bound(),
            slot -> graph.isLinked(slot) && !store.rows().isDeleted(slot))
        .find(queries, squaredNorms, samples, nearest, workers);
    return nearest;
  }

  /**
   * Answers that are among the exact ones, or as near. Not by distance alone: its last bit depends
   * on how the query's norm was summed and how the kernel was compiled, and would cost hits.
   */
  private static int hits(SearchResult result, int sample, TopK exact, int k) {
    TopK nearest = result.nearest;
    int hits = 0;
    for (int i = 0; i < nearest.size() && hits < k; i++) {
      int slot = nearest.ordinal(i);
      if (slot != sample && (nearest.distance(i) <= kth(exact, k) || contains(exact, k, slot))) {
        hits++;
      }
    }
    return hits;
  }

  private static float kth(TopK exact, int k) {
    int size = Math.min(k, exact.size());
    return size == 0 ? 0 : exact.distance(size - 1);
  }

  private static boolean contains(TopK exact, int k, int slot) {
    for (int i = 0; i < Math.min(k, exact.size()); i++) {
      if (exact.ordinal(i) == slot) {
        return true;
      }
    }
    return false;
  }
}
