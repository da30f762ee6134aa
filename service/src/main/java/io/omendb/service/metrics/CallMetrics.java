package io.omendb.service.metrics;

import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/// Counts and times calls by method and status, with the names of gRFC A66.
///
/// A tracer sees sizes and outcomes without wrapping calls or messages.
public final class CallMetrics extends ServerStreamTracer.Factory {
  private record Key(String method, Status.Code code) {}

  private final MeterRegistry registry;
  private final Map<String, Counter> started = new ConcurrentHashMap<>();
  private final Map<Key, Timer> durations = new ConcurrentHashMap<>();
  private final Counter receivedBytes;
  private final Counter sentBytes;

  CallMetrics(MeterRegistry registry) {
    this.registry = registry;
    receivedBytes =
        Counter.builder("grpc.server.rcvd.total.compressed.message.size")
            .description("Bytes of request messages")
            .baseUnit("bytes")
            .register(registry);
    sentBytes =
        Counter.builder("grpc.server.sent.total.compressed.message.size")
            .description("Bytes of reply messages")
            .baseUnit("bytes")
            .register(registry);
  }

  @Override
  public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
    return new Tracer(method);
  }

  /// Calls of a method that came in so far.
  public double startedCount(String method) {
    return started(method).count();
  }

  private Counter started(String method) {
    return started.computeIfAbsent(
        method,
        name ->
            Counter.builder("grpc.server.call.started")
                .description("Calls that came in")
                .tag("grpc.method", name)
                .register(registry));
  }

  private Timer duration(String method, Status.Code code) {
    return durations.computeIfAbsent(
        new Key(method, code),
        key ->
            Timer.builder("grpc.server.call.duration")
                .description("Time from a call's start to its end")
                .tag("grpc.method", key.method())
                .tag("grpc.status", key.code().name())
                .serviceLevelObjectives(
                    Duration.ofNanos(250_000),
                    Duration.ofMillis(1),
                    Duration.ofMillis(5),
                    Duration.ofMillis(25),
                    Duration.ofMillis(100),
                    Duration.ofSeconds(1))
                .register(registry));
  }

  private final class Tracer extends ServerStreamTracer {
    private final long startNanos = System.nanoTime();
    private final String requested;
    // Methods that do not exist share one name: a client must not make metrics as it likes.
    private volatile String method = "other";

    Tracer(String requested) {
      this.requested = requested;
    }

    @Override
    public void serverCallStarted(ServerCallInfo<?, ?> call) {
      method = requested;
      started(requested).increment();
    }

    @Override
    public void inboundWireSize(long bytes) {
      receivedBytes.increment((double) bytes);
    }

    @Override
    public void outboundWireSize(long bytes) {
      sentBytes.increment((double) bytes);
    }

    @Override
    public void streamClosed(Status status) {
      duration(method, status.getCode())
          .record(System.nanoTime() - startNanos, TimeUnit.NANOSECONDS);
    }
  }
}
