package io.omendb.storage.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.omendb.storage.api.StreamFrame;
import org.junit.jupiter.api.Test;

class StreamTableTest {
  private final StreamCapacity capacity = new StreamCapacity();

  private static void log(StreamTable table, int from, int to) {
    for (int stream = from; stream < to; stream++) {
      table.logged(new StreamFrame("stream-" + stream, 1));
    }
  }

  /** What is remembered takes heap, however many collections there are. */
  @Test
  void collectionsShareTheCapacity() {
    int most = StreamCapacity.MOST;
    int least = StreamCapacity.LEAST;
    StreamTable full = new StreamTable(capacity);
    log(full, 0, most + 10);
    assertEquals(most, full.size());
    assertNull(full.state("stream-9"), "the oldest go");
    assertNotNull(full.state("stream-10"));
    try (StreamTable other = new StreamTable(capacity)) {
      log(other, 0, 1_000);
      assertEquals(least, other.size(), "each has some");
      assertNotNull(other.state("stream-999"));
      log(full, most, most + 1_000);
      assertEquals(most - least, full.size());
    }
    log(full, 0, most);
    assertEquals(most, full.size(), "what a closed collection had is free");
    full.close();
  }
}
