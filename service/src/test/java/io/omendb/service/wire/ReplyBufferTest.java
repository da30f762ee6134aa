package io.omendb.service.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.omendb.proto.v1.Hit;
import io.omendb.proto.v1.InsertResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// What we encode is, byte for byte, what generated code encodes.
class ReplyBufferTest {
  private final ReplyBuffer buffer = new ReplyBuffer();

  @Test
  void varintsOfAnyLength() {
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < 2_000; i++) {
      long sequence = random.nextLong() >>> random.nextInt(64);
      int count = random.nextInt() >>> random.nextInt(32);
      buffer.clear();
      buffer.putVarint(InsertResponse.COMMIT_SEQUENCE_FIELD_NUMBER, sequence);
      buffer.putVarint(InsertResponse.INSERTED_COUNT_FIELD_NUMBER, Integer.toUnsignedLong(count));
      byte[] expected =
          InsertResponse.newBuilder()
              .setCommitSequence(sequence)
              .setInsertedCount(count)
              .build()
              .toByteArray();
      assertArrayEquals(expected, bytes(buffer.finish(false)));
      assertEquals(
          expected.length,
          ReplyBuffer.sizeVarint(InsertResponse.COMMIT_SEQUENCE_FIELD_NUMBER, sequence)
              + ReplyBuffer.sizeVarint(
                  InsertResponse.INSERTED_COUNT_FIELD_NUMBER, Integer.toUnsignedLong(count)));
    }
  }

  @Test
  void recordsFloatsAndIds() {
    for (float distance : new float[] {0f, -0f, 1.5f, Float.MIN_VALUE, Float.NEGATIVE_INFINITY}) {
      byte[] payload = new byte[3_000];
      Hit hit =
          Hit.newBuilder()
              .setNumericId(-2)
              .setDistance(distance)
              .setPayload(ByteString.copyFrom(payload))
              .build();
      buffer.clear();
      buffer.putFixed64(Hit.NUMERIC_ID_FIELD_NUMBER, -2);
      buffer.putFloat(Hit.DISTANCE_FIELD_NUMBER, distance);
      buffer.putRecord(Hit.PAYLOAD_FIELD_NUMBER, payload.length);
      int at = buffer.reserve(payload.length);
      System.arraycopy(payload, 0, buffer.array(), at, payload.length);
      assertArrayEquals(hit.toByteArray(), bytes(buffer.finish(true)));
      assertEquals(
          hit.getSerializedSize(),
          ReplyBuffer.sizeFixed64(Hit.NUMERIC_ID_FIELD_NUMBER)
              + ReplyBuffer.sizeFloat(Hit.DISTANCE_FIELD_NUMBER, distance)
              + ReplyBuffer.sizeRecord(Hit.PAYLOAD_FIELD_NUMBER, payload.length));
    }
  }

  @Test
  void aCopiedReplyOutlivesTheBuffer() throws InvalidProtocolBufferException, IOException {
    buffer.clear();
    buffer.putVarint(InsertResponse.COMMIT_SEQUENCE_FIELD_NUMBER, 5);
    Reply copied = buffer.finish(true);
    buffer.clear();
    buffer.putVarint(InsertResponse.COMMIT_SEQUENCE_FIELD_NUMBER, 6);
    assertEquals(5, InsertResponse.parseFrom(copied.readAllBytes()).getCommitSequence());
  }

  private static byte[] bytes(Reply reply) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      int length = reply.available();
      assertEquals(length, reply.drainTo(out));
      assertEquals(length, out.size());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return out.toByteArray();
  }
}
