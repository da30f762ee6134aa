package io.omendb.service.write;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.service.call.Serving;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.RowsMessage;

/// BulkInsert: hands each call to a [BulkStream] of its own.
public final class BulkStreams implements ServerCallHandler<RowsMessage, Reply> {
  /// Frames that may be on their way before the first is read; one more for each that was.
  private static final int FRAMES_AHEAD = 8;

  private final Serving serving;
  private final Acknowledger acknowledger;
  private final DurabilityMode durability;
  private final StreamHolders holders;

  public BulkStreams(
      Serving serving, Acknowledger acknowledger, DurabilityMode durability, int maxStreams) {
    this.serving = serving;
    this.acknowledger = acknowledger;
    this.durability = durability;
    this.holders = new StreamHolders(acknowledger, maxStreams);
  }

  @Override
  public ServerCall.Listener<RowsMessage> startCall(
      ServerCall<RowsMessage, Reply> call, Metadata headers) {
    call.sendHeaders(new Metadata());
    BulkStream stream = new BulkStream(call, serving, acknowledger, holders, durability);
    call.request(FRAMES_AHEAD);
    return stream;
  }
}
