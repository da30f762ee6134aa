package io.omendb.client;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Moves a bulk stream: sends while the transport takes, and connects again after a break. All of
 * its methods but {@link #start} run on the channel's threads and the client's timer, under its
 * lock.
 */
final class BulkCall {
  private static final MethodDescriptor<byte[], BulkInsertResponse> METHOD =
      EncodedRequests.method(VectorServiceGrpc.getBulkInsertMethod());

  /** Bytes that may wait in the transport: enough that it never runs dry. */
  private static final int SEND_BUFFER_BYTES = 1 << 20;

  private final OmenClient client;
  private final BulkStream stream;
  private final Duration stallTimeout;
  private final CompletableFuture<BulkResult> result = new CompletableFuture<>();
  private @Nullable ClientCall<byte[], BulkInsertResponse> call;
  private int attempt;
  private volatile long lastWordNanos = System.nanoTime();

  /** The caller's rows are asked for, which takes the caller's time. */
  private volatile boolean atCaller;

  BulkCall(OmenClient client, BulkStream stream, Duration stallTimeout) {
    this.client = client;
    this.stream = stream;
    this.stallTimeout = stallTimeout;
  }

  /** Begins. Cancelling what it returns cancels the stream. */
  CompletableFuture<BulkResult> start() {
    var unused =
        result.whenComplete((done, e) -> {
          if (e != null) {
            cancel("given up");
          }
        });
    connect();
    watch();
    return result;
  }

  private synchronized void connect() {
    if (result.isDone()) {
      return;
    }
    ClientCall<byte[], BulkInsertResponse> next =
        client
            .channel()
            .newCall(METHOD, CallOptions.DEFAULT.withOnReadyThreshold(SEND_BUFFER_BYTES));
    call = next;
    next.start(new Listener(next), new Metadata());
    next.request(1);
    next.sendMessage(stream.connect());
  }

  private synchronized void cancel(String why) {
    if (call != null) {
      call.cancel(why, null);
    }
  }

  /** A stream has no deadline: one from which nothing comes for too long is given up. */
  private void watch() {
    long left = lastWordNanos + stallTimeout.toNanos() - System.nanoTime();
    if (atCaller) {
      left = stallTimeout.toNanos();
    } else if (left <= 0) {
      fail(
          OmenException.of(
              Status.DEADLINE_EXCEEDED.withDescription(
                  "no word from the server for " + stallTimeout)));
    }
    if (!result.isDone()) {
      client.later(Duration.ofNanos(left), this::watch);
    }
  }

  private void fail(Throwable e) {
    result.completeExceptionally(e);
  }

  private final class Listener extends ClientCall.Listener<BulkInsertResponse> {
    private final ClientCall<byte[], BulkInsertResponse> own;
    private boolean closed;

    Listener(ClientCall<byte[], BulkInsertResponse> own) {
      this.own = own;
    }

    @Override
    public void onReady() {
      send();
    }

    @Override
    public void onMessage(BulkInsertResponse answer) {
      try {
        synchronized (BulkCall.this) {
          lastWordNanos = System.nanoTime();
          attempt = 0;
          stream.answered(answer);
        }
      } catch (RuntimeException e) {
        fail(e);
        return;
      }
      own.request(1);
      send();
    }

    private void send() {
      try {
        synchronized (BulkCall.this) {
          while (!closed && own.isReady()) {
            atCaller = true;
            byte[] message = stream.next();
            lastWordNanos = System.nanoTime();
            atCaller = false;
            if (message == null) {
              if (stream.allSent()) {
                closed = true;
                own.halfClose();
              }
              return;
            }
            own.sendMessage(message);
          }
        }
      } catch (RuntimeException e) {
        fail(e); // of the caller's rows
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      if (status.isOk()) {
        succeed();
        return;
      }
      OmenException e = OmenException.of(status.asRuntimeException(trailers));
      Optional<Duration> delay = delay(e);
      if (e.reason().equals("STREAM_FINISHED") && stream.allSent()) {
        succeed(); // the last answer was lost on its way
      } else if (delay.isEmpty()) {
        fail(e);
      } else {
        client.later(delay.get(), BulkCall.this::connect);
      }
    }

    private void succeed() {
      BulkResult done;
      synchronized (BulkCall.this) {
        done = stream.result();
      }
      result.complete(done);
    }

    private Optional<Duration> delay(OmenException e) {
      synchronized (BulkCall.this) {
        Optional<Duration> delay = client.retry().delay(e, ++attempt, true);
        delay.ifPresent(pause -> stream.broke());
        return delay;
      }
    }
  }
}
