package io.omendb.embedded;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.index.Similarity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedDatabaseTest {
  private static final int DIMENSION = 16;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  private Path directory;

  private final Random random = new Random(5);

  @Test
  void whatWasPutIsFoundAtOnceAndAfterClosing() throws IOException {
    float[] vector = rows(1);
    try (EmbeddedDatabase database = EmbeddedDatabase.open(directory)) {
      EmbeddedCollection docs = docs(database);
      docs.put(7, vector, "seven".getBytes(UTF_8));
      docs.put(-1, rows(1));
      List<Hit> hits = docs.search(vector, 2);
      assertEquals(List.of(7L, -1L), hits.stream().map(Hit::id).toList());
      assertArrayEquals("seven".getBytes(UTF_8), hits.getFirst().payload());
      assertEquals(0, hits.getFirst().distance());
    }
    try (EmbeddedDatabase database = EmbeddedDatabase.open(directory)) {
      EmbeddedCollection docs = docs(database);
      assertEquals(7, docs.search(vector, 1).getFirst().id());
      assertArrayEquals("seven".getBytes(UTF_8), docs.payload(7).orElseThrow());
      assertEquals(1, docs.delete(7, 8));
      assertTrue(docs.payload(7).isEmpty());
      assertEquals(1, docs.count());
      assertEquals(-1, docs.search(vector, 1).getFirst().id());
    }
  }

  @Test
  void manyRowsAreFoundByThemselves() throws IOException {
    int count = 8_000;
    float[] vectors = rows(count);
    try (EmbeddedDatabase database = EmbeddedDatabase.open(directory)) {
      EmbeddedCollection docs = docs(database);
      docs.putAll(LongStream.range(0, count).toArray(), vectors);
      docs.awaitSearchable();
      long found =
          IntStream.range(0, 200)
              .map(i -> i * 40)
              .filter(i -> docs.search(row(vectors, i), 1).getFirst().id() == i)
              .count();
      assertTrue(found >= 199, "found " + found);
      assertEquals(count, docs.count());
    }
  }

  @Test
  void moreRowsThanMayBeUnlinkedFindTheirRoom() throws IOException {
    try (EmbeddedDatabase database = EmbeddedDatabase.open(directory)) {
      EmbeddedCollection docs = database.collection("wide", 4_096, Similarity.L2);
      float[] vector = new float[4_096];
      for (int id = 0; id < 1_500; id++) {
        vector[id] = 1; // the limit at this dimension is 1,220 rows
        docs.put(id, vector);
      }
      assertEquals(1_500, docs.count());
    }
  }

  @Test
  void wrongArgumentsAreNamed() throws IOException {
    try (EmbeddedDatabase database = EmbeddedDatabase.open(directory)) {
      EmbeddedCollection docs = docs(database);
      assertEquals(
          "query is 3 components, expected 16 of dimension 16",
          assertThrows(IllegalArgumentException.class, () -> docs.search(new float[3], 1))
              .getMessage());
      float[] notFinite = rows(1);
      notFinite[3] = Float.NaN;
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> docs.put(1, notFinite));
      assertTrue(e.toString().contains("not finite"), e.toString());
      assertEquals(0, docs.count());
      assertEquals(
          "collection docs is of dimension 16 and L2, expected 17 and L2",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> database.collection("docs", 17, Similarity.L2))
              .getMessage());
    }
  }

  /** Each that is made listens to the collection: one a call would be a leak. */
  @Test
  void aCollectionIsMadeOnceAndAnewAfterADrop() throws IOException {
    try (EmbeddedDatabase database = EmbeddedDatabase.open(directory)) {
      EmbeddedCollection docs = docs(database);
      assertSame(docs, docs(database));
      docs.put(1, rows(1));
      database.drop("docs");
      assertThrows(IllegalStateException.class, docs::count);
      EmbeddedCollection anew = docs(database);
      assertNotSame(docs, anew);
      assertEquals(0, anew.count());
    }
  }

  @Test
  void aClosedDatabaseSaysSo() throws IOException {
    EmbeddedDatabase database = EmbeddedDatabase.open(directory);
    EmbeddedCollection docs = docs(database);
    database.close();
    assertThrows(IllegalStateException.class, () -> docs.search(rows(1), 1));
  }

  private static EmbeddedCollection docs(EmbeddedDatabase database) throws IOException {
    return database.collection("docs", DIMENSION, Similarity.L2);
  }

  private float[] rows(int count) {
    float[] rows = new float[count * DIMENSION];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) random.nextGaussian();
    }
    return rows;
  }

  private static float[] row(float[] rows, int row) {
    float[] one = new float[DIMENSION];
    System.arraycopy(rows, row * DIMENSION, one, 0, DIMENSION);
    return one;
  }
}
