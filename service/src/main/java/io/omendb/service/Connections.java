package io.omendb.service;

import io.netty.channel.Channel;
import java.net.SocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/// The connections of clients: at most so many. Any thread.
final class Connections {
  private final int most;
  private final AtomicInteger open = new AtomicInteger();
  private final Map<SocketAddress, Channel> byAddress = new ConcurrentHashMap<>();

  Connections(int most) {
    this.most = most;
  }

  /// Takes a connection in; false where there are too many.
  boolean add(Channel channel) {
    if (open.incrementAndGet() > most) {
      open.decrementAndGet();
      return false;
    }
    SocketAddress remote = channel.remoteAddress();
    if (remote != null) { // null where the client is gone already
      byAddress.put(remote, channel);
    }
    var unused =
        channel
            .closeFuture()
            .addListener(closed -> {
              open.decrementAndGet();
              if (remote != null) {
                byAddress.remove(remote, channel);
              }
            });
    return true;
  }

  /// Closes the connection of a client at once, with all of its calls.
  void close(SocketAddress remote) {
    Channel channel = byAddress.get(remote);
    if (channel != null) {
      // Not Channel.close: HTTP/2 would wait for the calls to end.
      channel.eventLoop().execute(() -> channel.unsafe().close(channel.voidPromise()));
    }
  }
}
