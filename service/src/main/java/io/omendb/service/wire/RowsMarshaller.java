package io.omendb.service.wire;

import io.grpc.MethodDescriptor.Marshaller;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.ArrayBlockingQueue;

/// Reads the requests of Insert and BulkInsert as [RowsMessage] views.
public final class RowsMarshaller implements Marshaller<RowsMessage> {
  /// Messages kept for reuse.
  private static final int POOLED = 64;

  private final ByteCounters counters;
  private final boolean bulk;
  private final ArrayBlockingQueue<RowsMessage> pool = new ArrayBlockingQueue<>(POOLED);

  /// `bulk`: reads BulkInsertRequest instead of InsertRequest. Vector bytes copied out of the
  /// messages are added to `counters`.
  public RowsMarshaller(ByteCounters counters, boolean bulk) {
    this.counters = counters;
    this.bulk = bulk;
  }

  /// Never throws: see [RowsMessage#malformed]. The caller closes the message before `onMessage`
  /// ends, or holds it.
  @Override
  public RowsMessage parse(InputStream stream) {
    RowsMessage message = pool.poll();
    if (message == null) {
      message = new RowsMessage(counters, pool);
    }
    try {
      message.fragments.gather(stream);
      RowsReader.read(message, bulk);
    } catch (MalformedMessageException e) {
      message.malformed = e;
    } catch (IOException e) {
      message.malformed =
          new MalformedMessageException("a stream that cannot be read: " + e.getMessage(), 0);
    }
    return message;
  }

  @Override
  public InputStream stream(RowsMessage value) {
    throw new UnsupportedOperationException("requests are only read here");
  }
}
