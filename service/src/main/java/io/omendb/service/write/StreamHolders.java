package io.omendb.service.write;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Status;
import io.omendb.engine.Collection;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.storage.api.StreamState;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which connection holds which named stream. Any thread.
final class StreamHolders {
  /// Logged as a last frame when a named stream was closed by its client, so that it is not
  /// resumed.
  static final long FINISHED = Long.MAX_VALUE;

  private record Key(Collection collection, String streamId) {}

  private final Acknowledger acknowledger;
  private final int maxStreams;

  /// Guarded by itself.
  @GuardedBy("itself")
  private final Map<Key, OpenStream> holders = new HashMap<>();

  StreamHolders(Acknowledger acknowledger, int maxStreams) {
    this.acknowledger = acknowledger;
    this.maxStreams = maxStreams;
  }

  /// Makes `stream` the holder of its stream_id, and returns the holder before it, which must be
  /// ended.
  @Nullable OpenStream claim(StreamOpening opening, OpenStream stream) throws Refusal {
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
      if (state != null && state.loggedSequence() == FINISHED) {
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
  void release(StreamOpening opening, OpenStream stream) {
    if (!opening.streamId().isEmpty()) {
      synchronized (holders) {
        holders.remove(new Key(opening.collection(), opening.streamId()), stream);
      }
    }
  }
}
