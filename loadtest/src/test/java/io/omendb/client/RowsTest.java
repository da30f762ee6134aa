package io.omendb.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.WriteMode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class RowsTest {

  private static final Vectors VECTORS = Vectors.of(new float[] {1.5f, -2, 0.25f, 3, 4, 5}, 3);

  @Test
  void theBytesAreThoseThatTheServerWasShown() throws IOException {
    InsertRequest insert =
        InsertRequest.newBuilder()
            .setCollection("golden")
            .setMode(WriteMode.WRITE_MODE_INSERT_ONLY)
            .build();
    List<byte[]> payloads = List.of("{\"k\":1}".getBytes(UTF_8), new byte[0]);
    Rows named = new Rows(Ids.of("a", "é"), VECTORS, payloads);
    compare("insert", named.encode(insert.toByteArray()));
    BulkInsertRequest frame = BulkInsertRequest.newBuilder().setFrameSequence(2).build();
    Rows numbered = Rows.of(Ids.of(0, -1), VECTORS);
    compare("frame", numbered.encode(frame.toByteArray()));
  }

  private static void compare(String name, byte[] message) throws IOException {
    Path file = Path.of("clients", "golden", "java-" + name + ".bin");
    if (System.getenv("OMENDB_WRITE_GOLDEN") != null) {
      Files.write(file, message);
    }
    assertArrayEquals(Files.readAllBytes(file), message);
  }
}
