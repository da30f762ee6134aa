package io.omendb.loadtest.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the tests of the clients in other languages, which {@code .ci/run} has installed. */
@Tag("ci")
class ClientsTest {

  private static final long MOST_MINUTES = 10;

  @TempDir
  @SuppressWarnings("NullAway.Init")
  private Path directory;

  @Test
  void python() throws IOException, InterruptedException {
    run("python", "python3", "-m", "pytest", "-p", "no:cacheprovider", "--durations=5");
  }

  @Test
  void go() throws IOException, InterruptedException {
    run("go", "go", "test", "-count=1", "./...");
  }

  @Test
  void node() throws IOException, InterruptedException {
    run("node", "npm", "test");
  }

  private void run(String client, String... command) throws IOException, InterruptedException {
    Path log = directory.resolve("tests.log");
    Process tests =
        new ProcessBuilder(List.of(command))
            .directory(Path.of("clients", client).toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    boolean ended = tests.waitFor(MOST_MINUTES, TimeUnit.MINUTES);
    tests.destroyForcibly();
    String output = Files.readString(log);
    assertTrue(ended, output);
    assertEquals(0, tests.waitFor(), output);
  }
}
