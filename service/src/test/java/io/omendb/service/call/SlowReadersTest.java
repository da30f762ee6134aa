package io.omendb.service.call;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.omendb.service.status.Refusal;
import io.omendb.service.wire.MemoryBudget;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SlowReadersTest {
  private static final SocketAddress MUCH = InetSocketAddress.createUnresolved("a", 1);
  private static final SocketAddress LITTLE = InetSocketAddress.createUnresolved("b", 1);

  private final MemoryBudget budget = new MemoryBudget(80_000);
  private final List<SocketAddress> cut = new ArrayList<>();

  /** It was, for a thousandth of the budget, while requests took all the rest. */
  @Test
  void nobodyIsCutOffWhereUnreadRepliesAreNotWhatTakesTheMemory() throws Refusal {
    try (SlowReaders slow = new SlowReaders(budget, cut::add)) {
      reply(slow, MUCH, 9_000);
      slow.cutSlowest(afterTenSeconds());
      assertEquals(List.of(), cut);
    }
  }

  @Test
  void whoLeavesMostIsCutOffOnce() throws Refusal {
    try (SlowReaders slow = new SlowReaders(budget, cut::add)) {
      ReplyMemory most = reply(slow, MUCH, 9_000);
      reply(slow, LITTLE, 5_000);
      slow.cutSlowest(System.nanoTime());
      assertEquals(List.of(), cut);
      slow.cutSlowest(afterTenSeconds());
      slow.cutSlowest(afterTenSeconds());
      assertEquals(List.of(MUCH), cut, "what the other leaves is little");
      reply(slow, LITTLE, 6_000);
      slow.cutSlowest(afterTenSeconds());
      assertEquals(List.of(MUCH, LITTLE), cut);
      most.end();
      slow.cutSlowest(afterTenSeconds());
      reply(slow, MUCH, 11_000);
      slow.cutSlowest(afterTenSeconds());
      assertEquals(List.of(MUCH, LITTLE, MUCH), cut, "it came again");
    }
  }

  private static long afterTenSeconds() {
    return System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
  }

  private ReplyMemory reply(SlowReaders slow, SocketAddress client, int bytes) throws Refusal {
    ReplyMemory reply = new ReplyMemory(budget, slow, new Call(client));
    reply.reserve(bytes);
    reply.sent();
    return reply;
  }

  /** Of a client; nothing of it is used but that. */
  private static final class Call extends ServerCall<String, String> {
    private final SocketAddress client;

    Call(SocketAddress client) {
      this.client = client;
    }

    @Override
    public Attributes getAttributes() {
      return Attributes.newBuilder().set(Grpc.TRANSPORT_ATTR_REMOTE_ADDR, client).build();
    }

    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(String message) {}

    @Override
    public void close(Status status, Metadata trailers) {}

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public MethodDescriptor<String, String> getMethodDescriptor() {
      throw new UnsupportedOperationException();
    }
  }
}
