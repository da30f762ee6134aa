package io.omendb.service;

import static io.omendb.service.ServerFixture.rows;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.Visibility;
import io.omendb.service.config.Option;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Clients that are gone without a word.
class KeepAliveTest {
  /// A ping after ten seconds, and ten for its answer; the rest is for a busy machine.
  private static final Duration GONE = Duration.ofMinutes(1);

  @Tag("ci")
  @Test
  void theStreamOfAVanishedClientEnds(@TempDir Path data) throws Exception {
    try (ServerFixture fixture = ServerFixture.start(data, Map.of(Option.KEEP_ALIVE, "10s"))) {
      fixture.create("c", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
      try (Relay relay = new Relay(fixture.server.port())) {
        ManagedChannel channel =
            NettyChannelBuilder.forAddress("127.0.0.1", relay.port()).usePlaintext().build();
        BulkClient client = BulkClient.open(channel);
        client.send(
            BulkClient.frame(rows("c", 0, 10)).setVisibility(Visibility.VISIBILITY_AFTER_BUILD));
        ServerFixture.await("an open stream", () -> streams(fixture) == 1);
        relay.fallSilent();
        ServerFixture.await("the stream's end", GONE, () -> streams(fixture) == 0);
        ServerFixture.await("its rows", () -> fixture.count("c") == 10);
        var unused = channel.shutdownNow();
      }
    }
  }

  private static int streams(ServerFixture fixture) {
    return fixture
        .admin()
        .stats(StatsRequest.newBuilder().setCollection("c").build())
        .getCollections(0)
        .getOpenStreamCount();
  }
}
