package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ReaderEpochTest {
  private final ReaderEpoch epoch = new ReaderEpoch();

  @Test
  @Timeout(60)
  void returnsAtOnceWithoutReaders() {
    epoch.awaitReaders();
    epoch.exit(epoch.enter());
    epoch.awaitReaders();
    epoch.awaitReaders();
  }

  @Test
  @Timeout(60)
  void waitsForEarlierReadersAndNotForLaterOnes() throws Exception {
    for (int round = 0; round < 4; round++) {
      int first = epoch.enter();
      int second = epoch.enter();
      Thread writer = Thread.ofPlatform().daemon().start(epoch::awaitReaders);
      TestEngine.await("waiting", () -> writer.getState() == Thread.State.TIMED_WAITING);
      int later = epoch.enter(); // must not wait for the writer
      epoch.exit(first);
      epoch.exit(epoch.enter());
      assertTrue(writer.isAlive(), "one of two earlier readers is still there");
      epoch.exit(second);
      writer.join(30_000);
      assertEquals(Thread.State.TERMINATED, writer.getState(), "a later reader was waited for");
      epoch.exit(later);
    }
  }

  /** Stands for memory that is freed. */
  private static final class Resource {
    volatile boolean freed;
  }

  private volatile Resource current = new Resource();

  @Test
  @Timeout(60)
  void noReaderSeesWhatWasFreed() throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger seenFreed = new AtomicInteger();
    List<Thread> readers = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      readers.add(
          Thread.ofPlatform()
              .start(() -> {
                while (!done.get()) {
                  int side = epoch.enter();
                  Resource resource = current;
                  for (int look = 0; look < 20; look++) {
                    if (resource.freed) {
                      seenFreed.incrementAndGet();
                    }
                  }
                  epoch.exit(side);
                }
              }));
    }
    for (int i = 0; i < 3_000; i++) {
      Resource old = current;
      current = new Resource();
      epoch.awaitReaders();
      old.freed = true;
    }
    done.set(true);
    for (Thread reader : readers) {
      reader.join();
    }
    assertEquals(0, seenFreed.get());
  }
}
