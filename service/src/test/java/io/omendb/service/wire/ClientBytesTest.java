package io.omendb.service.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.omendb.proto.v1.WriteMode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Reads what the clients send, byte by byte as they send it, however it is cut into fragments.
class ClientBytesTest {
  private static final Path GOLDEN = Path.of("..", "loadtest", "clients", "golden");
  private static final float[] VECTORS = {1.5f, -2, 0.25f, 3, 4, 5};
  private static final int DIMENSION = 3;

  private final ByteCounters counters = new ByteCounters();

  @ParameterizedTest
  @ValueSource(strings = {"python", "go", "node", "java"})
  void anInsertIsRead(String client) throws IOException {
    byte[] message = Files.readAllBytes(GOLDEN.resolve(client + "-insert.bin"));
    for (FragmentStream.Kind kind : FragmentStream.Kind.values()) {
      try (RowsMessage read = new RowsMarshaller(counters, false).parse(cut(message, kind));
          Arena arena = Arena.ofConfined()) {
        assertNull(read.malformed());
        assertEquals("golden", read.collection());
        assertEquals(WriteMode.WRITE_MODE_INSERT_ONLY_VALUE, read.mode());
        assertEquals(2, read.stringIdCount());
        MemorySegment target = arena.allocate(16);
        read.copyStringId(1, target, 0);
        assertEquals("é", text(target, read.stringIdLength(1)));
        assertEquals(2, read.payloadCount());
        read.copyPayload(0, target, 0);
        assertEquals("{\"k\":1}", text(target, read.payloadLength(0)));
        assertEquals(0, read.payloadLength(1));
        checkVectors(read, arena);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"python", "go", "node", "java"})
  void aFrameIsRead(String client) throws IOException {
    byte[] message = Files.readAllBytes(GOLDEN.resolve(client + "-frame.bin"));
    for (FragmentStream.Kind kind : FragmentStream.Kind.values()) {
      try (RowsMessage read = new RowsMarshaller(counters, true).parse(cut(message, kind));
          Arena arena = Arena.ofConfined()) {
        assertNull(read.malformed());
        assertEquals(2, read.frameSequence());
        assertEquals(2, read.numericIdCount());
        assertEquals(0, read.numericId(0));
        assertEquals(-1, read.numericId(1));
        assertEquals(0, read.payloadCount());
        checkVectors(read, arena);
      }
    }
  }

  private static FragmentStream cut(byte[] message, FragmentStream.Kind kind) {
    return FragmentStream.of(message, 5, kind, new SplittableRandom(1));
  }

  private static void checkVectors(RowsMessage read, Arena arena) {
    assertEquals(VECTORS.length * Float.BYTES, read.vectorBytes());
    MemorySegment rows = arena.allocate(read.vectorBytes());
    int stride = DIMENSION * Float.BYTES;
    read.copyVectors(0, 2, rows, 0, stride);
    assertArrayEquals(VECTORS, rows.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
  }

  private static String text(MemorySegment bytes, int length) {
    return new String(bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }
}
