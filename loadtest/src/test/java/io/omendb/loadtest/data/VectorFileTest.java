package io.omendb.loadtest.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VectorFileTest {

  private static final int DIMENSION = 3;

  private final Path directory;

  VectorFileTest(@TempDir Path directory) {
    this.directory = directory;
  }

  @Test
  void readsFloats() throws IOException {
    try (VectorFile file = VectorFile.open(floats(50_000))) {
      assertEquals(50_000, file.count());
      assertEquals(DIMENSION, file.dimension());
      assertArrayEquals(new float[] {49_999, 0.5f, -1}, file.row(49_999));
    }
  }

  @Test
  void readsManyRowsAcrossItsBlocksWithAStride() throws IOException {
    try (VectorFile file = VectorFile.open(floats(50_000));
        Arena arena = Arena.ofConfined()) {
      int stride = 16;
      MemorySegment target = arena.allocate(40_000L * stride + 4);
      file.copy(10_000, 40_000, target, 4, stride);
      for (int i = 0; i < 40_000; i++) {
        float first = target.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 + (long) i * stride);
        assertEquals(10_000 + i, first);
      }
    }
  }

  @Test
  void readsBytesAsUnsigned() throws IOException {
    Path path = directory.resolve("x.bvecs");
    Files.write(path, new byte[] {3, 0, 0, 0, 0, 127, (byte) 255, 3, 0, 0, 0, (byte) 128, 1, 2});
    try (VectorFile file = VectorFile.open(path)) {
      assertArrayEquals(new float[] {0, 127, 255}, file.row(0));
      assertArrayEquals(new float[] {128, 1, 2}, file.row(1));
    }
  }

  @Test
  void takesTheFirstRowsOnly() throws IOException {
    try (VectorFile file = VectorFile.open(floats(10), 4)) {
      assertEquals(4, file.count());
      assertThrows(IndexOutOfBoundsException.class, () -> file.row(4));
    }
  }

  @Test
  void refusesAFileThatEndsWithinARow() throws IOException {
    Path path = floats(2);
    byte[] whole = Files.readAllBytes(path);
    Files.write(path, Arrays.copyOf(whole, whole.length - 1));
    IOException refused = assertThrows(IOException.class, () -> VectorFile.open(path));
    assertTrue(refused.toString().contains("multiple of 16 bytes"), refused.toString());
  }

  @Test
  void namesTheRowWhoseDimensionDiffers() throws IOException {
    Path path = floats(4);
    byte[] bytes = Files.readAllBytes(path);
    bytes[2 * 16] = 2;
    Files.write(path, bytes);
    try (VectorFile file = VectorFile.open(path)) {
      UncheckedIOException refused =
          assertThrows(UncheckedIOException.class, () -> file.copy(0, 4, new float[12], 0));
      assertTrue(refused.toString().contains("row 2 has dimension=2"), refused.toString());
    }
  }

  @Test
  void readsLists() throws IOException {
    Path path = directory.resolve("x.ivecs");
    ByteBuffer buffer = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(2).putInt(7).putInt(8).putInt(2).putInt(9).putInt(3);
    Files.write(path, buffer.array());
    Neighbours lists = Neighbours.read(path);
    assertEquals(2, lists.queries());
    assertEquals(8, lists.row(0, 1));
    assertEquals(9, lists.row(1, 0));
    assertTrue(lists.fits(2, 10, 2));
    assertEquals(false, lists.fits(2, 9, 2), "row 9 of 9");
    assertEquals(false, lists.fits(3, 10, 2), "two queries only");
  }

  private Path floats(int rows) throws IOException {
    ByteBuffer buffer =
        ByteBuffer.allocate(rows * (DIMENSION + 1) * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < rows; row++) {
      buffer.putInt(DIMENSION).putFloat(row).putFloat(0.5f).putFloat(-1);
    }
    Path path = directory.resolve("x.fvecs");
    Files.write(path, buffer.array());
    return path;
  }
}
