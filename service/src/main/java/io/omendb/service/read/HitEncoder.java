package io.omendb.service.read;

import io.omendb.engine.Collection;
import io.omendb.engine.SearchResult;
import io.omendb.proto.v1.Hit;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.service.wire.QueryMessage;
import io.omendb.service.wire.ReplyBuffer;
import io.omendb.storage.api.IdKind;

/// Encodes the hits of a search straight from where ids, payloads and vectors lie.
///
/// In two passes: [#size], then [#encode] of the same result. The caller holds a lease on the
/// collection over both. One per thread.
final class HitEncoder {
  private int[] sizes = new int[64];

  /// Bytes of the hits as records of field `field`.
  long size(int field, Collection collection, SearchResult result, QueryMessage query) {
    if (sizes.length < result.count()) {
      sizes = new int[Math.max(result.count(), 2 * sizes.length)];
    }
    long sum = 0;
    for (int i = 0; i < result.count(); i++) {
      int slot = result.slot(i);
      long size = ReplyBuffer.sizeFloat(Hit.DISTANCE_FIELD_NUMBER, result.distance(i));
      size +=
          isNumeric(collection)
              ? ReplyBuffer.sizeFixed64(Hit.NUMERIC_ID_FIELD_NUMBER)
              : ReplyBuffer.sizeRecord(
                  Hit.STRING_ID_FIELD_NUMBER, collection.rows().stringIdLength(slot));
      if (query.includePayloads() && collection.rows().payloadLength(slot) > 0) {
        size +=
            ReplyBuffer.sizeRecord(Hit.PAYLOAD_FIELD_NUMBER, collection.rows().payloadLength(slot));
      }
      if (query.includeVectors()) {
        size += ReplyBuffer.sizeRecord(vectorField(query), vectorBytes(collection));
      }
      sizes[i] = Math.toIntExact(size);
      sum += ReplyBuffer.sizeRecord(field, size);
    }
    return sum;
  }

  /// Appends the hits that [#size] was just asked about.
  void encode(
      ReplyBuffer reply,
      int field,
      Collection collection,
      SearchResult result,
      QueryMessage query) {
    for (int i = 0; i < result.count(); i++) {
      int slot = result.slot(i);
      reply.putRecord(field, sizes[i]);
      if (isNumeric(collection)) {
        reply.putFixed64(Hit.NUMERIC_ID_FIELD_NUMBER, collection.rows().numericId(slot));
      } else {
        int length = collection.rows().stringIdLength(slot);
        reply.putRecord(Hit.STRING_ID_FIELD_NUMBER, length);
        int at = reply.reserve(length);
        collection.rows().copyStringId(slot, reply.array(), at);
      }
      reply.putFloat(Hit.DISTANCE_FIELD_NUMBER, result.distance(i));
      int payload = query.includePayloads() ? collection.rows().payloadLength(slot) : 0;
      if (payload > 0) {
        reply.putRecord(Hit.PAYLOAD_FIELD_NUMBER, payload);
        int at = reply.reserve(payload);
        collection.rows().copyPayload(slot, reply.array(), at);
      }
      if (query.includeVectors()) {
        // The two forms differ in the tag only.
        reply.putRecord(vectorField(query), vectorBytes(collection));
        int at = reply.reserve(vectorBytes(collection));
        collection.rows().copyVector(slot, reply.array(), at);
      }
    }
  }

  private static boolean isNumeric(Collection collection) {
    return collection.config().idKind() == IdKind.NUMERIC;
  }

  private static int vectorBytes(Collection collection) {
    return collection.config().dimension() * Float.BYTES;
  }

  private static int vectorField(QueryMessage query) {
    return query.vectorFormat() == VectorFormat.VECTOR_FORMAT_BYTES_LE_VALUE
        ? Hit.VECTOR_LE_FIELD_NUMBER
        : Hit.VECTOR_FIELD_NUMBER;
  }
}
