package io.omendb.service.call;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Grpc;
import io.grpc.ServerCall;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.MemoryBudget;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// What the reply of one call takes of the budget, from its first bytes until the call is over: a
/// reply that the client does not read lies in the network's buffers until then.
///
/// Any thread: the call may end while its reply is built.
public final class ReplyMemory {
  /// A reply up to this size is not counted: there are at most as many as calls.
  private static final int SMALL_BYTES = 2 << 10;

  private final MemoryBudget budget;
  private final SlowReaders slowReaders;
  private final @Nullable SocketAddress remote;

  @GuardedBy("this")
  private long reserved;

  @GuardedBy("this")
  private boolean ended;

  @GuardedBy("this")
  private long sentNanos;

  public ReplyMemory(MemoryBudget budget, SlowReaders slowReaders, ServerCall<?, ?> call) {
    this.budget = budget;
    this.slowReaders = slowReaders;
    this.remote = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
  }

  /// Makes sure that `bytes` in all are taken; a small reply takes none.
  public synchronized void reserve(long bytes) throws Refusal {
    long more = bytes - reserved;
    if (ended || more <= 0 || bytes <= SMALL_BYTES) {
      return;
    }
    if (!budget.tryReserve(more)) {
      throw Refusals.memoryFull(bytes, budget);
    }
    reserved = bytes;
  }

  /// The reply is the network's: from here on it is up to the client.
  public synchronized void sent() {
    if (!ended && reserved > 0) {
      sentNanos = System.nanoTime();
      slowReaders.add(this);
    }
  }

  /// The call is over, however it ended.
  public synchronized void end() {
    ended = true;
    if (reserved > 0) {
      slowReaders.remove(this);
      budget.release(reserved);
      reserved = 0;
    }
  }

  /// Whose reply it is.
  @Nullable SocketAddress remote() {
    return remote;
  }

  /// Bytes of a reply that has been sent for so long at `now`; else 0.
  synchronized long unread(long now, long nanos) {
    return now - sentNanos >= nanos ? reserved : 0;
  }
}
