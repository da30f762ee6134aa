package io.omendb.loadtest.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.omendb.loadtest.data.SiftSmall;
import io.omendb.loadtest.data.VectorFile;
import io.omendb.proto.v1.BulkInsertRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GhzFixturesTest {

  /** A load tester sends it over and over, so it may not name a stream. */
  @Test
  void bulkInsertIsOneFrameOfTheShippedSet(@TempDir Path directory) throws IOException {
    SiftSmall.unpack(directory);
    try (InputStream file = Files.newInputStream(Path.of("clients/ghz/bulk-insert.bin"));
        VectorFile base = VectorFile.open(SiftSmall.base(directory))) {
      BulkInsertRequest frame = BulkInsertRequest.parseDelimitedFrom(file);
      assertEquals("ghz", frame.getCollection());
      assertEquals("", frame.getStreamId());
      assertEquals(256, frame.getNumericIdsCount());
      float[] rows = new float[256 * SiftSmall.DIMENSION];
      base.copy(0, 256, rows, 0);
      assertEquals(Searches.bytes(rows), frame.getVectorsLe());
      assertNull(BulkInsertRequest.parseDelimitedFrom(file), "one message");
    }
  }
}
