package io.omendb.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.service.config.InvalidOptionException;
import io.omendb.service.config.Option;
import io.omendb.service.config.ServerConfig;
import io.omendb.service.config.Settings;
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
  void defaultsAreValid() throws InvalidOptionException {
    ServerConfig config = ServerConfig.of(new Settings());
    assertEquals(Path.of("data"), config.data());
    assertEquals(50_051, config.listen().getPort());
    assertEquals(new Durability.Always(), config.durability());
    assertNull(config.metricsListen());
    assertEquals(16 << 20, config.maxMessageBytes());
    assertEquals(64 << 20, config.maxReplyBytes());
    assertEquals(Duration.ofSeconds(5), config.visibleWait());
    assertTrue(config.requestThreads() > 0);
  }

  @Test
  void aFlagGoesBeforeTheEnvironmentAndThatBeforeTheFile(@TempDir Path directory)
      throws IOException, InvalidOptionException {
    Path file = directory.resolve("omendb.properties");
    Files.writeString(file, "data = /from/file\nmax-streams = 5\nrequest-queue = 7\n");
    Settings settings =
        Main.settings(
            new CommandLine(Main.spec())
                .parseArgs("--config", file.toString(), "--data", "/from/flag"),
            Map.of("OMENDB_DATA", "/from/environment", "OMENDB_MAX_STREAMS", "6"));
    ServerConfig config = ServerConfig.of(settings);
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
    Settings settings = new Settings();
    assertTrue(
        String.valueOf(
                assertThrows(InvalidOptionException.class, () -> settings.addFile(file))
                    .getMessage())
            .contains("\"dta\""));
  }

  private static void assertRefused(Option option, String value, String message) {
    Settings settings = new Settings();
    settings.addFlag(option, value);
    String told =
        String.valueOf(
            assertThrows(InvalidOptionException.class, () -> ServerConfig.of(settings))
                .getMessage());
    assertTrue(told.contains(message), told);
  }

  @Test
  void unitsOfBytesAndTimes() throws InvalidOptionException {
    Settings settings = new Settings();
    settings.addFlag(Option.MAX_MESSAGE, "512KiB");
    settings.addFlag(Option.MAX_REPLY, "1048576");
    settings.addFlag(Option.VISIBLE_WAIT, "250ms");
    settings.addFlag(Option.DRAIN, "2m");
    settings.addFlag(Option.LISTEN, "[::1]:0");
    settings.addFlag(Option.DURABILITY, "interval:20ms");
    ServerConfig config = ServerConfig.of(settings);
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
