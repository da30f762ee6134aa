package io.omendb.service.wire;

import io.grpc.MethodDescriptor.Marshaller;
import java.io.IOException;
import java.io.InputStream;

/// Reads the requests of Insert and BulkInsert as [RowsMessage] views.
public final class RowsMarshaller implements Marshaller<RowsMessage> {
  private final ByteCounters counters;
  private final boolean bulk;

  /// `bulk`: reads BulkInsertRequest instead of InsertRequest. Vector bytes copied out of the
  /// messages are added to `counters`.
  public RowsMarshaller(ByteCounters counters, boolean bulk) {
    this.counters = counters;
    this.bulk = bulk;
  }

  /// Never throws: see [RowsMessage#malformed]. The caller closes the message before `onMessage`
  /// ends.
  @Override
  public RowsMessage parse(InputStream stream) {
    RowsMessage message = RowsMessage.acquire(counters);
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
