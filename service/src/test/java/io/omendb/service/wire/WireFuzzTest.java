package io.omendb.service.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.SearchRequest;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Holds our readers against the generated parsers: what one accepts the other must accept, with
/// the same fields, however the message is cut into fragments.
///
/// Prints its seed when it fails; `-Dseed=N` runs that one again.
class WireFuzzTest {
  private final ByteCounters counters = new ByteCounters();
  private final RowsMarshaller inserts = new RowsMarshaller(counters, false);
  private final RowsMarshaller frames = new RowsMarshaller(counters, true);
  private final QueryMarshaller searches =
      new QueryMarshaller(counters, 4, new MemoryBudget(64 << 20));

  @ParameterizedTest
  @EnumSource(FragmentStream.Kind.class)
  void readersAgreeWithGeneratedParsers(FragmentStream.Kind kind) {
    fuzz(kind, 8_000);
  }

  @Tag("ci")
  @ParameterizedTest
  @EnumSource(FragmentStream.Kind.class)
  void readersAgreeWithGeneratedParsersForLong(FragmentStream.Kind kind) {
    fuzz(kind, 2_000_000);
  }

  @Test
  void groupsNestedTooDeepAreRefusedByBoth() {
    for (int depth : new int[] {1, 99, 100, 101, 102}) {
      byte[] message = new byte[2 * depth];
      java.util.Arrays.fill(message, 0, depth, (byte) (9 << 3 | 3));
      java.util.Arrays.fill(message, depth, 2 * depth, (byte) (9 << 3 | 4));
      checkInsert(message, stream(message, 7, FragmentStream.Kind.DIRECT, new SplittableRandom(1)));
    }
  }

  /// Every way a sequence can begin, with continuation bytes at their edges: no overlong forms, no
  /// surrogates, nothing above U+10FFFF.
  @Test
  void utf8IsCheckedAsByTheGeneratedParser() {
    byte[] edges = {0x00, 0x41, 0x7f, (byte) 0x80, (byte) 0x8f, (byte) 0x90, (byte) 0x9f};
    byte[] more = {(byte) 0xa0, (byte) 0xbf, (byte) 0xc0, (byte) 0xe1, (byte) 0xff};
    byte[] next = java.util.Arrays.copyOf(edges, edges.length + more.length);
    System.arraycopy(more, 0, next, edges.length, more.length);
    SplittableRandom random = new SplittableRandom(1);
    for (int first = 0; first < 256; first++) {
      for (byte second : next) {
        for (byte third : next) {
          byte[] message = {4 << 3 | 2, 4, (byte) first, second, third, (byte) 0x80};
          checkInsert(message, stream(message, 2, FragmentStream.Kind.DIRECT, random));
          message[5] = 'z';
          checkInsert(message, stream(message, 2, FragmentStream.Kind.HEAP, random));
        }
      }
    }
  }

  private void fuzz(FragmentStream.Kind kind, int rounds) {
    long seed = Long.getLong("seed", new SplittableRandom().nextLong());
    SplittableRandom random = new SplittableRandom(seed);
    RandomMessages messages = new RandomMessages(random);
    for (int round = 0; round < rounds; round++) {
      int shape = random.nextInt(3);
      byte[] message = message(messages, random, shape);
      int longest = random.nextBoolean() ? 1 : 1 + random.nextInt(64);
      try {
        InputStream stream = stream(message, longest, kind, random);
        switch (shape) {
          case 0 -> checkInsert(message, stream);
          case 1 -> checkFrame(message, stream);
          default -> checkSearch(message, stream);
        }
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed "
                + seed
                + ", round "
                + round
                + ", shape "
                + shape
                + ": "
                + HexFormat.of().formatHex(message),
            e);
      }
    }
  }

  private static byte[] message(RandomMessages messages, SplittableRandom random, int shape) {
    byte[] message =
        random.nextInt(3) == 0
            ? messages.records()
            : switch (shape) {
              case 0 -> messages.insert().toByteArray();
              case 1 -> messages.bulkInsert().toByteArray();
              default -> messages.search().toByteArray();
            };
    return random.nextInt(2) == 0 ? messages.mutate(message) : message;
  }

  private static InputStream stream(
      byte[] message, int longest, FragmentStream.Kind kind, SplittableRandom random) {
    return FragmentStream.of(message, longest, kind, random);
  }

  private void checkInsert(byte[] bytes, InputStream stream) {
    InsertRequest expected;
    try {
      expected = InsertRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      expected = null;
    }
    try (RowsMessage read = inserts.parse(stream)) {
      if (expected == null) {
        assertNotNull(read.malformed(), "the generated parser refused it");
        return;
      }
      if (isOverlongVarint(read.malformed())) {
        return;
      }
      assertNull(read.malformed());
      assertEquals(expected.getCollection(), read.collection());
      assertEquals(expected.getModeValue(), read.mode());
      checkColumns(
          read,
          expected.getNumericIdsList(),
          expected.getStringIdsList(),
          expected.getVectorsList(),
          expected.getVectorsLe(),
          expected.getPayloadsList());
    }
  }

  private void checkFrame(byte[] bytes, InputStream stream) {
    BulkInsertRequest expected;
    try {
      expected = BulkInsertRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      expected = null;
    }
    try (RowsMessage read = frames.parse(stream)) {
      if (expected == null) {
        assertNotNull(read.malformed(), "the generated parser refused it");
        return;
      }
      if (isOverlongVarint(read.malformed())) {
        return;
      }
      assertNull(read.malformed());
      assertEquals(expected.getCollection(), read.collection());
      assertEquals(expected.getModeValue(), read.mode());
      assertEquals(expected.getFrameSequence(), read.frameSequence());
      assertEquals(expected.getStreamId(), read.streamId());
      assertEquals(expected.getResume(), read.resume());
      assertEquals(expected.getVisibilityValue(), read.visibility());
      assertEquals(expected.getExpectedCount(), read.expectedCount());
      assertEquals(expected.getWaitSearchable(), read.waitSearchable());
      checkColumns(
          read,
          expected.getNumericIdsList(),
          expected.getStringIdsList(),
          expected.getVectorsList(),
          expected.getVectorsLe(),
          expected.getPayloadsList());
    }
  }

  /// The one difference we keep: the array decoder of protobuf-java does not look whether the tenth
  /// byte of a 64-bit varint is its last, if more bytes follow. The format allows ten, and its
  /// other decoders refuse more, as we do.
  private static boolean isOverlongVarint(@Nullable MalformedMessageException fault) {
    return fault != null
        && String.valueOf(fault.getMessage()).startsWith("a varint of more than 10 bytes");
  }

  private static void checkColumns(
      RowsMessage read,
      List<Long> numericIds,
      List<String> stringIds,
      List<Float> vectors,
      ByteString vectorsLe,
      List<ByteString> payloads) {
    assertEquals(numericIds.size(), read.numericIdCount());
    for (int i = 0; i < numericIds.size(); i++) {
      assertEquals(numericIds.get(i), read.numericId(i));
    }
    assertEquals(stringIds.size(), read.stringIdCount());
    for (int i = 0; i < stringIds.size(); i++) {
      assertEquals(stringIds.get(i), read.stringId(i));
    }
    assertEquals(payloads.size(), read.payloadCount());
    for (int i = 0; i < payloads.size(); i++) {
      assertArrayEquals(payloads.get(i).toByteArray(), read.payload(i));
    }
    byte[] floats = littleEndian(vectors);
    assertArrayEquals(floats, read.vectorBlock(false));
    assertArrayEquals(vectorsLe.toByteArray(), read.vectorBlock(true));
    assertEquals(!vectors.isEmpty() && !vectorsLe.isEmpty(), read.hasBothTwins());
    checkCopies(read, vectorsLe.isEmpty() ? floats : vectorsLe.toByteArray());
  }

  /// Row by row, with a stride, and in one piece: the same bytes and none beside them.
  private static void checkCopies(RowsMessage read, byte[] block) {
    int rows = read.count();
    if (rows == 0 || block.length == 0 || block.length % rows != 0) {
      return;
    }
    int rowBytes = block.length / rows;
    int stride = rowBytes + 8;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment whole = arena.allocate(block.length);
      read.copyVectors(0, rows, whole, 0, rowBytes);
      assertArrayEquals(block, whole.toArray(ValueLayout.JAVA_BYTE));
      MemorySegment strided = arena.allocate((long) rows * stride).fill((byte) 0x5a);
      read.copyVectors(0, rows, strided, 0, stride);
      for (int row = rows - 1; row >= 0; row--) {
        byte[] slice = strided.asSlice((long) row * stride, stride).toArray(ValueLayout.JAVA_BYTE);
        for (int i = 0; i < stride; i++) {
          assertEquals(i < rowBytes ? block[row * rowBytes + i] : 0x5a, slice[i]);
        }
        read.copyVectors(row, 1, whole, 0, rowBytes);
        assertEquals(
            -1,
            whole.asSlice(0, rowBytes).mismatch(strided.asSlice((long) row * stride, rowBytes)));
      }
    }
  }

  private void checkSearch(byte[] bytes, InputStream stream) {
    SearchRequest expected;
    try {
      expected = SearchRequest.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      expected = null;
    }
    try (QueryMessage read = searches.parse(stream)) {
      if (expected == null) {
        assertNotNull(read.malformed(), "the generated parser refused it");
        return;
      }
      if (isOverlongVarint(read.malformed())) {
        return;
      }
      assertNull(read.malformed());
      assertEquals(expected.getCollection(), read.collection());
      assertEquals(expected.getK(), read.k());
      assertEquals(expected.getEf(), read.ef());
      assertEquals(expected.getExact(), read.exact());
      assertEquals(expected.hasMaxDistance(), read.hasMaxDistance());
      assertEquals(
          Float.floatToRawIntBits(expected.getMaxDistance()),
          Float.floatToRawIntBits(read.maxDistance()));
      assertEquals(expected.getMinVisibleSequence(), read.minVisibleSequence());
      assertEquals(expected.getIncludeVectors(), read.includeVectors());
      assertEquals(expected.getIncludePayloads(), read.includePayloads());
      assertEquals(expected.getExplain(), read.explain());
      assertEquals(expected.hasFilter(), read.hasFilter());
      assertEquals(expected.getVectorFormatValue(), read.vectorFormat());
      boolean both = expected.getVectorCount() > 0 && !expected.getVectorLe().isEmpty();
      assertEquals(both, read.hasBothTwins());
      if (!both) {
        checkQuery(expected, read);
      }
    }
  }

  private static void checkQuery(SearchRequest expected, QueryMessage read) {
    byte[] block =
        expected.getVectorCount() > 0
            ? littleEndian(expected.getVectorList())
            : expected.getVectorLe().toByteArray();
    assertEquals(block.length, read.vectorBytes());
    ByteBuffer floats = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < block.length / Float.BYTES; i++) {
      assertEquals(floats.getInt(i * Float.BYTES), Float.floatToRawIntBits(read.queries()[i]));
    }
  }

  private static byte[] littleEndian(List<Float> values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    values.forEach(value -> bytes.putInt(Float.floatToRawIntBits(value)));
    return bytes.array();
  }
}
