package io.omendb.loadtest.client;

import com.google.protobuf.ByteString;
import io.omendb.loadtest.data.Dataset;
import io.omendb.loadtest.data.Vectors;
import io.omendb.proto.v1.SearchRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** The queries of a set as search requests. */
public final class Searches {

  private Searches() {}

  /** A request for the nearest {@value Dataset#K}; an ef of 0 leaves the choice to the server. */
  public static SearchRequest.Builder request(String collection, float[] query, int ef) {
    return SearchRequest.newBuilder()
        .setCollection(collection)
        .setK(Dataset.K)
        .setEf(ef)
        .setVectorLe(bytes(query));
  }

  /** A request for each query, encoded. */
  public static List<RawMessage> encoded(String collection, Vectors queries, int ef) {
    List<RawMessage> requests = new ArrayList<>(queries.count());
    for (int query = 0; query < queries.count(); query++) {
      requests.add(
          RawMessage.of(request(collection, queries.row(query), ef).build().toByteArray()));
    }
    return requests;
  }

  /** A vector as it travels in a field of bytes. */
  public static ByteString bytes(float... vector) {
    ByteBuffer buffer =
        ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float component : vector) {
      buffer.putFloat(component);
    }
    return ByteString.copyFrom(buffer.flip());
  }
}
