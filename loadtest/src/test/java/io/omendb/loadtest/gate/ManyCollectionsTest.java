package io.omendb.loadtest.gate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.ServerStats;
import io.omendb.proto.v1.Similarity;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Scanner;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As many collections as there may be, in a small heap. */
class ManyCollectionsTest {
  private static final int COLLECTIONS = 256;
  private static final int STARTS = 3;

  /** Of the device for a collection that is empty or holds a row. */
  private static final long BYTES_A_COLLECTION = 4 << 20;

  @Test
  void manySmallOnesTakeLittleAndNoMoreAtEachStart(@TempDir Path data) throws IOException {
    ServerProcess.Options options =
        ServerProcess.Options.defaults(data)
            .withArguments("--durability", "os", "--linker-threads", "16");
    long[] disk = new long[STARTS];
    for (int start = 0; start < STARTS; start++) {
      try (ServerProcess server = ServerProcess.start(options);
          Connection connection = new Connection(server.address())) {
        connection.awaitServing(Duration.ofMinutes(2));
        for (int i = 0; i < COLLECTIONS; i++) {
          if (start == 0) {
            create(connection, "c" + i);
          }
          if (i % 8 == 0) {
            insert(connection, "c" + i, start + 1);
          }
        }
        for (int i = 0; i < COLLECTIONS; i += 8) {
          assertEquals(start + 1, find(connection, "c" + i));
        }
        ServerStats stats = connection.serverStats();
        System.err.println(
            "ManyCollectionsTest: heap " + stats.getHeapUsedBytes() + ", start " + start);
        assertEquals(0, stats.getQuarantinedCount());
        assertEquals(0, server.terminate(Duration.ofMinutes(2)), server::describe);
      }
      disk[start] = diskBytes(data);
      System.err.println("ManyCollectionsTest: disk " + disk[start]);
    }
    assertTrue(disk[0] <= COLLECTIONS * BYTES_A_COLLECTION, "bytes " + disk[0]);
    assertTrue(disk[2] <= disk[1] + COLLECTIONS * 64 * 1024L, disk[1] + " then " + disk[2]);
  }

  private static void create(Connection connection, String name) {
    connection.create(
        CollectionConfig.newBuilder()
            .setName(name)
            .setDimension(128)
            .setSimilarity(Similarity.SIMILARITY_L2)
            .build());
  }

  private static void insert(Connection connection, String name, int id) {
    var unused =
        connection
            .vectors()
            .insert(
                InsertRequest.newBuilder()
                    .setCollection(name)
                    .addNumericIds(id)
                    .addAllVectors(Stream.generate(() -> 1f).limit(128).toList())
                    .build());
  }

  private static int find(Connection connection, String name) {
    return connection
        .vectors()
        .search(
            SearchRequest.newBuilder()
                .setCollection(name)
                .setK(10)
                .addAllVector(Stream.generate(() -> 1f).limit(128).toList())
                .build())
        .getHitsCount();
  }

  /** What the files take of the device. */
  private static long diskBytes(Path directory) throws IOException {
    Process du = new ProcessBuilder("du", "-s", "-B1", directory.toString()).start();
    try (BufferedReader lines = du.inputReader()) {
      return new Scanner(lines).nextLong();
    }
  }
}
