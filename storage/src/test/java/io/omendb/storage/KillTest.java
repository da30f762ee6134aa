package io.omendb.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.IdKind;
import io.omendb.storage.api.StorageOptions;
import io.omendb.storage.api.WriteMode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that writes is killed with -9; what it said it had is there. */
class KillTest {
  private static final int DIMENSION = 32;

  /** Writes that are acknowledged before the kill: so many, and up to so many more. */
  private static final long LEAST_WRITES = 10;

  private static final int MORE_WRITES = 150;

  @SuppressWarnings("NullAway.Init") // by JUnit
  @TempDir
  Path directory;

  @Test
  void acknowledgedRowsSurviveAKill() throws Exception {
    long seed = Long.getLong("seed", System.nanoTime());
    System.err.println("KillTest seed=" + seed);
    Random random = new Random(seed);
    long acknowledged = 0;
    String[] modes = {"os", "always", "interval:5ms", "os"};
    for (String mode : modes) {
      acknowledged = Math.max(acknowledged, runAndKill(directory, mode, random));
      long recovered = checkRecovered(directory, mode);
      assertTrue(recovered >= acknowledged, recovered + " >= " + acknowledged);
      acknowledged = recovered;
    }
    assertTrue(acknowledged > 20, "acknowledged=" + acknowledged);
  }

  /** Verifies, recovers and checks every row; returns the last lsn. */
  static long checkRecovered(Path directory, String mode) throws IOException {
    TestStores.assertClean(directory);
    try (DataDirectory data = DataDirectory.open(directory, TestStores.options(mode))) {
      CollectionStore store = data.openCollection(TestStores.NAME);
      for (int slot = 0; slot < store.rows().count(); slot++) {
        TestStores.assertRow(
            store, slot, store.rows().numericId(slot), (int) store.rows().slotLsn(slot));
      }
      return store.publishedLsn();
    }
  }

  /** Last lsn that the process said was visible. */
  static long runAndKill(Path directory, String mode, Random random) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Writer.class.getName(),
                directory.toString(),
                mode)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    long last = 0;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      assertNotNull(lines.readLine(), "the writer did not start");
      long more = LEAST_WRITES + random.nextInt(MORE_WRITES);
      long first = -1;
      String line;
      while ((line = lines.readLine()) != null) {
        // A line cut by the kill would name a smaller lsn: no harm.
        if (!line.isEmpty()) {
          last = Math.max(last, Long.parseLong(line));
          first = first < 0 ? last : first;
        }
        if (last >= first + more) {
          // By its handle: the process would close its output with it. It writes on meanwhile.
          process.toHandle().destroyForcibly();
        }
      }
    }
    assertTrue(process.waitFor(10, TimeUnit.SECONDS));
    assertEquals(137, process.exitValue());
    return last;
  }

  /** Writes until it is killed; each line it prints is an lsn that is acknowledged. */
  static final class Writer {
    private Writer() {}

    @SuppressWarnings("InfiniteLoopStatement")
    public static void main(String[] args) throws Exception {
      PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
      StorageOptions options = TestStores.options(args[1]).withCheckpointWalBytes(256 << 10);
      DataDirectory data = DataDirectory.open(Path.of(args[0]), options);
      CollectionStore store =
          data.names().isEmpty()
              ? data.create(TestStores.schema(DIMENSION, IdKind.NUMERIC))
              : data.openCollection(TestStores.NAME);
      out.println("started");
      store.listener(
          new StoreListener() {
            @Override
            public void published(long lsn, int from, int to, int[] dead, int count) {}

            @Override
            public void watermarks(long writtenLsn, long durableLsn, long publishedLsn) {
              out.println(publishedLsn);
            }

            @Override
            public void failed(Throwable cause) {}
          });
      Random random = new Random();
      AppendResult result = new AppendResult();
      while (true) {
        int version = (int) store.writtenLsn() + 1;
        int rows = random.nextBoolean() ? 5 : 700;
        store.append(
            TestRows.range(DIMENSION, random.nextInt(1_000), rows, version),
            WriteMode.UPSERT,
            TestRows.CHECK,
            null,
            result);
        store.awaitPublished(result.lsn);
        if (store.checkpointDue()) {
          checkpoint(store);
        }
      }
    }

    private static void checkpoint(CollectionStore store) throws IOException {
      store.checkpoint(sink ->
          sink.write(
              store.rows().vectorsAddress(), (long) sink.count() * store.rows().rowStride()));
    }
  }
}
