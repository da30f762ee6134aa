package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HnswGraphTest {
  private static final int M = 16;
  private static final int NODES = 200_000;

  @Test
  void aListIsReplacedByALongerAndByAShorterOne() {
    try (HnswGraph graph = new HnswGraph(M, 10)) {
      graph.ensure(10);
      graph.addNode(0, 0);
      int[] read = new int[2 * M];
      for (int count : new int[] {1, 0, 2 * M, 5, 6, 2 * M - 1, 2 * M, 3}) {
        int[] ids = IntStream.rangeClosed(count, 2 * count).limit(count).toArray();
        graph.setNeighbors(0, 0, ids, count);
        assertEquals(count, graph.neighbors(0, 0, read));
        assertArrayEquals(ids, java.util.Arrays.copyOf(read, count));
      }
    }
  }

  /** Fresh memory is full of zeros, and 0 is the ordinal of some node that is no neighbour. */
  @Test
  void aReaderMeetsNothingButIdsWhileAListGrows() throws Exception {
    int[] one = {1};
    int[] all = IntStream.rangeClosed(1, 2 * M).toArray();
    AtomicInteger growing = new AtomicInteger(-1);
    try (ExecutorService executor = Executors.newSingleThreadExecutor();
        HnswGraph graph = new HnswGraph(M, NODES)) {
      graph.ensure(NODES);
      Future<Integer> zeros =
          executor.submit(() -> {
            int[] read = new int[2 * M];
            int met = 0;
            int node = growing.get();
            for (; node < 0; node = growing.get()) {
              Thread.onSpinWait(); // no list has been written yet
            }
            for (; node < NODES; node = growing.get()) {
              int count = graph.neighbors(0, node, read);
              for (int i = 0; i < count; i++) {
                met += read[i] == 0 ? 1 : 0;
              }
            }
            return met;
          });
      for (int node = 0; node < NODES; node++) {
        graph.addNode(node, 0);
        graph.setNeighbors(0, node, one, 1);
        growing.set(node);
        graph.setNeighbors(0, node, all, all.length);
      }
      growing.set(NODES);
      assertEquals(0, zeros.get(1, TimeUnit.MINUTES));
    }
  }
}
