package io.omendb.service.read;

import io.grpc.Deadline;
import io.grpc.ServerCall;
import io.omendb.engine.Collection;
import io.omendb.service.call.CallReplies;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import org.jspecify.annotations.Nullable;

/// How a read runs on a request thread, whatever it reads.
final class LeasedRead {
  /// Answers the call, while the collection is leased.
  interface Body {
    void answer() throws Refusal;
  }

  private LeasedRead() {}

  /// Runs `body` with a lease on the collection, unless nobody waits any more. Does not throw: a
  /// call is never left unanswered, for an Error neither.
  static void run(
      ServerCall<?, ?> call, Collection collection, @Nullable Deadline deadline, Body body) {
    try {
      if (CallReplies.closeIfLate(call, deadline)) {
        return;
      }
      if (!collection.acquire()) {
        throw Refusals.collectionDropped(collection.config().name());
      }
      try {
        body.answer();
      } finally {
        collection.release();
      }
    } catch (Refusal e) {
      StatusMapper.close(call, e);
    } catch (RuntimeException | Error e) {
      StatusMapper.close(call, StatusMapper.refusal(e, collection.config().name()));
    }
  }
}
