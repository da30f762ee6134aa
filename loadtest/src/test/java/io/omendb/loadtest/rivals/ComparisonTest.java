package io.omendb.loadtest.rivals;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.engine.Profile;
import io.omendb.engine.Visibility;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Metric;
import io.omendb.loadtest.data.Neighbours;
import io.omendb.loadtest.data.SiftSmall;
import io.omendb.loadtest.data.VectorFile;
import io.omendb.loadtest.report.Progress;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** The comparison with rivals that build everywhere, installed by it as anyone would. */
@Tag("ci")
class ComparisonTest {
  private static final List<String> RIVALS =
      List.of("hnswlib", "faiss-hnsw-sq8", "lucene-7bit", "jvector");

  private final Path directory;

  ComparisonTest(@TempDir Path directory) throws IOException {
    this.directory = directory;
    SiftSmall.unpack(directory);
  }

  @Test
  void comparesOnTheSameVectorsWithTheSameJudge() throws Exception {
    Comparison comparison = new Comparison(directory.resolve("work"), Progress.NONE);
    assertTrue(comparison.rivals().containsAll(RIVALS), () -> "" + comparison.rivals());
    Path base = SiftSmall.base(directory);
    Path query = SiftSmall.queries(directory);
    try (Dataset set =
        Dataset.open(
            base,
            query,
            SiftSmall.truth(directory),
            Integer.MAX_VALUE,
            0,
            Integer.MAX_VALUE,
            Metric.L2,
            2,
            Progress.NONE)) {
      ComparisonReport report =
          comparison.run(
              RIVALS,
              set,
              base,
              query,
              2,
              2,
              new OmenDbSettings(Profile.SPEED, Visibility.IMMEDIATE, true));
      report.write(directory.resolve("report"));
      String table = report.markdown();
      System.err.println(table);
      for (String name : List.of("omendb", "hnswlib", "faiss-hnsw-sq8", "lucene-7bit", "jvector")) {
        List<RunResult> runs = report.results(name);
        assertEquals(2, runs.size(), table);
        for (RunResult run : runs) {
          assertTrue(run.qpsAt(0.99).isPresent(), name + " reaches 0.99: " + run);
          assertTrue(run.buildSeconds() > 0 && run.buildCpuSeconds() > 0, run::toString);
          assertTrue(run.peakBytes() > 10_000 * 128, run::toString);
          assertTrue(
              run.curve().stream().allMatch(p -> p.cpuMicros() > 0 && p.qps() > 0), run::toString);
        }
      }
    }
    assertTrue(Files.readString(directory.resolve("report/rivals.json")).contains("\"hnswlib\""));
    for (String plot : List.of("search.svg", "build.svg")) {
      String svg = Files.readString(directory.resolve("report").resolve(plot));
      assertEquals(
          "svg",
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(new InputSource(new StringReader(svg)))
              .getDocumentElement()
              .getTagName());
      assertTrue(svg.contains("faiss-hnsw-sq8"), svg);
    }
  }

  @Test
  void unpacksASetOfAnnBenchmarks() throws Exception {
    Path work = directory.resolve("work");
    Comparison comparison = new Comparison(work, Progress.NONE);
    Path missing = directory.resolve("missing.hdf5");
    IOException refused =
        assertThrows(IOException.class, () -> comparison.unpack(missing, directory));
    assertTrue(refused.toString().contains("missing.hdf5"), refused::toString);

    Path file = directory.resolve("small.hdf5");
    String unused =
        Command.of(
                List.of(
                    work.resolve("venv/bin/python3").toString(),
                    "-c",
                    """
                    import h5py, sys
                    with h5py.File(sys.argv[1], "w") as file:
                        file.attrs["distance"] = "angular"
                        file["train"] = [[1.5, -2, 3], [4, 5, 6]]
                        file["test"] = [[7.0, 8, 9]]
                        file["neighbors"] = [[1, 0]]
                    """,
                    file.toString()))
            .output();
    Path unpacked = directory.resolve("unpacked");
    assertEquals("cosine", comparison.unpack(file, unpacked));
    try (VectorFile base = VectorFile.open(unpacked.resolve("base.fvecs"));
        VectorFile queries = VectorFile.open(unpacked.resolve("query.fvecs"))) {
      assertEquals(2, base.count());
      assertArrayEquals(new float[] {1.5f, -2, 3}, base.row(0));
      assertArrayEquals(new float[] {4, 5, 6}, base.row(1));
      assertArrayEquals(new float[] {7, 8, 9}, queries.row(0));
    }
    assertEquals(1, Neighbours.read(unpacked.resolve("truth.ivecs")).row(0, 0));
  }

  @Test
  void saysWhichRivalsThereAre() throws IOException {
    Comparison comparison = new Comparison(directory.resolve("work"), Progress.NONE);
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> comparison.check(List.of("nobody")));
    assertTrue(refused.toString().contains("nobody"), refused::toString);
    assertTrue(refused.toString().contains("hnswlib"), refused::toString);
  }
}
