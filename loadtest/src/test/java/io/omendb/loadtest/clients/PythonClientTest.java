package io.omendb.loadtest.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the tests of the Python package, which {@code .ci/run} has built and installed. */
@Tag("ci")
class PythonClientTest {

  private static final Path CLIENT = Path.of("clients", "python");

  @Test
  void itsTestsPass(@TempDir Path directory) throws IOException, InterruptedException {
    Path log = directory.resolve("pytest.log");
    Process pytest =
        new ProcessBuilder("python3", "-m", "pytest", "-p", "no:cacheprovider", "--durations=5")
            .directory(CLIENT.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    boolean ended = pytest.waitFor(10, TimeUnit.MINUTES);
    pytest.destroyForcibly();
    String output = Files.readString(log);
    assertTrue(ended, output);
    assertEquals(0, pytest.waitFor(), output);
  }
}
