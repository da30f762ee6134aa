package io.omendb.loadtest.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.omendb.loadtest.data.ArrayVectors;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.Visibility;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BulkFramesTest {

  private static final int COUNT = 103;
  private static final int DIMENSION = 5;

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void streamsTogetherCarryEveryRowOnceInFramesThatProtobufReads(boolean ahead)
      throws InvalidProtocolBufferException {
    BulkOptions options = new BulkOptions(3, 10, Visibility.VISIBILITY_AFTER_BUILD);
    ArrayVectors rows =
        ArrayVectors.of(COUNT, DIMENSION, row -> new float[] {row, -row, 0.5f, 1e-30f, 3});
    List<Long> ids = new ArrayList<>();
    try (BulkFrames frames = new BulkFrames(rows, "c", options)) {
      if (ahead) {
        frames.encodeAhead();
      }
      assertEquals(11, frames.frameCount());
      for (int stream = 0; stream < 3; stream++) {
        for (int i = 0; i < frames.frameCount(stream); i++) {
          BulkInsertRequest read = parse(frames.frame(stream, i));
          assertEquals(i == 0 ? "c" : "", read.getCollection());
          assertEquals(i == 0, read.getWaitSearchable());
          assertEquals(i == 0 ? COUNT : 0, read.getExpectedCount());
          assertVectors(rows, read);
          ids.addAll(read.getNumericIdsList());
          assertEquals(
              frames.rowsUpTo(stream, i + 1) - frames.rowsUpTo(stream, i),
              read.getNumericIdsCount());
        }
      }
    }
    List<Long> all = new ArrayList<>();
    for (long id = 0; id < COUNT; id++) {
      all.add(id);
    }
    assertEquals(all, ids.stream().sorted().toList());
  }

  private static BulkInsertRequest parse(RawMessage message) throws InvalidProtocolBufferException {
    return BulkInsertRequest.parseFrom(message.bytes().toArray(ValueLayout.JAVA_BYTE));
  }

  private static void assertVectors(ArrayVectors rows, BulkInsertRequest read) {
    ByteBuffer expected =
        ByteBuffer.allocate(read.getNumericIdsCount() * DIMENSION * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    for (long id : read.getNumericIdsList()) {
      for (float component : rows.row((int) id)) {
        expected.putFloat(component);
      }
    }
    assertEquals(ByteString.copyFrom(expected.flip()), read.getVectorsLe());
  }
}
