package io.omendb.loadtest.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.omendb.loadtest.client.Connection;
import io.omendb.loadtest.client.ServerProcess;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.Similarity;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A device that refuses a write, here by a limit on the size of files that the kernel puts on the
 * running server: whoever waits is told that the outcome is not known, and the process ends.
 */
class FailedLogTest {
  private static final int EXIT_STATUS = 74;

  private final Path data;

  FailedLogTest(@TempDir Path data) {
    this.data = data;
  }

  @Test
  void whoWaitsIsToldBeforeTheProcessEnds() throws Exception {
    ServerProcess.Options options = ServerProcess.Options.defaults(data);
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(Duration.ofMinutes(3));
      connection.create(
          CollectionConfig.newBuilder()
              .setName("things")
              .setDimension(4)
              .setSimilarity(Similarity.SIMILARITY_L2)
              .build());
      insert(connection, 1);
      assertEquals(
          0,
          new ProcessBuilder("prlimit", "--pid", Long.toString(server.pid()), "--fsize=4096")
              .inheritIO()
              .start()
              .waitFor());
      StatusRuntimeException refused =
          assertThrows(StatusRuntimeException.class, () -> insert(connection, 2));
      assertEquals(Status.Code.UNAVAILABLE, refused.getStatus().getCode(), refused::toString);
      assertTrue(refused.toString().contains("decided by recovery"), refused::toString);
      assertEquals(EXIT_STATUS, server.awaitEnd(Duration.ofMinutes(3)), server::describe);
    }
    try (ServerProcess server = ServerProcess.start(options);
        Connection connection = new Connection(server.address())) {
      connection.awaitServing(Duration.ofMinutes(3));
      long count =
          connection
              .vectors()
              .count(CountRequest.newBuilder().setCollection("things").build())
              .getCount();
      assertTrue(count >= 1, "count " + count);
    }
  }

  private static void insert(Connection connection, long id) {
    connection
        .vectors()
        .insert(
            InsertRequest.newBuilder()
                .setCollection("things")
                .addNumericIds(id)
                .addAllVectors(List.of((float) id, 1f, 2f, 3f))
                .build());
  }
}
