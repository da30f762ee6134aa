package io.omendb.service.metrics;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionStats;
import io.omendb.engine.Database;
import io.omendb.service.call.Serving;
import io.omendb.service.read.RequestPool;
import io.omendb.service.wire.ByteCounters;
import io.omendb.service.wire.BytePath;
import io.omendb.service.write.Acknowledger;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// The server's metrics, and the HTTP endpoint where Prometheus reads them.
///
/// Figures of collections are read when they are asked for, so they cost nothing in between.
public final class Metrics implements AutoCloseable {
  private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  /// What is told of one collection.
  private record Row(String name, CollectionStats stats, long diskBytes) {
    static Row of(Collection collection) {
      return new Row(collection.config().name(), collection.stats(false), collection.diskBytes());
    }
  }

  private record CollectionGauge(MultiGauge gauge, ToDoubleFunction<Row> figure) {}

  private final Serving serving;

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final CallMetrics calls = new CallMetrics(registry);
  private final JvmGcMetrics collector = new JvmGcMetrics();
  private final List<CollectionGauge> collectionGauges = new ArrayList<>();

  /// Of the thread that starts and closes the server.
  private @Nullable HttpServer http;

  public Metrics(
      ByteCounters counters, RequestPool pool, Acknowledger acknowledger, Serving serving) {
    this.serving = serving;
    for (BytePath path : BytePath.values()) {
      FunctionCounter.builder("omendb.vector", counters, bytes -> bytes.bytes(path))
          .description("Vector bytes taken from requests, by the way they came")
          .baseUnit("bytes")
          .tag("path", path.name().toLowerCase(Locale.ROOT))
          .register(registry);
    }
    Gauge.builder("omendb.request.queue", pool, RequestPool::queued)
        .description("Requests that wait for a thread")
        .register(registry);
    Gauge.builder("omendb.bulk.streams", acknowledger, Acknowledger::streamCount)
        .description("Bulk streams that are connected")
        .register(registry);
    addCollectionGauge("live", "Live records", row -> row.stats().liveCount());
    addCollectionGauge("linked", "Live records in the graph", row -> row.stats().linkedCount());
    addCollectionGauge(
        "unlinked", "Live records searched flat", row -> row.stats().unlinkedCount());
    addCollectionGauge("unbuilt", "Live records not searchable", row -> row.stats().unbuiltCount());
    addCollectionGauge(
        "deleted", "Deleted records that take room", row -> row.stats().deletedCount());
    addCollectionGauge("disk.bytes", "Bytes of its files", Row::diskBytes);
    addCollectionGauge(
        "memory.bytes", "Bytes a search touches", row -> row.stats().footprint().memoryBytes());
    addCollectionGauge("wal.bytes", "Log since the checkpoint", row -> row.stats().walBytes());
    addCollectionGauge(
        "fallbacks", "Searches without the graph", row -> row.stats().fallbackCount());
    addCollectionGauge(
        "calibrated.recall", "Recall@10 of the default ef", row -> row.stats().calibratedRecall());
    addCollectionGauge(
        "fault", "1: records are not linked", row -> row.stats().fault() == null ? 0 : 1);
    Gauge.builder("omendb.collections.quarantined", serving, Metrics::quarantined)
        .description("Collections that could not be opened")
        .register(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    collector.bindTo(registry);
  }

  private static double quarantined(Serving serving) {
    Database database = serving.databaseOrNull();
    return database == null ? 0 : database.quarantined().size();
  }

  private void addCollectionGauge(String name, String description, ToDoubleFunction<Row> figure) {
    MultiGauge gauge =
        MultiGauge.builder("omendb.collection." + name).description(description).register(registry);
    collectionGauges.add(new CollectionGauge(gauge, figure));
  }

  /// What counts the calls.
  public CallMetrics calls() {
    return calls;
  }

  /// Opens the endpoint; returns its port.
  public int listen(InetSocketAddress address) throws IOException {
    HttpServer server = HttpServer.create(address, 0);
    server.createContext(
        "/metrics",
        exchange -> {
          try (exchange) {
            byte[] body = scrape().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", CONTENT_TYPE);
            exchange.sendResponseHeaders(200, body.length);
            try (OutputStream out = exchange.getResponseBody()) {
              out.write(body);
            }
          }
        });
    server.start();
    http = server;
    return server.getAddress().getPort();
  }

  /// All metrics in Prometheus' text format.
  synchronized String scrape() {
    Database database = serving.databaseOrNull();
    if (database != null && serving.state() == Serving.State.SERVING) {
      List<Row> rows = database.collections().stream().map(Row::of).toList();
      for (CollectionGauge gauge : collectionGauges) {
        gauge
            .gauge()
            .register(
                rows.stream()
                    .map(row ->
                        MultiGauge.Row.of(
                            Tags.of("collection", row.name()), gauge.figure().applyAsDouble(row)))
                    .toList(),
                true);
      }
    }
    return registry.scrape();
  }

  @Override
  public void close() {
    HttpServer server = http;
    if (server != null) {
      server.stop(0);
    }
    collector.close();
    registry.close();
  }
}
