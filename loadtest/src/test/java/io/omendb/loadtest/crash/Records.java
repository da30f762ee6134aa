package io.omendb.loadtest.crash;

import com.google.protobuf.ByteString;
import io.omendb.loadtest.client.Searches;
import io.omendb.proto.v1.VectorRecord;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;

/** Records whose whole content follows from id and version, so that any of it can be checked. */
final class Records {

  static final int DIMENSION = 24;

  private Records() {}

  static ByteString vector(long id, int version) {
    // Not a multiple of the generator's own step: ids would then draw one stream, shifted, and
    // a draw that was rejected could give two of them one vector.
    SplittableRandom random = new SplittableRandom(id * 0xD1342543DE82EF95L + version);
    float[] vector = new float[DIMENSION];
    for (int i = 0; i < DIMENSION; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    return Searches.bytes(vector);
  }

  /** Payloads of 12 to 75 bytes. */
  static ByteString payload(long id, int version) {
    ByteBuffer payload = ByteBuffer.allocate(12 + Math.floorMod(id + version, 64));
    return ByteString.copyFrom(payload.putLong(id).putInt(version).rewind());
  }

  static ByteString vectors(List<Long> ids, int version) {
    return ByteString.copyFrom(ids.stream().map(id -> vector(id, version)).toList());
  }

  static List<ByteString> payloads(List<Long> ids, int version) {
    return ids.stream().map(id -> payload(id, version)).toList();
  }

  /**
   * The version of a record that the server returned.
   *
   * @throws AssertionError if a byte of it is not as it was sent
   */
  static int version(VectorRecord record) {
    long id = record.getNumericId();
    if (record.getPayload().size() < 12) {
      throw new AssertionError("id " + id + " has payload " + record.getPayload());
    }
    int version = record.getPayload().asReadOnlyByteBuffer().getInt(8);
    if (!record.getPayload().equals(payload(id, version))) {
      throw new AssertionError("id " + id + ", version " + version + ": payload differs");
    }
    if (!record.getVectorLe().equals(vector(id, version))) {
      throw new AssertionError("id " + id + ", version " + version + ": vector differs");
    }
    return version;
  }
}
