package io.omendb.loadtest.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.RefusedFrame;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;

/** One bulk stream: sends while the transport takes, and tells how far the server is. */
final class BulkStream extends ClientCall.Listener<BulkInsertResponse> {

  /** Called on the transport's thread, in order. */
  interface Listener {
    /** The marks as of the newest response. */
    void onMarks(BulkMarks marks);
  }

  private static final MethodDescriptor<RawMessage, BulkInsertResponse> METHOD =
      RawMessage.method(VectorServiceGrpc.getBulkInsertMethod());

  /** Bytes that may wait in the transport: enough that it never runs dry. */
  private static final int SEND_BUFFER_BYTES = 1 << 20;

  private final ClientCall<RawMessage, BulkInsertResponse> call;
  private final IntFunction<RawMessage> frames;
  private final int frameCount;
  private final Listener listener;
  private final CompletableFuture<Void> ended = new CompletableFuture<>();
  private int sent;
  private boolean closed;

  BulkStream(Channel channel, IntFunction<RawMessage> frames, int frameCount, Listener listener) {
    this.call =
        channel.newCall(METHOD, CallOptions.DEFAULT.withOnReadyThreshold(SEND_BUFFER_BYTES));
    this.frames = frames;
    this.frameCount = frameCount;
    this.listener = listener;
  }

  /** Begins; the result completes when the server has ended the stream, failed if not with OK. */
  CompletableFuture<Void> start() {
    call.start(this, new Metadata());
    call.request(1);
    return ended;
  }

  @Override
  public void onReady() {
    while (sent < frameCount && call.isReady()) {
      call.sendMessage(frames.apply(sent++));
    }
    if (sent == frameCount && !closed) {
      closed = true;
      call.halfClose();
    }
  }

  @Override
  public void onMessage(BulkInsertResponse response) {
    if (response.getRefusedFramesCount() > 0) {
      RefusedFrame refused = response.getRefusedFrames(0);
      call.cancel("refused: " + refused, null);
      return;
    }
    listener.onMarks(BulkMarks.of(response));
    call.request(1);
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    if (status.isOk()) {
      ended.complete(null);
    } else {
      ended.completeExceptionally(status.asRuntimeException(trailers));
    }
  }
}
