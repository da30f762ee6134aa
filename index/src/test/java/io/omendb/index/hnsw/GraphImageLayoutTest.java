package io.omendb.index.hnsw;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** A change of format is a change of this table, and of the magic. */
class GraphImageLayoutTest {
  @Test
  void theHeaderKeepsItsOffsets() {
    assertEquals("OMGRAPH1", magic(GraphImageLayout.MAGIC_VALUE));
    int[] offsets = {
      GraphImageLayout.MAGIC,
      GraphImageLayout.M,
      GraphImageLayout.DIMENSION,
      GraphImageLayout.SIMILARITY,
      GraphImageLayout.BOUND,
      GraphImageLayout.ENTRY,
      GraphImageLayout.UPPER_LISTS,
      GraphImageLayout.LINKED,
      GraphImageLayout.FITTED_ROWS,
      GraphImageLayout.ROTATION,
      GraphImageLayout.NORM_BOUND,
      GraphImageLayout.SCALE,
      GraphImageLayout.STRIDE0,
      GraphImageLayout.CODE_STRIDE,
      GraphImageLayout.HEADER_BYTES
    };
    assertArrayEquals(
        new int[] {0, 8, 12, 16, 20, 24, 32, 36, 40, 44, 48, 52, 56, 60, 64}, offsets);
    assertEquals(64, GraphImageLayout.lowBytes(1));
    assertEquals(64, GraphImageLayout.lowBytes(16));
    assertEquals(128, GraphImageLayout.lowBytes(17));
  }

  @Test
  void theChangesKeepTheirOffsets() {
    assertEquals("OMGRAPHC", magic(GraphChangesLayout.MAGIC_VALUE));
    int[] offsets = {
      GraphChangesLayout.MAGIC,
      GraphChangesLayout.BOUND,
      GraphChangesLayout.UPPER_LISTS,
      GraphChangesLayout.ENTRY,
      GraphChangesLayout.LINKED,
      GraphChangesLayout.NODES,
      GraphChangesLayout.STRIDE0,
      GraphChangesLayout.CODE_STRIDE,
      GraphChangesLayout.HEADER_BYTES
    };
    assertArrayEquals(new int[] {0, 8, 12, 16, 24, 28, 32, 36, 64}, offsets);
    int[] ofNode = {
      GraphChangesLayout.NODE_ORDINAL,
      GraphChangesLayout.NODE_LEVEL,
      GraphChangesLayout.NODE_NEW,
      GraphChangesLayout.NODE_UPPER_AT,
      GraphChangesLayout.NODE_HEADER_BYTES
    };
    assertArrayEquals(new int[] {0, 4, 5, 8, 12}, ofNode);
  }

  /** The eight characters that stand in the file, which is little-endian. */
  private static String magic(long value) {
    byte[] bytes = new byte[Long.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
    return new String(bytes, StandardCharsets.US_ASCII);
  }
}
