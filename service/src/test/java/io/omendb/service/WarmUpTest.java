package io.omendb.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The server's use of itself before it serves.
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class WarmUpTest {
  @TempDir
  @SuppressWarnings("NullAway.Init") // by JUnit
  Path directory;

  @Test
  void searchesAndLeavesNothing() throws Exception {
    WarmUp warmUp = WarmUp.start(directory);
    warmUp.limit(Duration.ofMinutes(1));
    warmUp.await();
    assertTrue(warmUp.searches() > 1_000, () -> "searches " + warmUp.searches());
    assertEquals(List.of(), entries());
  }

  /// A container whose root is read-only may have no place for files.
  @Test
  void endsWhereItMayNotWrite() throws Exception {
    WarmUp warmUp = WarmUp.start(directory.resolve("missing"));
    warmUp.limit(Duration.ofMinutes(1));
    warmUp.await();
    assertEquals(0, warmUp.searches());
  }

  @Test
  void isNotWaitedForWithoutTime() throws Exception {
    WarmUp warmUp = WarmUp.start(directory);
    warmUp.limit(Duration.ZERO);
    warmUp.await();
    assertEquals(0, warmUp.searches());
  }

  @Test
  void endsWhenToldToAndLeavesNothing() throws Exception {
    WarmUp warmUp = WarmUp.start(directory);
    ServerFixture.await("its files", () -> !entries().isEmpty());
    warmUp.end();
    assertEquals(List.of(), entries());
    assertTrue(warmUp.searches() < 2_000, () -> "searches " + warmUp.searches());
  }

  private List<Path> entries() {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
