package io.omendb.service.wire;

import com.google.protobuf.WireFormat;
import io.grpc.MethodDescriptor.Marshaller;
import io.omendb.proto.v1.SearchBatchRequest;
import io.omendb.proto.v1.SearchRequest;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;

/// Reads the requests of Search and SearchBatch, whose fields have the same numbers.
///
/// Copies the queries once, from the network buffers into a reused `float[]`.
public final class QueryMarshaller implements Marshaller<QueryMessage> {
  private static final ThreadLocal<View> VIEWS = ThreadLocal.withInitial(View::new);

  static {
    // One reader serves both, so the numbers must agree; those of the vectors are the delicate
    // ones.
    if (SearchRequest.VECTOR_FIELD_NUMBER != SearchBatchRequest.VECTORS_FIELD_NUMBER
        || SearchRequest.VECTOR_LE_FIELD_NUMBER != SearchBatchRequest.VECTORS_LE_FIELD_NUMBER) {
      throw new AssertionError("SearchRequest and SearchBatchRequest differ");
    }
  }

  private final ByteCounters counters;
  private final ArrayBlockingQueue<QueryMessage> pool;
  private final MemoryBudget budget;

  /// Keeps up to `pooled` messages for reuse. Vector bytes are added to `counters`; the memory of
  /// large blocks is taken from `budget`.
  public QueryMarshaller(ByteCounters counters, int pooled, MemoryBudget budget) {
    this.counters = counters;
    this.budget = budget;
    this.pool = new ArrayBlockingQueue<>(pooled);
  }

  /// Never throws: see [QueryMessage#malformed]. The caller closes the message when it is answered.
  @Override
  public QueryMessage parse(InputStream stream) {
    QueryMessage message = pool.poll();
    if (message == null) {
      message = new QueryMessage(pool, budget);
    }
    message.clear();
    message.arrivalNanos = System.nanoTime();
    View view = VIEWS.get();
    try {
      view.fragments.gather(stream);
      read(view, message);
      copyQueries(view, message);
    } catch (MalformedMessageException e) {
      message.malformed = e;
    } catch (IOException e) {
      message.malformed =
          new MalformedMessageException("a stream that cannot be read: " + e.getMessage(), 0);
    } finally {
      view.fragments.clear();
    }
    return message;
  }

  @Override
  public InputStream stream(QueryMessage value) {
    throw new UnsupportedOperationException("requests are only read here");
  }

  private static void read(View view, QueryMessage message) throws MalformedMessageException {
    view.vector.clear();
    view.vectorLe.clear();
    WireReader wire = view.wire;
    wire.start();
    for (int tag = wire.readTag(); tag != 0; tag = wire.readTag()) {
      switch (tag) {
        case SearchRequest.COLLECTION_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
          int length = wire.readLength();
          int offset = wire.offset();
          wire.skipUtf8(length);
          message.collection = view.collectionNames.get(view.fragments, offset, length);
        }
        case SearchRequest.K_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.k = (int) wire.readVarint();
        case SearchRequest.EF_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.ef = (int) wire.readVarint();
        case SearchRequest.EXACT_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.exact = wire.readVarint() != 0;
        case SearchRequest.VECTOR_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
          int length = wire.readPackedLength(Float.BYTES);
          if (length > 0) {
            view.vector.add(wire.offset(), length);
          }
          wire.skip(length);
        }
        case SearchRequest.VECTOR_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_FIXED32 -> {
          int offset = wire.offset();
          wire.skip(Float.BYTES);
          view.vector.add(offset, Float.BYTES);
        }
        case SearchRequest.VECTOR_LE_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
          view.vectorLe.clear();
          int length = wire.readLength();
          view.vectorLe.add(wire.offset(), length);
          wire.skip(length);
        }
        case SearchRequest.MAX_DISTANCE_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_FIXED32 -> {
          message.hasMaxDistance = true;
          message.maxDistance = Float.intBitsToFloat(wire.readFixed32());
        }
        case SearchRequest.MIN_VISIBLE_SEQUENCE_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.minVisibleSequence = wire.readVarint();
        case SearchRequest.INCLUDE_VECTORS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.includeVectors = wire.readVarint() != 0;
        case SearchRequest.INCLUDE_PAYLOADS_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.includePayloads = wire.readVarint() != 0;
        case SearchRequest.EXPLAIN_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.explain = wire.readVarint() != 0;
        case SearchRequest.FILTER_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> {
          message.hasFilter = true;
          wire.skipMessage();
        }
        case SearchRequest.VECTOR_FORMAT_FIELD_NUMBER << 3 | WireFormat.WIRETYPE_VARINT ->
            message.vectorFormat = (int) wire.readVarint();
        default -> wire.skipUnknown(tag);
      }
    }
  }

  private void copyQueries(View view, QueryMessage message) {
    message.bothTwins = view.vector.bytes() > 0 && view.vectorLe.bytes() > 0;
    message.littleEndianBytes = view.vectorLe.bytes() > 0;
    if (message.bothTwins) {
      return;
    }
    Spans block = message.littleEndianBytes ? view.vectorLe : view.vector;
    message.vectorBytes = block.bytes();
    if (!message.tryReserve(block.bytes())) {
      return;
    }
    MemorySegment target = message.reserve(block.bytes());
    int at = 0;
    int direct = 0;
    for (int i = 0; i < block.count(); i++) {
      direct += view.fragments.copy(block.offset(i), block.length(i), target, at);
      at += block.length(i);
    }
    counters.add(BytePath.DIRECT, direct);
    counters.add(view.fragments.heapPath(), at - direct);
  }

  /// What a thread needs to read a message.
  private static final class View {
    final Fragments fragments = new Fragments();
    final WireReader wire = new WireReader(fragments);
    final NameCache collectionNames = new NameCache();
    final Spans vector = new Spans();
    final Spans vectorLe = new Spans();
  }
}
