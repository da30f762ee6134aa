package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Readers of a graph under one writer. */
class SearchWhileLinkingTest {
  private static final int SIZE = 8000;
  private static final int DIMENSION = 16;
  private static final int SEARCHERS = 3;

  private static final int HANDED_OVER = 1;
  private static final int LINKED = 2;

  @ParameterizedTest
  @EnumSource(Similarity.class)
  void searchesReturnWhatIsLinkedAndFindWhatWasLinkedBefore(Similarity similarity)
      throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("SearchWhileLinkingTest seed=" + seed);
    List<AutoCloseable> retired = new ArrayList<>();
    try (NativeRows rows = NativeRows.gaussian(DIMENSION, SIZE, seed);
        Workers workers = new Workers(2, "link");
        ExecutorService executor = Executors.newFixedThreadPool(SEARCHERS);
        HnswIndex index = rows.index(similarity, NativeRows.M, workers, retired)) {
      // Scattered batches: below the bound there are always ordinals that are not linked.
      int[] order = HnswIndexTest.shuffled(SIZE, seed);
      AtomicIntegerArray states = new AtomicIntegerArray(SIZE + 1); // last: whether it is over
      List<Future<int[]>> searches = new ArrayList<>();
      for (int s = 0; s < SEARCHERS; s++) {
        long ownSeed = seed + s;
        searches.add(executor.submit(() -> search(rows, index, states, ownSeed)));
      }
      try {
        int at = 0;
        while (at < SIZE) {
          int size = Math.min(SIZE - at, NativeRows.batchSize(index));
          int[] batch = Arrays.copyOfRange(order, at, at + size);
          for (int ordinal : batch) {
            states.set(ordinal, HANDED_OVER);
          }
          index.link(batch, size, SIZE);
          for (int ordinal : batch) {
            states.set(ordinal, LINKED);
          }
          at += size;
          if (at % 5 == 0) {
            index.sweep();
          }
        }
        index.sweep();
      } finally {
        states.set(SIZE, 1);
      }
      int asked = 0;
      int found = 0;
      for (Future<int[]> search : searches) {
        int[] counts = get(search);
        asked += counts[0];
        found += counts[1];
      }
      System.err.println(similarity + " asked=" + asked + " found=" + found);
      assertTrue(asked > 100, "asked=" + asked);
      if (similarity != Similarity.INNER_PRODUCT) {
        assertTrue(found >= 0.98 * asked, found + " of " + asked + " rows found themselves");
      }
      assertEquals(List.of(), index.violations());
    }
    NativeRows.closeAll(retired);
  }

  private static int[] get(Future<int[]> search) throws InterruptedException {
    try {
      return search.get();
    } catch (ExecutionException e) {
      throw new AssertionError("a search failed", e.getCause());
    }
  }

  /** Asks for linked rows by their own vectors until linking is over: how many, how many found. */
  private static int[] search(
      NativeRows rows, HnswIndex index, AtomicIntegerArray states, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    SearchScratch scratch = new SearchScratch();
    int asked = 0;
    int found = 0;
    while (states.get(SIZE) == 0) {
      if (random.nextInt(50) == 0) {
        scratch = new SearchScratch(); // arrays fitted tightly to the graph as it is
      }
      int row = random.nextInt(SIZE);
      boolean linkedBefore = states.get(row) == LINKED;
      float[] query = rows.vector(row);
      int n = index.search(query, 64, scratch);
      boolean met = false;
      for (int i = 0; i < n; i++) {
        int ordinal = HnswIndex.found(scratch, i);
        assertTrue(states.get(ordinal) >= HANDED_OVER, "never handed over: " + ordinal);
        assertTrue(index.graph().isLinked(ordinal));
        met |= ordinal == row;
      }
      if (linkedBefore) {
        asked++;
        found += met ? 1 : 0;
      }
    }
    return new int[] {asked, found};
  }
}
