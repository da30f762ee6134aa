package io.omendb.service;

import static io.omendb.service.ServerFixture.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.config.Version;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The server as a process of its own.
@Timeout(60)
class MainTest {
  private static final String LISTENING = "listening on ";

  @Test
  void aServerThatIsToldToStopEndsCleanAndKeepsItsData(@TempDir Path data) throws Exception {
    Process first = start(data);
    ManagedChannel channel = connect(first);
    try {
      var created =
          CollectionServiceGrpc.newBlockingStub(channel)
              .createCollection(
                  CreateCollectionRequest.newBuilder()
                      .setConfig(
                          CollectionConfig.newBuilder()
                              .setName("c")
                              .setDimension(ServerFixture.DIMENSION)
                              .setSimilarity(Similarity.SIMILARITY_L2))
                      .build());
      assertEquals("c", created.getCollection().getConfig().getName());
      assertEquals(
          9, VectorServiceGrpc.newBlockingStub(channel).insert(rows("c", 0, 9)).getInsertedCount());
      first.destroy();
      assertTrue(first.waitFor(30, TimeUnit.SECONDS));
      assertEquals(0, first.exitValue());
    } finally {
      channel.shutdownNow();
      first.destroyForcibly();
    }

    Process second = start(data);
    ManagedChannel again = connect(second);
    try {
      var count =
          VectorServiceGrpc.newBlockingStub(again)
              .withWaitForReady()
              .count(CountRequest.newBuilder().setCollection("c").build());
      assertEquals(9, count.getCount());
    } finally {
      again.shutdownNow();
      second.destroyForcibly();
    }
  }

  @Test
  void aBadOptionEndsWithASentence(@TempDir Path data) throws Exception {
    Process process = start(data, "--durability", "sometimes");
    String told = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(2, process.waitFor());
    assertTrue(told.contains("--durability is \"sometimes\""), told);
  }

  /**
   * What goes wrong at a start is told in words, with what it concerns, and without Java's names.
   */
  @Test
  void aStartThatFailsIsToldInPlainWords(@TempDir Path data) throws Exception {
    Path file = Files.writeString(data.resolve("file"), "no directory");
    try (ServerFixture holder = ServerFixture.start(data.resolve("held"), Map.of())) {
      String taken = "127.0.0.1:" + holder.server.port();
      assertFails("in use", taken, data.resolve("new"));
    }
    String free = "127.0.0.1:0";
    assertFails(file.toString(), free, file);
    assertFails("/proc/omendb", free, Path.of("/proc/omendb"));
    assertFails("--config", free, data.resolve("new"), "--config", data.resolve("none").toString());
    assertFails("is a directory", free, data.resolve("new"), "--config", data.toString());
    assertFails("not a data directory", free, data);
  }

  private static void assertFails(String told, String listen, Path data, String... arguments)
      throws Exception {
    List<String> command = command("--data", data.toString(), "--listen", listen);
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).start();
    String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(1, process.waitFor(), error);
    String line =
        error.lines().filter(one -> one.startsWith("omendb serve: ")).findFirst().orElse("");
    assertTrue(line.contains(told), error);
    assertFalse(line.contains("Exception"), line);
  }

  @Test
  void theLogTellsOfTheStartTheStopAndWhatIsMisspelt(@TempDir Path data) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(command("--data", data.toString(), "--listen", "0.0.0.0:0"));
    builder.environment().put("OMENDB_DURABILTY", "os");
    builder.environment().put("OMENDB_SERVICE_HOST", "10.0.0.1");
    builder.environment().put("OMENDB_PORT_50051_TCP", "tcp://10.0.0.1:50051");
    builder.environment().put("OMENDB_HEAP", "256m");
    Process process = builder.redirectErrorStream(true).start();
    List<String> lines = new ArrayList<>();
    try (BufferedReader output = process.inputReader()) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        lines.add(line);
        if (line.equals("serving")) {
          assertTrue(process.toHandle().destroy());
        }
      }
    }
    assertEquals(0, process.waitFor());
    String log = String.join("\n", lines);
    for (String told :
        List.of(
            "OmenDB " + Version.NAME,
            data.toString(),
            "OMENDB_DURABILTY",
            "without TLS",
            "0 collections",
            "told to stop",
            "stopped in")) {
      assertTrue(log.contains(told), () -> told + " in:\n" + log);
    }
    for (String other : List.of("OMENDB_SERVICE_HOST", "OMENDB_PORT_50051_TCP", "OMENDB_HEAP")) {
      assertFalse(log.contains(other), log);
    }
  }

  @Test
  void helpIsGivenWhateverTheEnvironmentHolds() throws Exception {
    for (String asked : List.of("--help", "--version", "--options-markdown")) {
      ProcessBuilder builder = new ProcessBuilder(command(asked));
      builder.environment().put("OMENDB_DURABILITY", "sometimes");
      Process process = builder.start();
      String told = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), asked);
      assertTrue(told.contains(asked.equals("--version") ? Version.NAME : "--durability"), told);
    }
  }

  @Test
  void aDataDirectoryThatIsInUseEndsWithASentence(@TempDir Path data) throws Exception {
    try (ServerFixture holder = ServerFixture.start(data, Map.of())) {
      assertTrue(holder.server.port() > 0);
      Process process = start(data);
      String told = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(1, process.waitFor());
      assertTrue(told.contains("in use"), told);
    }
  }

  private static Process start(Path data, String... arguments) throws IOException {
    List<String> command = command("--data", data.toString(), "--listen", "127.0.0.1:0");
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).start();
  }

  private static List<String> command(String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules=jdk.incubator.vector",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
    command.addAll(List.of(arguments));
    return command;
  }

  /// Reads what the server says until it serves.
  private static ManagedChannel connect(Process server) throws IOException {
    BufferedReader out = server.inputReader(StandardCharsets.UTF_8);
    String address = "";
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.startsWith(LISTENING)) {
        address = line.substring(LISTENING.length());
      }
      if (line.equals("serving")) {
        return NettyChannelBuilder.forTarget(address).usePlaintext().build();
      }
    }
    throw new AssertionError(
        "the server ended: "
            + new String(server.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
  }
}
