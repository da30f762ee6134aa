package io.omendb.loadtest.readme;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.readme.Readme.Block;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs every shell block of the README as it is written, from the project's root, against the
 * server which the README starts. What the block's output must hold stands in the {@code text}
 * block that follows it. Only the data directory is put elsewhere.
 *
 * <p>The tools which the blocks use must be on the path, as {@code .ci/run} puts them; one that is
 * missing is a failure.
 */
@Tag("ci")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReadmeCommandsTest {

  private static final String SERVE = "./omendb serve";
  private static final Pattern DATA = Pattern.compile("--data \\S+");
  private static final Pattern LISTEN = Pattern.compile("--listen 127\\.0\\.0\\.1:(\\d+)");
  private static final Duration TIMEOUT = Duration.ofMinutes(5);

  private final List<Block> blocks;
  private final Path directory;
  private @Nullable Process server;

  ReadmeCommandsTest(@TempDir Path directory) throws IOException {
    this.directory = directory;
    this.blocks = Readme.read().blocks();
  }

  @BeforeAll
  void serve() throws IOException {
    String serve =
        blocks.stream()
            .map(Block::text)
            .filter(text -> text.startsWith(SERVE))
            .findFirst()
            .orElseThrow();
    Matcher listen = LISTEN.matcher(serve);
    assertTrue(listen.find(), serve);
    String here = DATA.matcher(serve).replaceFirst("--data " + directory.resolve("data"));
    server = bash("exec " + here, directory.resolve("server.log"));
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(listen.group(1)));
    try (Connection connection = new Connection(address)) {
      connection.awaitServing(TIMEOUT);
    }
    assertTrue(server.isAlive(), () -> "another process serves " + address);
  }

  @AfterAll
  void stop() throws InterruptedException {
    if (server != null) {
      server.destroy();
      assertTrue(server.waitFor(3, TimeUnit.MINUTES));
    }
  }

  @TestFactory
  List<DynamicTest> commands() {
    List<DynamicTest> tests = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      if (block.language().equals("sh") && !block.text().startsWith(SERVE)) {
        Block next = i + 1 < blocks.size() ? blocks.get(i + 1) : block;
        List<String> expected = next.language().equals("text") ? next.lines() : List.of();
        tests.add(DynamicTest.dynamicTest(block.heading(), () -> run(block, expected)));
      }
    }
    assertTrue(tests.size() >= 6, "blocks found: " + tests.size());
    return tests;
  }

  private void run(Block block, List<String> expected) throws IOException, InterruptedException {
    Path log = directory.resolve("block.log");
    Process process = bash("set -euo pipefail\n" + block.text(), log);
    if (!process.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("not within " + TIMEOUT + ": " + block.text());
    }
    String output = Files.readString(log);
    assertEquals(0, process.exitValue(), () -> block.text() + "\n\n" + output);
    String squeezed = squeeze(output);
    for (String line : expected) {
      assertTrue(
          squeezed.contains(squeeze(line)),
          () -> "expected: " + line + "\n\n" + block.text() + "\n\n" + output);
    }
  }

  /** Columns are aligned with tabs or spaces, as a tool likes. */
  private static String squeeze(String text) {
    return text.replaceAll("[ \\t]+", " ");
  }

  private static Process bash(String script, Path log) throws IOException {
    return new ProcessBuilder("bash", "-c", script)
        .directory(Readme.ROOT.toFile())
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }
}
