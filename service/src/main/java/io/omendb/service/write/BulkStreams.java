package io.omendb.service.write;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.service.call.Serving;
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.RowsMessage;

/// BulkInsert: hands each call to a [BulkStream] of its own.
public final class BulkStreams implements ServerCallHandler<RowsMessage, Reply> {
  private final Serving serving;
  private final Acknowledger acknowledger;
  private final DurabilityMode durability;
  private final StreamHolders holders;
  private final WriteQueues queues;
  private final MemoryBudget network;
  private final MemoryBudget budget;

  /// Frames that wait for the write queue hold buffers of the network within `network`, and bytes
  /// of the heap within `budget`.
  public BulkStreams(
      Serving serving,
      Acknowledger acknowledger,
      DurabilityMode durability,
      int maxStreams,
      WriteQueues queues,
      MemoryBudget network,
      MemoryBudget budget) {
    this.queues = queues;
    this.network = network;
    this.budget = budget;
    this.serving = serving;
    this.acknowledger = acknowledger;
    this.durability = durability;
    this.holders = new StreamHolders(acknowledger, maxStreams);
  }

  @Override
  public ServerCall.Listener<RowsMessage> startCall(
      ServerCall<RowsMessage, Reply> call, Metadata headers) {
    call.sendHeaders(new Metadata());
    // The first frame tells how large they are, and so how many may be on their way.
    call.request(1);
    return new BulkStream(
        call, serving, acknowledger, holders, durability, queues, network, budget);
  }
}
