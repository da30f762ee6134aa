package io.omendb.service.write;

import io.omendb.engine.Collection;
import io.omendb.service.status.Refusal;

/// A bulk stream as the acknowledging thread and the registry of holders see it. Any thread may
/// call it, but [#advance], which is the acknowledging thread's.
interface OpenStream {
  /// Sends what there is to tell. Returns nanoseconds until it wants to be asked again, unless
  /// something moves before.
  long advance(long now);

  /// Whether it writes to this collection.
  boolean isOf(Collection collection);

  /// Ends the stream with `refusal`, by the acknowledging thread.
  void fail(Refusal refusal);

  /// Closes the call at once: it cannot be advanced any more.
  void abandon(Refusal refusal);

  /// The server is about to stop: tells the client, or with `force` ends the stream.
  void drain(boolean force);
}
