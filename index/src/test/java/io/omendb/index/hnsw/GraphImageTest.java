package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import io.omendb.memory.Memory;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GraphImageTest {
  /** Rows that no later batch makes the quantizer be fitted anew to: an image would be whole. */
  private static final long UNREFITTED = 7;

  private final long seed = Long.getLong("seed", System.nanoTime());
  private final List<AutoCloseable> retired = new ArrayList<>();

  @ParameterizedTest
  @CsvSource({
    "L2, 16, 1500",
    "COSINE, 100, 700",
    "INNER_PRODUCT, 33, 1500",
    "L2, 3, 1",
    "INNER_PRODUCT, 8, 0"
  })
  void whatIsReadIsWhatWasWritten(Similarity similarity, int dimension, int size)
      throws IOException {
    System.err.println("GraphImageTest seed=" + seed);
    try (NativeRows rows = NativeRows.gaussian(dimension, size + 1, seed);
        Workers workers = new Workers(1, "link");
        HnswIndex written = rows.index(similarity, NativeRows.M, workers, retired);
        HnswIndex read = rows.index(similarity, NativeRows.M, workers, retired)) {
      rows.link(written, retired, 0, size);
      written.sweep();
      byte[] image = write(written);
      assertTrue(read(read, size, image));
      assertEquals(written.graphHash(), read.graphHash());
      assertEquals(size, read.linkedCount());
      assertEquals(List.of(), read.violations());
      assertArrayEquals(image, write(read));
      SearchScratch one = new SearchScratch();
      SearchScratch two = new SearchScratch();
      for (float[] query : rows.gaussianQueries(50, seed + 1)) {
        int found = written.search(query, 40, one);
        assertEquals(found, read.search(query, 40, two));
        for (int i = 0; i < found; i++) {
          assertEquals(one.pool[i], two.pool[i]);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"L2", "COSINE", "INNER_PRODUCT"})
  void whatIsReadGrowsAsIfItHadNeverBeenWritten(Similarity similarity) throws IOException {
    int size = 3000;
    try (NativeRows rows = NativeRows.gaussian(24, size, seed);
        Workers workers = new Workers(2, "link");
        HnswIndex written = rows.index(similarity, NativeRows.M, workers, retired);
        HnswIndex read = rows.index(similarity, NativeRows.M, workers, retired)) {
      rows.link(written, retired, 0, 1000);
      assertTrue(read(read, size, write(written)));
      rows.link(written, retired, 1000, size);
      rows.link(read, retired, 1000, size);
      assertEquals(written.graphHash(), read.graphHash());
      read.sweep();
      assertEquals(List.of(), read.violations());
    }
  }

  @Test
  void anImageOfAnotherShapeIsRefusedAndTheIndexStaysEmpty() throws IOException {
    int size = 400;
    try (NativeRows rows = NativeRows.gaussian(24, size, seed);
        NativeRows wider = NativeRows.gaussian(40, size, seed);
        Workers workers = new Workers(1, "link");
        HnswIndex written = rows.index(Similarity.L2, 16, workers, retired);
        HnswIndex otherM = rows.index(Similarity.L2, 8, workers, retired);
        HnswIndex otherDimension = wider.index(Similarity.L2, 16, workers, retired);
        HnswIndex otherSimilarity = rows.index(Similarity.COSINE, 16, workers, retired);
        HnswIndex same = rows.index(Similarity.L2, 16, workers, retired)) {
      rows.link(written, retired, 0, size);
      byte[] image = write(written);
      assertRefused(otherM, size, image);
      assertRefused(otherDimension, size, image);
      assertRefused(otherSimilarity, size, image);
      assertRefused(same, size - 1, image);
      byte[] notAnImage = image.clone();
      notAnImage[0] ^= 1;
      assertRefused(same, size, notAnImage);
      byte[] otherRotation = image.clone();
      otherRotation[GraphImageLayout.ROTATION]++;
      assertRefused(same, size, otherRotation);
      // What was refused may still be filled, by the right image or by linking.
      assertTrue(read(same, size, image));
      assertEquals(written.graphHash(), same.graphHash());
      rows.link(otherSimilarity, retired, 0, size);
      assertEquals(List.of(), otherSimilarity.violations());
    }
  }

  private static void assertRefused(HnswIndex index, int maxBound, byte[] image)
      throws IOException {
    assertFalse(read(index, maxBound, image));
    assertEquals(0, index.linkedCount());
    assertEquals(-1, index.graph().entryNode());
    assertEquals(0, index.search(new float[48], 10, new SearchScratch()));
  }

  /** A batch between any two portions, and so also between those of one array. */
  @ParameterizedTest
  @EnumSource(Similarity.class)
  void anImageIsWrittenWhileTheGraphGrows(Similarity similarity) throws IOException {
    int size = 12_000;
    int before = 4_000;
    List<AutoCloseable> held = new ArrayList<>(); // as the engine's readers hold tables
    try (NativeRows rows = NativeRows.gaussian(12, size, seed);
        Workers workers = new Workers(2, "link");
        HnswIndex written = rows.index(similarity, NativeRows.M, workers, held);
        HnswIndex read = rows.index(similarity, NativeRows.M, workers, retired)) {
      rows.link(written, retired, 0, before);
      written.sweep();
      int[] next = {before};
      byte[] image =
          write(
              written,
              () -> {
                int to = Math.min(size, next[0] + 800);
                rows.link(written, retired, next[0], to); // closes none of those held
                next[0] = to;
              });
      NativeRows.closeAll(held);
      assertEquals(size, next[0], "portions of the image");
      assertTrue(read(read, before, image));
      assertEquals(before, read.linkedCount());
      read.sweep();
      assertEquals(List.of(), read.violations());
      rows.link(read, retired, before, size);
      read.sweep();
      assertEquals(List.of(), read.violations());
      SearchScratch one = new SearchScratch();
      SearchScratch two = new SearchScratch();
      int same = 0;
      for (float[] query : rows.gaussianQueries(200, seed + 1)) {
        written.search(query, 60, one);
        read.search(query, 60, two);
        int nearest = HnswIndex.found(one, 0);
        // Not at the same place: the two have other codes.
        same +=
            IntStream.range(0, two.poolSize).anyMatch(i -> HnswIndex.found(two, i) == nearest)
                ? 1
                : 0;
      }
      assertTrue(same >= 198, "the nearest found for " + same + " of 200");
    }
  }

  /** An image and what was added to it are together what a whole image is. */
  @ParameterizedTest
  @EnumSource(Similarity.class)
  void changesAreAddedToAnImage(Similarity similarity) throws IOException {
    int size = 40_000;
    int[] steps = {36_000, 36_000, 36_001, 36_040, 39_000};
    try (NativeRows rows = NativeRows.gaussian(8, size, UNREFITTED);
        Workers workers = new Workers(2, "link");
        HnswIndex written = rows.index(similarity, NativeRows.M, workers, retired);
        HnswIndex read = rows.index(similarity, NativeRows.M, workers, retired)) {
      assertTrue(written.needsWholeImage());
      rows.link(written, retired, 0, steps[0]);
      written.sweep();
      byte[] image = write(written);
      assertTrue(read(read, size, image));
      for (int step = 1; step < steps.length; step++) {
        assertFalse(written.needsWholeImage());
        rows.link(written, retired, steps[step - 1], steps[step]);
        written.sweep();
        long expected = GraphChanges.bytes(written);
        byte[] changes = writeChanges(written);
        int more = steps[step] - steps[step - 1];
        assertTrue(changes.length <= 1.1 * expected + 5_000, changes.length + " of " + expected);
        assertTrue(changes.length <= 64 + more * 20_000, changes.length + " for " + more);
        assertTrue(GraphChanges.read(read, size, input(changes)));
        assertEquals(written.graphHash(), read.graphHash());
        assertEquals(steps[step], read.linkedCount());
        assertEquals(List.of(), read.violations());
      }
      assertArrayEquals(write(written), write(read));
      assertFalse(GraphChanges.read(read, size - 1_001, input(writeChanges(written))));
    }
  }

  /** Batches come between the cuts and while they are written. */
  @ParameterizedTest
  @EnumSource(Similarity.class)
  void changesAreWrittenWhileTheGraphGrows(Similarity similarity) throws IOException {
    int size = 40_000;
    List<AutoCloseable> held = new ArrayList<>();
    try (NativeRows rows = NativeRows.gaussian(8, size, UNREFITTED);
        Workers workers = new Workers(2, "link");
        HnswIndex written = rows.index(similarity, NativeRows.M, workers, held);
        HnswIndex read = rows.index(similarity, NativeRows.M, workers, retired)) {
      rows.link(written, retired, 0, 36_000);
      int[] next = {36_000};
      int[] writes = {0};
      Runnable grow =
          () -> {
            if (writes[0]++ % 100 == 50 && next[0] < size) {
              rows.link(written, retired, next[0], next[0] + 100);
              next[0] += 100;
            }
          };
      assertTrue(read(read, size, write(written, grow)));
      while (next[0] < size) {
        int before = next[0];
        assertTrue(GraphChanges.read(read, size, input(write(written, false, grow))));
        assertEquals(before, read.linkedCount());
        if (next[0] == before) {
          rows.link(written, retired, before, before + 100);
          next[0] += 100;
        }
      }
      NativeRows.closeAll(held);
      assertTrue(GraphChanges.read(read, size, input(writeChanges(written))));
      assertEquals(written.graphHash(), read.graphHash(), "nothing came between at the last");
      read.sweep();
      assertEquals(List.of(), read.violations());
    }
  }

  private static byte[] write(HnswIndex index) throws IOException {
    return write(index, () -> {});
  }

  private static byte[] write(HnswIndex index, Runnable beforeEach) throws IOException {
    return write(index, true, beforeEach);
  }

  private static byte[] writeChanges(HnswIndex index) throws IOException {
    return write(index, false, () -> {});
  }

  private static byte[] write(HnswIndex index, boolean whole, Runnable beforeEach)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    GraphImage.Output output =
        (address, count) -> {
          byte[] part = new byte[(int) count];
          Memory.read(address, part, 0, part.length);
          bytes.writeBytes(part);
          beforeEach.run();
        };
    try (GraphCut cut = index.cut(whole)) {
      if (whole) {
        GraphImage.write(cut, output);
      } else {
        GraphChanges.write(cut, output);
      }
    }
    return bytes.toByteArray();
  }

  private static boolean read(HnswIndex index, int maxBound, byte[] image) throws IOException {
    return GraphImage.read(index, maxBound, input(image));
  }

  private static GraphImage.Input input(byte[] image) {
    int[] at = {0};
    return (address, count) -> {
      if (at[0] + count > image.length) {
        throw new EOFException("at " + at[0]);
      }
      Memory.write(image, at[0], address, (int) count);
      at[0] += (int) count;
    };
  }
}
