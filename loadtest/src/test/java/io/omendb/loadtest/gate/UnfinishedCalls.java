package io.omendb.loadtest.gate;

import io.grpc.Status;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Calls on one connection whose messages begin and do not end: no gRPC client would send them. */
final class UnfinishedCalls implements AutoCloseable {
  private final EventLoopGroup network =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final AtomicInteger underWay;
  private final Map<Status.Code, Integer> ended = new ConcurrentHashMap<>();

  private UnfinishedCalls(int calls) {
    underWay = new AtomicInteger(calls);
  }

  /**
   * Opens calls and begins a message of each.
   *
   * @param path of the method
   * @param bytes of a message that are sent, as the server's windows allow; one is missing
   */
  static UnfinishedCalls open(InetSocketAddress server, String path, int calls, int bytes)
      throws InterruptedException {
    UnfinishedCalls unfinished = new UnfinishedCalls(calls);
    Channel connection =
        new Bootstrap()
            .group(unfinished.network)
            .channel(NioSocketChannel.class)
            .handler(new Http2Client())
            .connect(server)
            .sync()
            .channel();
    ByteBuf message = Unpooled.buffer(bytes).writeByte(0).writeInt(bytes - 4);
    message.writeZero(bytes - message.writerIndex());
    for (int call = 0; call < calls; call++) {
      Http2StreamChannel stream =
          new Http2StreamChannelBootstrap(connection)
              .handler(unfinished.new Reply())
              .open()
              .sync()
              .getNow();
      var unused = stream.write(new DefaultHttp2HeadersFrame(headers(path)));
      stream
          .writeAndFlush(new DefaultHttp2DataFrame(message.retainedDuplicate()))
          .addListener(sent -> unfinished.underWay.decrementAndGet());
    }
    return unfinished;
  }

  private static Http2Headers headers(String path) {
    return new DefaultHttp2Headers()
        .method("POST")
        .scheme("http")
        .path(path)
        .authority("localhost")
        .add("content-type", "application/grpc")
        .add("te", "trailers");
  }

  private static final class Http2Client extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      channel
          .pipeline()
          .addLast(
              Http2FrameCodecBuilder.forClient().build(),
              new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()));
    }
  }

  private final class Reply extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext stream, Object frame) {
      if (frame instanceof Http2HeadersFrame headers) {
        CharSequence status = headers.headers().get("grpc-status");
        if (status != null) {
          ended.merge(
              Status.fromCodeValue(Integer.parseInt(status.toString())).getCode(), 1, Integer::sum);
        }
      }
      ReferenceCountUtil.release(frame);
    }
  }

  /** Whether there are calls that the server has neither taken what was sent of nor ended. */
  boolean isUnderWay() {
    return underWay.get() > 0;
  }

  /** Calls that the server has ended so. */
  int ended(Status.Code status) {
    return ended.getOrDefault(status, 0);
  }

  @Override
  public String toString() {
    return underWay + " calls under way, ended: " + ended;
  }

  @Override
  public void close() {
    network.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }
}
