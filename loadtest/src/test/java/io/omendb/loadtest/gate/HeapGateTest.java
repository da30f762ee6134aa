package io.omendb.loadtest.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.client.BulkFrames;
import io.omendb.loadtest.client.BulkLoad;
import io.omendb.loadtest.client.BulkOptions;
import io.omendb.loadtest.client.SearchLoad;
import io.omendb.loadtest.client.Searches;
import io.omendb.loadtest.data.ArrayVectors;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.data.Vectors;
import io.omendb.loadtest.report.Progress;
import io.omendb.proto.v1.Visibility;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Heavy load on a server whose heap is 256 MiB, and which ends if that is not enough. */
@Tag("ci")
class HeapGateTest {

  private static final int COUNT = 300_000;
  private static final int DIMENSION = 128;
  private static final int STREAMS = 8;

  @Test
  void takesManyVectorsAndManySearchesAtOnceInASmallHeap(@TempDir Path data) throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    float[] components = new float[COUNT * DIMENSION];
    for (int i = 0; i < components.length; i++) {
      components[i] = random.nextInt(256);
    }
    Vectors rows = new ArrayVectors(components, DIMENSION);
    Vectors queries = ArrayVectors.of(100, DIMENSION, rows::row);
    try (Gate gate = Gate.open(data)) {
      gate.build(queries, Metric.L2, Visibility.VISIBILITY_IMMEDIATE);
      CompletableFuture<SearchLoad.Result> searches =
          CompletableFuture.supplyAsync(() ->
              SearchLoad.run(
                  gate.connection().channels(32),
                  Searches.encoded(Gate.COLLECTION, queries, 0),
                  Duration.ofSeconds(20)));
      // Large frames over many streams: what is in flight is then far more than the heap.
      BulkOptions options = new BulkOptions(STREAMS, 4096, Visibility.VISIBILITY_AFTER_BUILD);
      try (BulkFrames frames = new BulkFrames(rows, Gate.COLLECTION, options)) {
        frames.encodeAhead();
        BulkLoad.run(gate.connection().channels(STREAMS), frames, Progress.NONE);
      }
      assertTrue(searches.join().latencies().count() > 0);
      assertTrue(gate.server().isAlive(), () -> gate.server().log());
      assertEquals(COUNT, gate.stats().getLiveCount());
    }
  }
}
