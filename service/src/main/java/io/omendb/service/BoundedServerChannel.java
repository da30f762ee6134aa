package io.omendb.service;

import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.util.List;

/// Accepts connections up to a limit and closes those beyond it at once, before anything is made
/// for them: one client that opens and resets thousands must not fill the heap with connections
/// that wait for a network thread.
final class BoundedServerChannel extends NioServerSocketChannel {
  private final Connections connections;

  BoundedServerChannel(Connections connections) {
    this.connections = connections;
  }

  @Override
  protected int doReadMessages(List<Object> accepted) throws Exception {
    int before = accepted.size();
    int read = super.doReadMessages(accepted);
    for (int i = accepted.size() - 1; i >= before; i--) {
      Channel channel = (Channel) accepted.get(i);
      if (!connections.add(channel)) {
        accepted.remove(i);
        read--;
        channel.unsafe().closeForcibly();
      }
    }
    return read;
  }
}
