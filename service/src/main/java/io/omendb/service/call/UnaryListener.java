package io.omendb.service.call;

import io.grpc.ServerCall;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;

/// The listener of a unary call whose message is used up while it is handed over.
///
/// gRPC reads a unary request only when the client has closed its side, so the message is complete
/// and the only one when it comes. Called on the network's thread.
public abstract class UnaryListener<Q> extends ServerCall.Listener<Q> {
  private final ServerCall<Q, ?> call;
  private final Runnable ended;
  private boolean handled;

  /// Runs `ended` when the call is over, however it ended.
  public UnaryListener(ServerCall<Q, ?> call, Runnable ended) {
    this.call = call;
    this.ended = ended;
  }

  /// Answers the call, now or later; does not throw.
  protected abstract void handle(Q message);

  @Override
  public final void onMessage(Q message) {
    handled = true;
    handle(message);
  }

  @Override
  public final void onHalfClose() {
    if (!handled) {
      StatusMapper.close(call, Refusals.malformed("the call carries no message"));
    }
  }

  @Override
  public final void onComplete() {
    ended.run();
  }

  @Override
  public final void onCancel() {
    ended.run();
  }
}
