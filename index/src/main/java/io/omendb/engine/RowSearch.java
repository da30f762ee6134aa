package io.omendb.engine;

import io.omendb.index.ExactDistance;
import io.omendb.index.Similarity;
import io.omendb.index.TopK;
import io.omendb.index.hnsw.HnswIndex;
import io.omendb.index.hnsw.Scoring;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.memory.Memory;
import io.omendb.memory.Posix;
import io.omendb.storage.CollectionStore;
import java.util.concurrent.atomic.LongAdder;

/**
 * Answers searches: the graph on codes, re-ranked on full vectors, beside a scan of what is not
 * linked. Any number of threads, each with its own scratch and result; no locks, no allocation once
 * these have grown.
 */
final class RowSearch {
  /** Beam beyond which the search gives up looking for live rows in the graph. */
  private static final int MAX_BEAM = 16_384;

  /** Share of the live rows wanted in the beam with which a search is content. */
  private static final double ENOUGH = 0.8;

  /** The beam of a search that ends by distance, in the ef that finds as much: it seldom fills. */
  private static final int BEAM_OF_REACH = 4;

  /** Searches that a batch may overlap before the next one makes batches wait. */
  private static final int MAX_TRIES = 4;

  /** Times k rows that are gathered where some were replaced while a search ran. */
  private static final int REPLACED_MEANWHILE = 4;

  /** Fewest rows measured again on full vectors. */
  private static final int MIN_RERANK = 20;

  /** Rows scanned between two questions whether somebody still waits: some milliseconds. */
  private static final int SCANNED_AT_ONCE = 1 << 15;

  /** Rows that a scan asks for at once where they are not in memory. */
  private static final int ASKED_AT_ONCE = 256;

  private final CollectionStore store;
  private final HnswIndex index;
  private final UnlinkedBuffer buffer;
  private final ReplacedRows replaced;
  private final ReaderEpoch codeReaders;
  private final Similarity similarity;
  private final int dimension;
  private final int padded;
  private final ColdRows cold = new ColdRows(Posix::majorFaults);
  private final LongAdder searches = new LongAdder();
  private final LongAdder fallbacks = new LongAdder();

  RowSearch(
      CollectionStore store,
      HnswIndex index,
      UnlinkedBuffer buffer,
      ReplacedRows replaced,
      ReaderEpoch codeReaders,
      Similarity similarity) {
    this.store = store;
    this.index = index;
    this.buffer = buffer;
    this.replaced = replaced;
    this.codeReaders = codeReaders;
    this.similarity = similarity;
    this.dimension = store.schema().dimension();
    this.padded = store.rows().rowStride() / Float.BYTES;
  }

  long searches() {
    return searches.sum();
  }

  long fallbacks() {
    return fallbacks.sum();
  }

  /**
   * @param calibrated of the collection: what the beam is scored on, and its width where the
   *     request names none
   * @throws IllegalArgumentException if the query's norm is none that rows may have
   */
  void search(
      SearchRequest request, Calibration calibrated, SearchScratch scratch, SearchResult result) {
    searches.increment();
    Calibration calibration = calibrated.usable(index.hasBlocks());
    int most = request.k;
    for (int tries = 1; tries < MAX_TRIES; tries++) {
      long version = replaced.version();
      boolean whole = searchOnce(request, calibration, most, scratch, result);
      if (result.abandoned || (whole && replaced.isAt(version))) {
        return;
      }
      if (!whole) {
        most = REPLACED_MEANWHILE * request.k;
      }
    }
    synchronized (replaced) {
      boolean unused = searchOnce(request, calibration, most, scratch, result);
    }
  }

  /**
   * @param most rows that are gathered, of which the best k are given
   * @return false where rows and what replaced them meanwhile took so much of it that others may be
   *     missing
   */
  private boolean searchOnce(
      SearchRequest request,
      Calibration calibration,
      int most,
      SearchScratch scratch,
      SearchResult result) {
    result.reset(most);
    float[] query = load(request.query, scratch);
    float squaredNorm = squaredNorm(query);
    // The snapshot before the graph: a row that is linked in between is met twice, never missed.
    UnlinkedBuffer.Snapshot snapshot = buffer.snapshot();
    if (request.exact) {
      result.strategy = SearchStrategy.EXACT;
      scanAll(request, query, squaredNorm, snapshot, result);
    } else if (index.linkedCount() == 0) {
      result.strategy = SearchStrategy.FLAT;
      scanUnlinked(request, query, squaredNorm, snapshot, result);
    } else if (request.ef == 0 && calibration.scans()) {
      result.strategy = SearchStrategy.FLAT;
      scanAll(request, query, squaredNorm, snapshot, result);
    } else {
      searchLinked(request, calibration, query, squaredNorm, snapshot, scratch, result);
    }
    boolean arrived = scanArrived(request, query, squaredNorm, snapshot.count(), result);
    return collect(request, arrived ? snapshot.count() : Integer.MAX_VALUE, result);
  }

  /** Searches the graph and what is not linked, or all rows one by one. */
  private void searchLinked(
      SearchRequest request,
      Calibration calibration,
      float[] query,
      float squaredNorm,
      UnlinkedBuffer.Snapshot snapshot,
      SearchScratch scratch,
      SearchResult result) {
    int wanted = request.ef > 0 ? request.ef : calibration.efFor(request.k);
    int ef = atLeast(request.k, calibration.scoring(), wanted);
    long beam = beam(ef);
    if (beam > MAX_BEAM) {
      // So few of the rows are left that the graph would be walked through for them in vain.
      result.strategy = SearchStrategy.FLAT;
      scanAll(request, query, squaredNorm, snapshot, result);
    } else {
      float reach = request.ef > 0 ? 0 : calibration.reachFor(request.k);
      prepare(query, squaredNorm, calibration.scoring(), request.k, reach, scratch);
      int found = graph(query, squaredNorm, ef, beam, request.k, scratch, result);
      if (found < request.k && result.ef >= MAX_BEAM) {
        // Deleted rows fill the widest beam: they lie here, and what is left lies elsewhere.
        result.strategy = SearchStrategy.FLAT;
        scanAll(request, query, squaredNorm, snapshot, result);
      } else if (found < request.k && missed(request.k, found, snapshot)) {
        fallbacks.increment();
        result.strategy = SearchStrategy.FALLBACK;
        scanAll(request, query, squaredNorm, snapshot, result);
      } else {
        scanUnlinked(request, query, squaredNorm, snapshot, result);
      }
    }
  }

  /** Compares all rows; the result's nearest rows are not copied out. */
  void scan(SearchRequest request, SearchScratch scratch, SearchResult result) {
    result.reset(request.k);
    float[] query = load(request.query, scratch);
    scanAll(request, query, squaredNorm(query), buffer.snapshot(), result);
  }

  /** Searches the graph alone; the result's nearest rows are not copied out. */
  void searchGraph(
      SearchRequest request,
      int ef,
      float reach,
      Scoring scoring,
      SearchScratch scratch,
      SearchResult result) {
    result.reset(request.k);
    float[] query = load(request.query, scratch);
    float squaredNorm = squaredNorm(query);
    int most = atLeast(request.k, scoring, ef);
    prepare(query, squaredNorm, scoring, request.k, reach, scratch);
    graph(query, squaredNorm, most, beam(most), request.k, scratch, result);
  }

  /**
   * Says how the graph is to be searched.
   *
   * @param scoring what nodes are scored on; full vectors need no re-ranking
   * @param reach beyond which a search ends; 0: it ends when the beam is expanded
   */
  private void prepare(
      float[] query,
      float squaredNorm,
      Scoring scoring,
      int k,
      float reach,
      SearchScratch scratch) {
    switch (scoring) {
      case CODES -> scratch.scoreOnCodes();
      case BLOCKS -> scratch.scoreOnBlocks();
      case VECTORS -> scratch.scoreOnVectors(query, squaredNorm, padded);
    }
    if (reach > 0) {
      scratch.stopBeyond((int) Math.min(MAX_BEAM, beam(Math.max(k, Calibration.K))), reach);
    } else {
      scratch.neverStop();
    }
  }

  private float[] load(float[] given, SearchScratch scratch) {
    float[] query = scratch.floatQuery(padded);
    System.arraycopy(given, 0, query, 0, dimension);
    for (int j = dimension; j < padded; j++) {
      query[j] = 0;
    }
    return query;
  }

  private float squaredNorm(float[] query) {
    float squaredNorm = QueryNorm.squared(query, 0, dimension);
    if (!QueryNorm.isValid(squaredNorm, similarity)) {
      throw new IllegalArgumentException(
          "query: squared norm " + squaredNorm + ", expected " + QueryNorm.expected(similarity));
    }
    return squaredNorm;
  }

  /** Whether the graph holds more live rows than it gave. */
  private boolean missed(int k, int found, UnlinkedBuffer.Snapshot snapshot) {
    int live = store.rows().liveCount();
    int arrived = store.rows().count() - snapshot.count();
    long elsewhere = snapshot.unlinked().slots() + snapshot.unbuilt().slots() + arrived;
    return found < Math.min(k, live - elsewhere);
  }

  /**
   * Searches the graph with a beam that holds {@code ef} rows that are found: deleted nodes are
   * walked through and do not count. The first beam follows from their share, and is widened where
   * they lie closer here than elsewhere.
   *
   * @return how many rows of the beam are found
   */
  private int graph(
      float[] query,
      float squaredNorm,
      int ef,
      long firstBeam,
      int k,
      SearchScratch scratch,
      SearchResult result) {
    boolean stops = scratch.stopRank() > 0;
    int beam = (int) Math.min(stops ? BEAM_OF_REACH * firstBeam : firstBeam, MAX_BEAM);
    while (true) {
      long start = System.nanoTime();
      int side = codeReaders.enter();
      int met;
      try {
        met = index.search(query, beam, scratch);
      } finally {
        codeReaders.exit(side);
      }
      result.ef = stops ? (int) firstBeam : beam;
      result.nodesVisited += scratch.nodesVisited();
      result.distanceComputations += scratch.distanceComputations();
      int nearest = stops ? found(Math.min(scratch.stopRank(), met), scratch) : 0;
      int found = found(met, scratch);
      result.graphNanos += System.nanoTime() - start;
      if (stops && found < met && (nearest < ENOUGH * k || found < k)) {
        // Deleted rows lie closer here than elsewhere, and stopped it too soon.
        scratch.neverStop();
        stops = false;
        continue;
      }
      boolean enough = found >= k && (double) found * beam >= ENOUGH * ef * met;
      if (enough || stops || !scratch.filled() || beam >= MAX_BEAM) {
        rerank(
            query,
            squaredNorm,
            k,
            Math.min(found, reranked(scratch.scoring(), k, ef)),
            scratch,
            result);
        return found;
      }
      long wider = Math.max(2L * beam, (long) ef * met / Math.max(1, found));
      beam = (int) Math.min(MAX_BEAM, wider);
    }
  }

  /** An ef that gives k rows: by blocks some of it are met more than once. */
  private static int atLeast(int k, Scoring scoring, int ef) {
    return Math.max(ef, scoring == Scoring.BLOCKS ? k + k / 2 : k);
  }

  /**
   * Rows that are measured again. Blocks are chosen only where so few suffice: half a beam of 100
   * took 8 of 52 us, and changed no answer in a thousand (60,000 photo-SIFT).
   */
  private static int reranked(Scoring scoring, int k, int ef) {
    int few = Math.max(MIN_RERANK, 2 * k);
    return switch (scoring) {
      case CODES -> Math.max(few, ef / 2);
      case BLOCKS -> few;
      case VECTORS -> k;
    };
  }

  /** The beam of which {@code ef} rows are found, by the share of all rows that are. */
  private long beam(int ef) {
    int count = store.rows().count();
    int found = Math.min(count, store.rows().liveCount() + replaced.count());
    return found == count ? ef : Math.max(ef, (long) ef * count / Math.max(1, found));
  }

  /**
   * Puts those of the nearest nodes that are found, in their order, into the scratch's rows, and
   * their distances.
   */
  private int found(int nodes, SearchScratch scratch) {
    int[] rows = scratch.rows(nodes);
    int[] distances = scratch.rowDistances(nodes);
    int count = store.rows().count();
    int found = 0;
    for (int i = 0; i < nodes; i++) {
      int slot = HnswIndex.found(scratch, i);
      if (slot < count && isFound(slot)) {
        distances[found] = HnswIndex.foundDistance(scratch, i);
        rows[found++] = slot;
      }
    }
    return found;
  }

  /**
   * Measures the first of the scratch's rows on full vectors. By blocks these are the k nearest by
   * their codes, and those whose codes leave it open whether they are nearer than one of these.
   */
  private void rerank(
      float[] query,
      float squaredNorm,
      int k,
      int most,
      SearchScratch scratch,
      SearchResult result) {
    long start = System.nanoTime();
    int end = most;
    if (scratch.scoring() == Scoring.BLOCKS && most > k) {
      measure(query, squaredNorm, 0, k, scratch, result);
      float kth = result.nearest.distance(Math.min(k, result.nearest.size()) - 1);
      int farthest = index.codes().quantizer().farthest(kth);
      int[] distances = scratch.rowDistances(most);
      end = k;
      while (end < most && distances[end] <= farthest) {
        end++;
      }
      measure(query, squaredNorm, k, end, scratch, result);
    } else {
      measure(query, squaredNorm, 0, most, scratch, result);
    }
    result.reranked += end;
    result.distanceComputations += end;
    result.rerankNanos += System.nanoTime() - start;
  }

  private void measure(
      float[] query,
      float squaredNorm,
      int from,
      int to,
      SearchScratch scratch,
      SearchResult result) {
    int[] rows = scratch.rows(to);
    long base = store.rows().vectorsAddress();
    int stride = store.rows().rowStride();
    boolean asks = cold.areLikely();
    if (asks) {
      for (int i = from; i < to; i++) {
        index.rows().willRead(rows[i], rows[i] + 1);
      }
    }
    long start = System.nanoTime();
    int touched = 0;
    for (int i = from; i < to; i++) {
      touched += Memory.touch(base + (long) rows[i] * stride, stride);
    }
    scratch.keep(touched);
    if (!asks) {
      long nanos = System.nanoTime() - start;
      scratch.majorFaults = cold.read(to - from, nanos, scratch.majorFaults);
    }
    for (int i = from; i < to; i++) {
      offer(query, squaredNorm, rows[i], result.nearest);
    }
  }

  private void scanUnlinked(
      SearchRequest request,
      float[] query,
      float squaredNorm,
      UnlinkedBuffer.Snapshot snapshot,
      SearchResult result) {
    long start = System.nanoTime();
    SlotRanges unlinked = snapshot.unlinked();
    for (int range = 0; range < unlinked.count(); range++) {
      scan(request, query, squaredNorm, unlinked.from(range), unlinked.to(range), result);
    }
    result.unlinkedRows = unlinked.slots();
    result.scanNanos += System.nanoTime() - start;
  }

  private void scanAll(
      SearchRequest request,
      float[] query,
      float squaredNorm,
      UnlinkedBuffer.Snapshot snapshot,
      SearchResult result) {
    long start = System.nanoTime();
    SlotRanges unbuilt = snapshot.unbuilt();
    int from = 0;
    for (int range = 0;
        range < unbuilt.count() && unbuilt.from(range) < snapshot.count();
        range++) {
      scan(request, query, squaredNorm, from, unbuilt.from(range), result);
      from = unbuilt.to(range);
    }
    scan(request, query, squaredNorm, from, snapshot.count(), result);
    result.unlinkedRows = snapshot.unlinked().slots();
    result.scanNanos += System.nanoTime() - start;
  }

  /**
   * Compares what was published since the snapshot was taken. A row that was replaced meanwhile may
   * have been passed over as dead; its replacement, counted before it died, is among these.
   *
   * @return whether there was any
   */
  private boolean scanArrived(
      SearchRequest request,
      float[] query,
      float squaredNorm,
      int snapshotCount,
      SearchResult result) {
    int from = snapshotCount;
    int to = store.rows().count();
    while (from < to) {
      // Read after the count: rows are placed before they are logged.
      SlotRanges unbuilt = buffer.snapshot().unbuilt();
      for (int slot = from; slot < to; slot++) {
        if (!unbuilt.contains(slot)) {
          scan(request, query, squaredNorm, slot, slot + 1, result);
          result.unlinkedRows++;
        }
      }
      from = to;
      to = store.rows().count();
    }
    return to > snapshotCount;
  }

  private void scan(
      SearchRequest request,
      float[] query,
      float squaredNorm,
      int from,
      int to,
      SearchResult result) {
    for (int start = from; start < to && !result.abandoned; start += SCANNED_AT_ONCE) {
      int end = Math.min(to, start + SCANNED_AT_ONCE);
      scan(query, squaredNorm, start, end, result);
      result.abandoned = end < to && request.abandoned.getAsBoolean();
    }
  }

  private void scan(float[] query, float squaredNorm, int from, int to, SearchResult result) {
    boolean asks = false;
    for (int start = from; start < to; start += ASKED_AT_ONCE) {
      int end = Math.min(to, start + ASKED_AT_ONCE);
      if (asks) {
        index.rows().willRead(start, end);
      }
      long began = System.nanoTime();
      for (int slot = start; slot < end; slot++) {
        if (isFound(slot)) {
          offer(query, squaredNorm, slot, result.nearest);
          result.distanceComputations++;
        }
      }
      asks |= System.nanoTime() - began > (end - start) * ColdRows.WARM_NANOS_A_ROW;
    }
  }

  private boolean isFound(int slot) {
    return replaced.isFound(slot, store.rows().isDeleted(slot));
  }

  private void offer(float[] query, float squaredNorm, int slot, TopK nearest) {
    long row = store.rows().vectorsAddress() + (long) slot * store.rows().rowStride();
    float rowSquaredNorm = similarity == Similarity.COSINE ? store.rows().squaredNorm(slot) : 0;
    float distance =
        ExactDistance.distance(similarity, query, squaredNorm, row, rowSquaredNorm, padded);
    if (distance <= nearest.bound()) {
      nearest.offer(distance, slot);
    }
  }

  /**
   * Copies the nearest out; orders equal distances by id.
   *
   * @param arrivedFrom slots from here on may be replacements of others among them
   * @return false where there are fewer than k because some were left out for their replacements
   */
  private boolean collect(SearchRequest request, int arrivedFrom, SearchResult result) {
    TopK nearest = result.nearest;
    int n = 0;
    int tied = 0; // the first of those found with the distance of the last
    boolean whole = true;
    for (int i = 0;
        i < nearest.size() && n < request.k && nearest.distance(i) <= request.maxDistance;
        i++) {
      int slot = nearest.ordinal(i);
      if (arrivedFrom != Integer.MAX_VALUE && isReplaced(slot, arrivedFrom, nearest)) {
        whole = false;
        continue;
      }
      float distance = nearest.distance(i);
      if (n > 0 && result.distances[n - 1] != distance) {
        tied = n;
      }
      int at = placeById(slot, result.slots, tied, n);
      System.arraycopy(result.slots, at, result.slots, at + 1, n - at);
      result.slots[at] = slot;
      result.distances[n++] = distance;
    }
    result.count = n;
    return whole || n == request.k;
  }

  /** Where {@code slot} belongs among {@code slots[from, to)}, which are in order of id. */
  private int placeById(int slot, int[] slots, int from, int to) {
    int low = from;
    int high = to;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (store.rows().compareIds(slot, slots[middle]) < 0) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  private boolean isReplaced(int slot, int arrivedFrom, TopK nearest) {
    for (int i = 0; i < nearest.size(); i++) {
      int other = nearest.ordinal(i);
      if (other >= arrivedFrom && other > slot && store.rows().compareIds(slot, other) == 0) {
        return true;
      }
    }
    return false;
  }
}
