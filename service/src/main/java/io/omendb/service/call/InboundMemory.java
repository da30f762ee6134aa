package io.omendb.service.call;

import io.grpc.Context;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.MemoryBudget;
import org.jspecify.annotations.Nullable;

/// Bounds what requests occupy of the network's memory while they arrive.
///
/// gRPC gathers a message before anyone sees it, for every call at once: sixteen of 16 MiB are all
/// the direct memory there is, and then nobody is read any more. Past the budget, calls whose
/// message is large are refused as their bytes come; small ones have a budget of their own, so that
/// large ones do not keep them out, and thousands that begin and do not end do not add up.
///
/// A tracer counts the bytes of each call, an interceptor tells it the call. Both are called on the
/// network's thread of the call, the end of a stream also on others.
public final class InboundMemory extends ServerStreamTracer.Factory implements ServerInterceptor {
  private static final Context.Key<Arrival> ARRIVAL = Context.key("omendb-arrival");

  /// The parts of messages up to this length are counted as small.
  private static final int LARGE_BYTES = 256 << 10;

  /// What a message takes grows by this factor: few large ones are let in, and the others refused
  /// early, instead of all of them gathered by halves.
  private static final int STEP = 4;

  private final MemoryBudget small;
  private final MemoryBudget large;

  /// Budgets of direct memory that messages being gathered may take.
  public InboundMemory(MemoryBudget small, MemoryBudget large) {
    this.small = small;
    this.large = large;
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
    return new Arrival();
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Arrival arrival = ARRIVAL.get();
    ServerCall.Listener<Q> listener = next.startCall(call, headers);
    if (arrival == null) {
      return listener; // a transport without tracers
    }
    arrival.start(call);
    return new SimpleForwardingServerCallListener<>(listener) {
      @Override
      public void onMessage(Q message) {
        if (!arrival.isRefused()) {
          super.onMessage(message);
        } else if (message instanceof AutoCloseable pooled) {
          close(pooled);
        }
      }

      @Override
      public void onHalfClose() {
        if (!arrival.isRefused()) {
          super.onHalfClose();
        }
      }
    };
  }

  private static void close(AutoCloseable message) {
    try {
      message.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /// The message that a call is receiving.
  private final class Arrival extends ServerStreamTracer {
    private @Nullable ServerCall<?, ?> call;
    private long bytes;
    private long reservedSmall;
    private long reservedLarge;
    private boolean refused;
    private boolean closed; // what still comes is dropped, and nobody would give back its bytes

    synchronized void start(ServerCall<?, ?> started) {
      call = started;
    }

    synchronized boolean isRefused() {
      return refused;
    }

    @Override
    public Context filterContext(Context context) {
      return context.withValue(ARRIVAL, this);
    }

    @Override
    public synchronized void inboundWireSize(long more) {
      bytes += more;
      if (!refused && !closed && call != null && !reserve(more)) {
        refused = true;
        StatusMapper.close(call, Refusals.memoryFull(bytes, bytes <= LARGE_BYTES ? small : large));
      }
    }

    private boolean reserve(long more) {
      if (bytes <= LARGE_BYTES) {
        boolean fits = small.tryReserve(more);
        reservedSmall += fits ? more : 0;
        return fits;
      }
      if (bytes <= reservedLarge) {
        return true;
      }
      long wanted = Math.max(reservedLarge, LARGE_BYTES) * STEP;
      boolean fits = large.tryReserve(wanted - reservedLarge);
      reservedLarge = fits ? wanted : reservedLarge;
      return fits;
    }

    @Override
    public synchronized void inboundMessageRead(int number, long wireSize, long size) {
      release();
    }

    @Override
    public synchronized void streamClosed(Status status) {
      closed = true;
      release();
    }

    private void release() {
      small.release(reservedSmall);
      large.release(reservedLarge);
      reservedSmall = 0;
      reservedLarge = 0;
      bytes = 0;
    }
  }
}
