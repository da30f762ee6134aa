package io.omendb.service.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.engine.Collection;
import io.omendb.engine.CollectionConfig;
import io.omendb.engine.Database;
import io.omendb.engine.DatabaseOptions;
import io.omendb.index.Similarity;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WaitingInsertsTest {
  private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
  private volatile boolean room = true;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @SuppressWarnings("NullAway.Init")
  private Database database;

  @SuppressWarnings("NullAway.Init")
  private Collection collection;

  @BeforeEach
  void open() throws Exception {
    database = Database.open(directory, DatabaseOptions.defaults());
    collection = database.create(CollectionConfig.of("c", 2, Similarity.L2));
  }

  @AfterEach
  void close() throws Exception {
    database.close();
  }

  private final class Named implements WaitingInserts.Waiting {
    private final String name;
    private volatile boolean over;

    Named(String name) {
      this.name = name;
    }

    @Override
    public Collection collection() {
      return collection;
    }

    @Override
    public boolean hasRoom() {
      return room;
    }

    @Override
    public boolean isOver(long now) {
      return over;
    }

    @Override
    public void resume() {
      events.add("resume " + name);
    }

    @Override
    public void refuse() {
      events.add("refuse " + name);
    }

    @Override
    public void abandon() {
      events.add("abandon " + name);
    }
  }

  private @Nullable String next() throws InterruptedException {
    return events.poll(1, TimeUnit.MINUTES);
  }

  /// However the room comes and goes: the second is not tried before the first is done.
  @Test
  void oneIsResumedWhenTheOneBeforeIsDone() throws Exception {
    try (WaitingInserts inserts = new WaitingInserts()) {
      Named first = new Named("first");
      Named second = new Named("second");
      Named third = new Named("third");
      room = false;
      inserts.add(first);
      inserts.add(second);
      inserts.add(third);
      room = true;
      assertEquals("resume first", next());
      inserts.again(first);
      assertEquals("resume first", next(), "found no room, and is not overtaken");
      assertTrue(events.isEmpty(), events::toString);
      inserts.done(first);
      assertEquals("resume second", next());
      inserts.done(second);
      assertEquals("resume third", next());
      assertTrue(inserts.hasOf(collection));
      inserts.done(third);
      assertFalse(inserts.hasOf(collection));
    }
  }

  @Test
  void oneWhoseTimeIsOverIsRefusedWhereverItStands() throws Exception {
    try (WaitingInserts inserts = new WaitingInserts()) {
      room = false;
      Named first = new Named("first");
      Named second = new Named("second");
      inserts.add(first);
      inserts.add(second);
      second.over = true;
      assertEquals("refuse second", next());
      assertTrue(inserts.hasOf(collection));
      first.over = true;
      assertEquals("refuse first", next());
      assertFalse(inserts.hasOf(collection));
    }
  }

  @Test
  void whatWaitsIsGivenUpInTheEnd() throws Exception {
    try (WaitingInserts inserts = new WaitingInserts()) {
      room = false;
      inserts.add(new Named("first"));
    }
    assertEquals("abandon first", next());
  }
}
