package io.omendb.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.omendb.index.hnsw.Scoring;
import io.omendb.memory.Memory;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class ImageHeaderTest {
  private static final Calibration CODES =
      new Calibration(60, 130, Scoring.CODES, 0.25F, 0.5F, 0.9925, null);
  private static final Calibration BLOCKS =
      new Calibration(90, 210, Scoring.BLOCKS, 0.125F, 0, 0.991, CODES);

  private final byte[] bytes = new byte[ImageHeaderLayout.BYTES];

  @Test
  void comesBackWithAndWithoutWhatStandsInForBlocks() throws IOException {
    for (Calibration calibration : new Calibration[] {CODES, BLOCKS, Calibration.NONE}) {
      for (boolean tried : new boolean[] {false, true}) {
        ImageHeader header = new ImageHeader(calibration, tried, 77);
        header.write(this::write);
        assertEquals(header, ImageHeader.read(this::read));
      }
    }
  }

  @Test
  void anotherMagicIsNoneOfOurs() throws IOException {
    new ImageHeader(BLOCKS, true, 1).write(this::write);
    bytes[0]++;
    assertNull(ImageHeader.read(this::read));
  }

  private void write(long address, long count) {
    Memory.read(address, bytes, 0, (int) count);
  }

  private void read(long address, long count) {
    Memory.write(bytes, 0, address, (int) count);
  }
}
