package io.omendb.loadtest.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.client.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server that is told to stop before it serves, as a rollout that is taken back does. */
class StopWhileStartingTest {
  @Test
  void itLeavesNothingOfItsWarmUp(@TempDir Path data, @TempDir Path temporary) throws Exception {
    ServerProcess.Options options =
        ServerProcess.Options.defaults(data)
            .withJvmOptions("-Djava.io.tmpdir=" + temporary)
            .withArguments("--warm-up", "1m");
    try (ServerProcess server = ServerProcess.start(options)) {
      long start = System.nanoTime();
      while (warmUps(temporary).isEmpty()) {
        assertTrue(server.isAlive(), server::describe);
        assertTrue(System.nanoTime() - start < 60_000_000_000L, "no warm-up within a minute");
        LockSupport.parkNanos(1_000_000);
      }
      int unused = server.terminate(Duration.ofMinutes(1));
    }
    assertEquals(List.of(), warmUps(temporary));
  }

  private static List<Path> warmUps(Path temporary) throws IOException {
    try (Stream<Path> files = Files.list(temporary)) {
      return files.filter(file -> file.toString().contains("omendb-warm-up")).toList();
    }
  }
}
