package io.omendb.loadtest.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.StatusRuntimeException;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionInfo;
import io.omendb.proto.v1.CollectionState;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.GetCollectionRequest;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.Similarity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file that the server may not open, as after a restore as another user: it is the fault of its
 * collection, which is told with the file; the others serve, and nothing is lost when it is mended.
 */
@Tag("ci")
class DeniedFileTest {
  private static final Duration START = Duration.ofMinutes(3);
  private static final int ROWS = 100;

  /** The superuser may open anything, unless told otherwise. */
  private static final List<String> WITHOUT_PRIVILEGES =
      List.of(
          "setpriv",
          "--bounding-set=-dac_override,-dac_read_search",
          "--inh-caps=-dac_override,-dac_read_search",
          "--");

  private final Path data;

  DeniedFileTest(@TempDir Path data) {
    this.data = data;
  }

  private ServerProcess.Options options() {
    boolean superuser = System.getProperty("user.name", "").equals("root");
    return ServerProcess.Options.defaults(data)
        .withArguments("--warm-up", "0s")
        .withWrapper(superuser ? WITHOUT_PRIVILEGES : List.of());
  }

  private List<Path> filesOfFirst() throws IOException {
    try (Stream<Path> files = Files.walk(data.resolve("collections/000001"))) {
      return files.sorted().toList(); // directories too
    }
  }

  @Test
  void itIsTheFaultOfOneCollection() throws Exception {
    try (ServerProcess server = ServerProcess.start(options());
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(START);
      for (String name : List.of("denied", "whole")) {
        connection.create(
            CollectionConfig.newBuilder()
                .setName(name)
                .setDimension(4)
                .setSimilarity(Similarity.SIMILARITY_L2)
                .build());
        InsertRequest.Builder rows = InsertRequest.newBuilder().setCollection(name);
        for (int id = 0; id < ROWS; id++) {
          rows.addNumericIds(id).addAllVectors(List.of((float) id, 1f, 2f, 3f));
        }
        var unused = connection.vectors().insert(rows.build());
      }
      assertEquals(0, server.terminate(START));
    }
    int denied = 0;
    for (Path file : filesOfFirst()) {
      for (String permissions : List.of("---------", "r--r--r--")) {
        if (Files.exists(file)) {
          Set<PosixFilePermission> before = Files.getPosixFilePermissions(file);
          Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
          denied += startWithout(file) ? 1 : 0;
          if (Files.exists(file)) { // and was not replaced by a checkpoint
            Files.setPosixFilePermissions(file, before);
          }
        }
      }
    }
    assertTrue(denied > 5, "no file was denied: " + denied);
    try (ServerProcess server = ServerProcess.start(options());
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(START);
      assertEquals(ROWS, count(connection, "denied"), "what a start without a file left");
    }
  }

  /** Starts and stops; returns whether the collection was told to be quarantined. */
  private boolean startWithout(Path file) throws IOException {
    try (ServerProcess server = ServerProcess.start(options());
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(START);
      assertEquals(ROWS, count(connection, "whole"), file::toString);
      CollectionInfo info =
          connection
              .collections()
              .getCollection(GetCollectionRequest.newBuilder().setCollection("denied").build())
              .getCollection();
      boolean quarantined = info.getState() == CollectionState.COLLECTION_STATE_QUARANTINED;
      if (quarantined) {
        StatusRuntimeException refused =
            assertThrows(StatusRuntimeException.class, () -> count(connection, "denied"));
        String words = info.getStateMessage();
        assertTrue(words.startsWith(file.toString()), words); // or what is in a denied directory
        assertTrue(words.contains(": permission denied"), words);
        assertTrue(refused.toString().contains(words), refused::toString);
      } else {
        assertEquals(ROWS, count(connection, "denied"), file::toString);
      }
      assertEquals(0, server.terminate(START), server::describe);
      return quarantined;
    }
  }

  private static long count(Connection connection, String collection) {
    return connection
        .vectors()
        .count(CountRequest.newBuilder().setCollection(collection).build())
        .getCount();
  }
}
