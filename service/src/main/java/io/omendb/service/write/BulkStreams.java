package io.omendb.service.write;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.omendb.engine.Collection;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.service.call.Serving;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.StreamState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// BulkInsert: hands each call to a [BulkStream] of its own, and knows which connection holds which
/// named stream.
public final class BulkStreams implements ServerCallHandler<RowsMessage, Reply> {
  /// Frames that may be on their way before the first is read; one more for each that was.
  private static final int FRAMES_AHEAD = 8;

  private record Key(Collection collection, String streamId) {}

  final Serving serving;
  final Acknowledger acknowledger;
  final DurabilityMode durability;
  private final int maxStreams;
  private final Map<Key, BulkStream> holders = new HashMap<>();

  public BulkStreams(
      Serving serving, Acknowledger acknowledger, DurabilityMode durability, int maxStreams) {
    this.serving = serving;
    this.acknowledger = acknowledger;
    this.durability = durability;
    this.maxStreams = maxStreams;
  }

  @Override
  public ServerCall.Listener<RowsMessage> startCall(
      ServerCall<RowsMessage, Reply> call, Metadata headers) {
    call.sendHeaders(new Metadata());
    BulkStream stream = new BulkStream(call, this);
    call.request(FRAMES_AHEAD);
    return stream;
  }

  /// Makes `stream` the holder of its stream_id, and returns the holder before it, which must be
  /// ended.
  @Nullable BulkStream claim(StreamOpening opening, BulkStream stream) throws Refusal {
    if (acknowledger.streamCount() >= maxStreams) {
      throw Refusals.tooMany("streams", maxStreams);
    }
    if (opening.streamId().isEmpty()) {
      return null;
    }
    Key key = new Key(opening.collection(), opening.streamId());
    synchronized (holders) {
      StreamState state = opening.collection().stream(opening.streamId());
      if (!opening.resume() && (state != null || holders.containsKey(key))) {
        throw Refusal.of(
                Status.Code.ALREADY_EXISTS,
                ErrorReason.ERROR_REASON_STREAM_EXISTS,
                "stream_id \"" + opening.streamId() + "\" is known; set resume to go on with it")
            .with("stream_id", opening.streamId());
      }
      if (state != null && state.loggedSequence() == BulkStream.FINISHED) {
        throw Refusal.of(
                Status.Code.FAILED_PRECONDITION,
                ErrorReason.ERROR_REASON_STREAM_FINISHED,
                "stream_id \"" + opening.streamId() + "\" was closed by its client")
            .with("stream_id", opening.streamId());
      }
      return holders.put(key, stream);
    }
  }

  /// The stream is over; does nothing if another connection holds its stream_id by now.
  void release(StreamOpening opening, BulkStream stream) {
    if (!opening.streamId().isEmpty()) {
      synchronized (holders) {
        holders.remove(new Key(opening.collection(), opening.streamId()), stream);
      }
    }
  }
}
