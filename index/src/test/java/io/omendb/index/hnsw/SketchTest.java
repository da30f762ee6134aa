package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.memory.NativeInts;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A sketch is as good as the codes on some data, and is known to be worse on other. */
class SketchTest {
  private static final int DIMENSION = 200;
  private static final int COUNT = 5_000;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final Random random = new Random(seed);
  private final Workers workers = new Workers(2, "link");

  @AfterEach
  void close() {
    workers.close();
  }

  @Test
  void rowsOfFewDirectionsHaveTheSameNearest() {
    float[][] basis = new float[20][DIMENSION];
    for (float[] direction : basis) {
      for (int k = 0; k < DIMENSION; k++) {
        direction[k] = (float) random.nextGaussian();
      }
    }
    try (NativeRows rows = new NativeRows(DIMENSION, COUNT)) {
      for (int i = 0; i < COUNT; i++) {
        float[] row = new float[DIMENSION];
        for (float[] direction : basis) {
          float factor = (float) random.nextGaussian();
          for (int k = 0; k < DIMENSION; k++) {
            row[k] += factor * direction[k];
          }
        }
        rows.add(row);
      }
      double share = agreement(rows);
      assertTrue(share > 0.9, "share " + share);
    }
  }

  @Test
  void rowsOfAllDirectionsHaveOthers() {
    try (NativeRows rows = NativeRows.gaussian(DIMENSION, COUNT, seed)) {
      double share = agreement(rows);
      assertTrue(share < 0.6, "share " + share);
    }
  }

  /** Of the nearest by codes in the leaves of a partition, the share that is by a sketch. */
  private double agreement(NativeRows rows) {
    System.err.println("SketchTest seed=" + seed);
    try (HnswIndex index = rows.buildAtOnce(Similarity.L2, workers);
        NativeInts nodes = new NativeInts(COUNT);
        Partition partition = new Partition(JoinRows.of(index.codes()), all(nodes), 2);
        Sketch sketch = new Sketch(index.codes(), nodes)) {
      for (Supplier<BulkLinker.Work> stage : sketch.stages()) {
        BulkLinker.Work work = stage.get();
        workers.run(work.chunks(), work.task());
      }
      Partition.Scratch scratch = partition.newScratch();
      for (int stripe = 0; stripe < partition.stripes(); stripe++) {
        partition.assign(stripe, scratch);
      }
      partition.scatter();
      for (int cluster = 0; cluster < partition.clusters(); cluster++) {
        partition.split(cluster, scratch);
      }
      partition.gatherLeaves();
      LeafAgreement agreement = new LeafAgreement(nodes, partition);
      for (int leaf = 0; leaf < partition.leaves(); leaf++) {
        agreement.add(leaf, JoinRows.of(index.codes()), sketch.rows());
      }
      System.err.println("share " + agreement.share());
      return agreement.share();
    }
  }

  private static NativeInts all(NativeInts nodes) {
    for (int i = 0; i < COUNT; i++) {
      nodes.set(i, i);
    }
    return nodes;
  }
}
