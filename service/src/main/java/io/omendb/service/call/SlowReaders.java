package io.omendb.service.call;

import io.omendb.service.wire.MemoryBudget;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Replies that were sent and are not read yet. While memory is short because of those, the client
/// that leaves most of it unread for long is cut off: otherwise a few such clients would have what
/// there is for as long as they stay, and all others would be refused.
///
/// Where something else takes the memory, nobody is: a client on a busy machine may need as long to
/// read, and what it has not read would not help.
///
/// A call that was answered cannot be taken back alone, so the client's connection is closed. Any
/// thread.
public final class SlowReaders implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SlowReaders.class);

  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// A reply is left unread after this long.
  private static final int SLOW_SECONDS = 10;

  /// Unread replies make memory short from this part of the budget on.
  private static final int SHARE_OF_BUDGET = 8;

  private final MemoryBudget budget;
  private final Consumer<SocketAddress> cut;
  private final Set<ReplyMemory> replies = ConcurrentHashMap.newKeySet();

  /// Clients whose connection was closed and that have unread replies still.
  private final Set<SocketAddress> closing = new HashSet<>();

  private final Thread thread = new Thread(this::run, "omendb-slow-readers");
  private volatile boolean closed;

  /// `cut` closes the connection of a client.
  public SlowReaders(MemoryBudget budget, Consumer<SocketAddress> cut) {
    this.budget = budget;
    this.cut = cut;
    thread.setDaemon(true);
    thread.start();
  }

  void add(ReplyMemory reply) {
    replies.add(reply);
  }

  void remove(ReplyMemory reply) {
    replies.remove(reply);
  }

  private void run() {
    while (!closed) {
      LockSupport.parkNanos(this, PAUSE_NANOS);
      if (budget.isTight()) {
        cutSlowest(System.nanoTime());
      }
    }
  }

  void cutSlowest(long now) {
    Map<SocketAddress, Long> unread = new HashMap<>();
    for (ReplyMemory reply : replies) {
      SocketAddress remote = reply.remote();
      long bytes = reply.unread(now, TimeUnit.SECONDS.toNanos(SLOW_SECONDS));
      if (bytes > 0 && remote != null) {
        unread.merge(remote, bytes, Long::sum);
      }
    }
    closing.retainAll(unread.keySet());
    unread.keySet().removeAll(closing);
    long all = unread.values().stream().mapToLong(Long::longValue).sum();
    if (all < budget.most() / SHARE_OF_BUDGET) {
      return;
    }
    Map.@Nullable Entry<SocketAddress, Long> most = null;
    for (Map.Entry<SocketAddress, Long> client : unread.entrySet()) {
      if (most == null || client.getValue() > most.getValue()) {
        most = client;
      }
    }
    if (most != null) {
      LOG.warn(
          "memory is short: closing the connection of {}, which left {} bytes of replies unread for"
              + " {} s",
          most.getKey(),
          most.getValue(),
          SLOW_SECONDS);
      closing.add(most.getKey());
      cut.accept(most.getKey());
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }
}
