package io.omendb.service.call;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.ReplyBuffer;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// What the hand-written handlers have in common.
///
/// A call has one owner at a time, the network's thread at first, then whoever it was handed to:
/// only the owner sends and closes. A client that cancels is seen by asking `isCancelled`, and
/// closing a cancelled call does nothing.
public final class CallReplies {
  private static final ThreadLocal<ReplyBuffer> BUFFERS = ThreadLocal.withInitial(ReplyBuffer::new);

  private CallReplies() {}

  /// This thread's buffer, cleared.
  public static ReplyBuffer buffer() {
    ReplyBuffer buffer = BUFFERS.get();
    buffer.clear();
    return buffer;
  }

  /// Answers a unary call with what is in `buffer` and ends it.
  public static void answer(ServerCall<?, Reply> call, ReplyBuffer buffer) {
    call.sendHeaders(new Metadata());
    call.sendMessage(buffer.finish(!isSocket(call)));
    call.close(Status.OK, new Metadata());
    buffer.clear(); // a large reply must not stay on the heap until this thread's next
  }

  /// Whether messages are copied while they are sent, which sockets do and in-process calls do not.
  public static boolean isSocket(ServerCall<?, ?> call) {
    return call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress;
  }

  /// The deadline of the call that this thread was called for.
  public static @Nullable Deadline deadline() {
    return Context.current().getDeadline();
  }

  /// Closes a call that nobody waits for any more; returns whether that was so.
  public static boolean closeIfLate(ServerCall<?, ?> call, @Nullable Deadline deadline) {
    if (call.isCancelled()) {
      return true;
    }
    if (deadline != null && deadline.isExpired()) {
      call.close(Status.DEADLINE_EXCEEDED.withDescription("the deadline passed"), new Metadata());
      return true;
    }
    return false;
  }

  /// Whether a write of this thread's call may still be applied.
  static boolean isCancelled() {
    Deadline deadline = deadline();
    return Context.current().isCancelled() || (deadline != null && deadline.isExpired());
  }
}
