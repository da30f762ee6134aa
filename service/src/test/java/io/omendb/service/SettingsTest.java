package io.omendb.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.service.config.Option;
import io.omendb.service.config.ServerConfig;
import io.omendb.storage.api.Durability;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class SettingsTest {
  @Test
  void defaultsAreValid() throws IOException {
    ServerConfig config = ServerFixture.config(Map.of());
    assertEquals(Path.of("data"), config.data());
    assertEquals(50_051, config.listen().getPort());
    assertTrue(config.listen().getAddress().isLoopbackAddress(), "not for others unless asked for");
    assertEquals(new Durability.Always(), config.durability());
    assertNull(config.metricsListen());
    assertEquals(16 << 20, config.maxMessageBytes());
    assertEquals(64 << 20, config.maxReplyBytes());
    assertEquals(Duration.ofSeconds(5), config.visibleWait());
    assertTrue(config.requestThreads() > 0);
  }

  @Test
  void aFlagGoesBeforeTheEnvironmentAndThatBeforeTheFile(@TempDir Path directory)
      throws IOException {
    Path file = directory.resolve("omendb.properties");
    Files.writeString(file, "data = /from/file\nmax-streams = 5\nrequest-queue = 7\n");
    ServerConfig config =
        ServerFixture.config(
            Map.of("OMENDB_DATA", "/from/environment", "OMENDB_MAX_STREAMS", "6"),
            "--config",
            file.toString(),
            "--data",
            "/from/flag");
    assertEquals(Path.of("/from/flag"), config.data());
    assertEquals(6, config.maxStreams());
    assertEquals(7, config.requestQueue());
  }

  @Test
  void aBadValueIsToldWithItsSource(@TempDir Path directory) throws IOException {
    assertRefused(Option.DURABILITY, "sometimes", "--durability is \"sometimes\", expected always");
    assertRefused(Option.LISTEN, "nowhere", "expected host:port");
    assertRefused(Option.LISTEN, "localhost:65536", "expected host:port");
    assertRefused(Option.MAX_MESSAGE, "1TiB", "expected bytes");
    assertRefused(Option.MAX_MESSAGE, "1", "expected bytes from 65536");
    assertRefused(Option.VISIBLE_WAIT, "5", "expected a time");
    assertRefused(Option.MAX_STREAMS, "0", "expected a number from 1");
    Path file = directory.resolve("bad.properties");
    Files.writeString(file, "dta = x\n");
    String told = refusal(Map.of(), "--config", file.toString());
    assertTrue(told.contains("\"dta\", expected a key that --help lists"), told);
    assertTrue(told.contains(file.toString()), told);
    Files.writeString(file, "drain = soon\n");
    told = refusal(Map.of(), "--config", file.toString());
    assertTrue(told.startsWith("drain in " + file + " is \"soon\", expected a time"), told);
    told = refusal(Map.of("OMENDB_MAX_CALLS", "many"));
    assertTrue(told.startsWith("OMENDB_MAX_CALLS is \"many\", expected a number"), told);
  }

  private static void assertRefused(Option option, String value, String message) {
    String told = refusal(Map.of(), option.flag() + "=" + value);
    assertTrue(told.startsWith(option.flag() + " is \"" + value + "\""), told);
    assertTrue(told.contains(message), told);
  }

  private static String refusal(Map<String, String> environment, String... arguments) {
    return String.valueOf(
        assertThrows(
                CommandLine.ParameterException.class,
                () -> ServerFixture.config(environment, arguments))
            .getMessage());
  }

  @Test
  void aValueIsTakenAsItStands(@TempDir Path directory) throws IOException {
    Path file = directory.resolve("omendb.properties");
    Files.writeString(file, "data = /x/${sys:user.home}\nmetrics-listen =\n");
    ServerConfig config =
        ServerFixture.config(Map.of("OMENDB_DRAIN", " 3s "), "--config", file.toString());
    assertEquals(Path.of("/x/${sys:user.home}"), config.data());
    assertNull(config.metricsListen());
    assertEquals(Duration.ofSeconds(3), config.drain());
    Files.writeString(file, "drain =\n");
    String told = refusal(Map.of(), "--config", file.toString());
    assertTrue(told.startsWith("drain in " + file + " is \"\", expected a time"), told);
    assertEquals(Duration.ofSeconds(10), ServerFixture.config(Map.of("OMENDB_DRAIN", "")).drain());
  }

  @Test
  void aValueThatAnotherGoesBeforeIsNotLookedAt() throws IOException {
    ServerConfig config = ServerFixture.config(Map.of("OMENDB_DRAIN", "soon"), "--drain=1s");
    assertEquals(Duration.ofSeconds(1), config.drain());
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    IOException told =
        assertThrows(
            IOException.class, () -> ServerFixture.config(Map.of(), "--config", "/no/such.file"));
    assertTrue(told.toString().contains("/no/such.file"), told.toString());
  }

  @Test
  void unitsOfBytesAndTimes() throws IOException {
    ServerConfig config =
        ServerFixture.config(
            Map.of(),
            "--max-message=512KiB",
            "--max-reply=1048576",
            "--visible-wait=250ms",
            "--drain=2m",
            "--listen=[::1]:0",
            "--durability=interval:20ms");
    assertEquals(512 << 10, config.maxMessageBytes());
    assertEquals(1 << 20, config.maxReplyBytes());
    assertEquals(Duration.ofMillis(250), config.visibleWait());
    assertEquals(Duration.ofMinutes(2), config.drain());
    assertEquals(new Durability.Interval(Duration.ofMillis(20)), config.durability());
  }

  @Test
  void helpAndMarkdownListEveryOption() {
    String help = new CommandLine(Main.spec()).getUsageMessage();
    String markdown = Option.markdown();
    for (Option option : Option.values()) {
      for (String part : List.of(option.flag(), option.variable())) {
        assertTrue(help.contains(part), part);
        assertTrue(markdown.contains("`" + part + "`"), part);
      }
    }
  }
}
