package io.omendb.service.config;

import io.omendb.storage.api.Durability;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

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
/// @param maxConnections connections at a time
/// @param maxCalls calls at a time on one connection
/// @param drain longest time that calls get to end when the server stops
/// @param keepAlive how often a silent client is pinged
/// @param warmUp longest time from the start that serving waits for the warm-up
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
    int maxConnections,
    int maxCalls,
    Duration drain,
    Duration keepAlive,
    Duration warmUp) {

  /// The values of a parsed command line; see [Settings#complete].
  public static ServerConfig of(ParseResult parsed) {
    return new ServerConfig(
        value(parsed, Option.DATA, Path.class),
        value(parsed, Option.LISTEN, InetSocketAddress.class),
        value(parsed, Option.DURABILITY, Durability.class),
        optionalValue(parsed, Option.METRICS_LISTEN, InetSocketAddress.class),
        value(parsed, Option.MAX_MESSAGE, Integer.class),
        value(parsed, Option.MAX_REPLY, Integer.class),
        value(parsed, Option.REQUEST_THREADS, Integer.class),
        value(parsed, Option.REQUEST_QUEUE, Integer.class),
        value(parsed, Option.LINKER_THREADS, Integer.class),
        value(parsed, Option.NETWORK_THREADS, Integer.class),
        value(parsed, Option.VISIBLE_WAIT, Duration.class),
        value(parsed, Option.MAX_STREAMS, Integer.class),
        value(parsed, Option.MAX_COLLECTIONS, Integer.class),
        value(parsed, Option.MAX_CONNECTIONS, Integer.class),
        value(parsed, Option.MAX_CALLS, Integer.class),
        value(parsed, Option.DRAIN, Duration.class),
        value(parsed, Option.KEEP_ALIVE, Duration.class),
        value(parsed, Option.WARM_UP, Duration.class));
  }

  /// For a server that only this process calls, in a directory that it does not keep.
  public static ServerConfig ofWarmUp(Path data) {
    int messageBytes = 1 << 20;
    return new ServerConfig(
        data,
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
        new Durability.Os(),
        null,
        messageBytes,
        messageBytes,
        1,
        16,
        1,
        1,
        Duration.ofSeconds(1),
        1,
        2,
        1,
        16,
        Duration.ZERO,
        Duration.ofSeconds(10),
        Duration.ZERO);
  }

  private static <T> T value(ParseResult parsed, Option option, Class<T> type) {
    return Objects.requireNonNull(optionalValue(parsed, option, type));
  }

  private static <T> @Nullable T optionalValue(ParseResult parsed, Option option, Class<T> type) {
    return type.cast(parsed.commandSpec().findOption(option.flag()).<Object>getValue());
  }
}
