package io.omendb.loadtest;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.engine.Database;
import io.omendb.engine.DatabaseOptions;
import io.omendb.loadtest.data.Neighbours;
import io.omendb.loadtest.data.SiftSmall;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class CliTest {

  private final StringWriter out = new StringWriter();
  private final CommandLine cli =
      Cli.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
  private final Path directory;

  CliTest(@TempDir Path directory) throws IOException {
    this.directory = directory;
    SiftSmall.unpack(directory);
  }

  @Test
  void namesItsCommands() {
    assertEquals(0, cli.execute("--help"));
    String help = out.toString();
    out.getBuffer().setLength(0);
    assertEquals(0, cli.execute(), "without a command");
    assertEquals(help, out.toString());
    for (String command : new String[] {"demo", "bench", "verify", "serve"}) {
      assertTrue(out.toString().contains(command), out.toString());
    }
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertEquals(2, cli.execute("bench", "index", "--base", "b", "--query", "q", "--nonsense"));
    assertTrue(out.toString().contains("--nonsense"), out.toString());
  }

  @Test
  void saysInALineWhatFailed() {
    int status =
        cli.execute(
            "bench", "truth", "--base", "none.fvecs", "--query", "none.fvecs", "--out", "x");
    assertEquals(1, status);
    assertEquals("omendb: java.nio.file.NoSuchFileException: none.fvecs", out.toString().strip());
  }

  @Test
  void verifiesADataDirectory() throws IOException {
    Path data = directory.resolve("data");
    Files.createDirectory(data);
    assertEquals(1, cli.execute("verify", data.toString()));
    assertTrue(out.toString().contains("not a data directory"), out.toString());
    assertArrayEquals(new String[0], data.toFile().list(), "nothing is made there");
    Database.open(data, DatabaseOptions.defaults()).close();
    assertEquals(0, cli.execute("verify", data.toString()));
    assertTrue(out.toString().contains("nothing wrong"), out.toString());
    Files.write(data.resolve("CATALOGUE"), new byte[3]);
    assertEquals(1, cli.execute("verify", data.toString()));
    assertTrue(out.toString().contains("CATALOGUE at offset 3"), out.toString());
  }

  /** The larger number is of more rows than the set has. */
  @Test
  void measuresGrowth() throws IOException {
    Path report = directory.resolve("growth");
    int status =
        cli.execute(
            "bench",
            "growth",
            "--base",
            SiftSmall.base(directory).toString(),
            "--query",
            SiftSmall.queries(directory).toString(),
            "--sizes",
            "2000,12000",
            "--out",
            report.toString());
    assertEquals(0, status, out::toString);
    String table = Files.readString(report.resolve("growth.md"));
    assertTrue(table.contains("| rows | 2,000 | 12,000 |"), table);
    assertFalse(table.contains("–"), () -> "recall 0.99 was not reached: " + table);
    String plot = Files.readString(report.resolve("growth.svg"));
    assertTrue(plot.contains("distances at 0.95"), plot);
  }

  @Test
  void writesExactAnswers() throws IOException {
    Path file = directory.resolve("made/truth.ivecs");
    int status =
        cli.execute(
            "bench",
            "truth",
            "--base=" + SiftSmall.base(directory),
            "--query=" + SiftSmall.queries(directory),
            "--metric=l2",
            "--out=" + file);
    assertEquals(0, status, out.toString());
    Neighbours official = Neighbours.read(SiftSmall.truth(directory));
    Neighbours made = Neighbours.read(file);
    assertEquals(official.queries(), made.queries());
    assertArrayEquals(firstTen(official, 17), firstTen(made, 17));
  }

  private static int[] firstTen(Neighbours lists, int query) {
    return IntStream.range(0, 10).map(rank -> lists.row(query, rank)).toArray();
  }
}
