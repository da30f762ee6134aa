package io.omendb.client;

import com.google.protobuf.ByteString;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * A record that was found.
 *
 * @param id of a collection of numeric ids, unsigned; else 0
 * @param name of a collection of string ids; else empty
 * @param distance from the query, ascending
 * @param payload empty unless asked for and there
 * @param vector empty unless asked for
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Hit(long id, String name, float distance, byte[] payload, float[] vector) {

  static Hit of(io.omendb.proto.v1.Hit hit) {
    return new Hit(
        hit.getNumericId(),
        hit.getStringId(),
        hit.getDistance(),
        hit.getPayload().toByteArray(),
        floats(hit.getVectorLe()));
  }

  static float[] floats(ByteString bytes) {
    FloatBuffer floats =
        bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    float[] vector = new float[floats.remaining()];
    floats.get(vector);
    return vector;
  }
}
