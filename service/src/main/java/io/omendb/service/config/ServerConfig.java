package io.omendb.service.config;

import io.omendb.storage.api.Durability;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What a server runs with. [Option] says what each means.
///
/// @param data data directory
/// @param listen address of the gRPC server
/// @param durability when writes are acknowledged
/// @param metricsListen address of the Prometheus endpoint; null for none
/// @param maxMessageBytes longest request message
/// @param maxReplyBytes longest reply
/// @param requestThreads threads that search and read
/// @param requestQueue requests that may wait for them
/// @param linkerThreads threads that build graphs
/// @param networkThreads threads that read requests
/// @param visibleWait longest wait for min_visible_sequence
/// @param maxStreams bulk streams at a time
/// @param maxCollections collections
/// @param maxCalls calls at a time on one connection
/// @param drain longest time that calls get to end when the server stops
public record ServerConfig(
    Path data,
    InetSocketAddress listen,
    Durability durability,
    @Nullable InetSocketAddress metricsListen,
    int maxMessageBytes,
    int maxReplyBytes,
    int requestThreads,
    int requestQueue,
    int linkerThreads,
    int networkThreads,
    Duration visibleWait,
    int maxStreams,
    int maxCollections,
    int maxCalls,
    Duration drain) {

  /// Gives the settings their types. Limits stand here and nowhere else.
  public static ServerConfig of(Settings settings) throws InvalidOptionException {
    return new ServerConfig(
        settings.path(Option.DATA),
        settings.address(Option.LISTEN),
        settings.durability(Option.DURABILITY),
        settings.string(Option.METRICS_LISTEN).isEmpty()
            ? null
            : settings.address(Option.METRICS_LISTEN),
        settings.bytes(Option.MAX_MESSAGE, 64 << 10, 256 << 20),
        settings.bytes(Option.MAX_REPLY, 64 << 10, 256 << 20),
        threads(settings, Option.REQUEST_THREADS),
        settings.number(Option.REQUEST_QUEUE, 1, 1_000_000),
        threads(settings, Option.LINKER_THREADS),
        threads(settings, Option.NETWORK_THREADS),
        settings.time(Option.VISIBLE_WAIT),
        settings.number(Option.MAX_STREAMS, 1, 100_000),
        settings.number(Option.MAX_COLLECTIONS, 1, 1_000_000),
        settings.number(Option.MAX_CALLS, 1, 1_000_000),
        settings.time(Option.DRAIN));
  }

  private static int threads(Settings settings, Option option) throws InvalidOptionException {
    int threads = settings.number(option, 0, 1024);
    return threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
  }
}
