package io.omendb.loadtest.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the log says of a client that does not speak gRPC. */
class TransportLogTest {
  private static final int SCANS = 20;

  @Test
  void aScannerLeavesNoLine(@TempDir Path data) throws IOException {
    String log = logAfterScans(data, Map.of("OMENDB_LOG", "info"));
    assertFalse(log.contains("Exception"), log);
    assertFalse(log.contains("Transport"), log);
    assertTrue(log.contains("told to stop"), log);
  }

  @Test
  void aScannerLeavesALineEachWhereAskedFor(@TempDir Path data) throws IOException {
    String log = logAfterScans(data, Map.of("OMENDB_LOG", "info", "OMENDB_TRANSPORT_LOG", "debug"));
    List<String> lines = log.lines().filter(line -> line.contains("Transport failed")).toList();
    assertEquals(SCANS, lines.size(), log);
    assertTrue(lines.stream().allMatch(line -> line.startsWith("20")), log); // a date: no trace
    assertEquals(0, log.lines().filter(line -> line.startsWith("\tat ")).count(), log);
  }

  private static String logAfterScans(Path data, Map<String, String> variables) throws IOException {
    try (ServerProcess server =
            ServerProcess.start(ServerProcess.Options.defaults(data).withVariables(variables));
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(Duration.ofMinutes(3));
      for (int scan = 0; scan < SCANS; scan++) {
        try (Socket socket =
            new Socket(server.address().getAddress(), server.address().getPort())) {
          socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.UTF_8));
          socket.shutdownOutput();
          byte[] unused = socket.getInputStream().readAllBytes(); // until the server hangs up
        }
      }
      assertEquals(0, server.terminate(Duration.ofMinutes(3)));
      return server.log();
    }
  }
}
