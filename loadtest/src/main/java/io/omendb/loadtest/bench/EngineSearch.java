package io.omendb.loadtest.bench;

import io.omendb.engine.Collection;
import io.omendb.engine.SearchRequest;
import io.omendb.engine.SearchResult;
import io.omendb.index.hnsw.SearchScratch;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.report.CurveRow;
import io.omendb.loadtest.report.Latencies;
import io.omendb.loadtest.report.Machine;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Searches a collection in this process with all queries of a set. Holds a lease of it until it is
 * closed.
 */
final class EngineSearch implements AutoCloseable {

  private final Collection collection;
  private final Dataset set;
  private final float[][] queries;

  EngineSearch(Collection collection, Dataset set) {
    if (!collection.acquire()) {
      throw new IllegalStateException("the collection was dropped");
    }
    this.collection = collection;
    this.set = set;
    this.queries = new float[set.queries().count()][];
    for (int query = 0; query < queries.length; query++) {
      queries[query] = set.queries().row(query);
    }
  }

  /**
   * Takes every other page of the vectors out of memory and asks every query once, by default: what
   * a search takes that has to read half of its rows.
   */
  Latencies measureWithHalfPagedOut() throws IOException {
    collection.pageOutVectors(2);
    Searcher searcher = new Searcher(0);
    Latencies latencies = new Latencies();
    for (int query = 0; query < queries.length; query++) {
      long start = System.nanoTime();
      searcher.search(query);
      latencies.record(System.nanoTime() - start);
    }
    return latencies;
  }

  /** Every query once, for the recall and to warm up; then as many as the time takes. */
  CurveRow measure(int ef, int threads, Duration time) {
    Searcher judge = new Searcher(ef);
    long found = 0;
    long distances = 0;
    for (int query = 0; query < queries.length; query++) {
      judge.search(query);
      found += set.recall().found(query, judge.ids(), judge.result.count());
      distances += judge.result.distanceComputations;
    }
    Latencies latencies = new Latencies();
    long cpu = Machine.processorNanos();
    long start = System.nanoTime();
    run(ef, threads, start + time.toNanos()).forEach(latencies::add);
    double elapsed = (System.nanoTime() - start) / 1e9;
    double cpuMicros = (Machine.processorNanos() - cpu) / 1e3 / latencies.count();
    return CurveRow.of(
        ef,
        threads == 1 ? 0 : threads,
        set.recall().mean(found),
        elapsed,
        latencies,
        cpuMicros,
        (double) distances / queries.length);
  }

  private List<Latencies> run(int ef, int threads, long deadline) {
    AtomicInteger next = new AtomicInteger();
    List<CompletableFuture<Latencies>> runs = new ArrayList<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      for (int thread = 0; thread < threads; thread++) {
        runs.add(
            CompletableFuture.supplyAsync(
                () -> new Searcher(ef).searchUntil(deadline, next), executor));
      }
      return runs.stream().map(CompletableFuture::join).toList();
    }
  }

  @Override
  public void close() {
    collection.release();
  }

  /** What one thread searches with. */
  private final class Searcher {

    private final SearchRequest request = new SearchRequest();
    private final SearchScratch scratch = new SearchScratch();
    private final SearchResult result = new SearchResult();

    Searcher(int ef) {
      request.k = Dataset.K;
      request.ef = ef;
      request.maxDistance = Float.POSITIVE_INFINITY;
    }

    void search(int query) {
      request.query = queries[query];
      collection.search(request, scratch, result);
    }

    Latencies searchUntil(long deadline, AtomicInteger next) {
      Latencies latencies = new Latencies();
      long now = System.nanoTime();
      while (now < deadline) {
        search(Math.floorMod(next.getAndIncrement(), queries.length));
        long end = System.nanoTime();
        latencies.record(end - now);
        now = end;
      }
      return latencies;
    }

    long[] ids() {
      long[] ids = new long[result.count()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = collection.rows().numericId(result.slot(i));
      }
      return ids;
    }
  }
}
