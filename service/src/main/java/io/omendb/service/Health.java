package io.omendb.service;

import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.omendb.engine.Collection;
import io.omendb.engine.Database;
import io.omendb.proto.v1.AdminServiceGrpc;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What `grpc.health.v1` says of the server, under "" and under the name of each service, and of
/// each collection, under `collection/NAME`.
///
/// The server: NOT_SERVING while the data is recovered and from the moment it drains. It serves
/// while one of its collections does not: that one is NOT_SERVING if it is quarantined, if its log
/// has failed, or if its rows cannot be linked. Collections are looked at every second.
final class Health implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Health.class);
  private static final String COLLECTION = "collection/";
  private static final long PERIOD_MILLIS = 1_000;

  private static final List<String> NAMES =
      List.of(
          HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
          VectorServiceGrpc.SERVICE_NAME,
          CollectionServiceGrpc.SERVICE_NAME,
          AdminServiceGrpc.SERVICE_NAME);

  private final HealthStatusManager manager = new HealthStatusManager();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("omendb-health").factory());

  /// What was told of collections. Of the timer's thread, after the first look.
  private Map<String, ServingStatus> told = Map.of();

  Health() {
    set(ServingStatus.NOT_SERVING);
  }

  /// The RPCs by which it is asked.
  ServerServiceDefinition service() {
    return manager.getHealthService().bindService();
  }

  void serving(Database database) {
    look(database);
    set(ServingStatus.SERVING);
    var unused =
        timer.scheduleWithFixedDelay(
            () -> look(database), PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void look(Database database) {
    try {
      Map<String, ServingStatus> found = new HashMap<>();
      for (Collection collection : database.collections()) {
        boolean serves = !collection.hasFailed() && collection.fault() == null;
        found.put(
            COLLECTION + collection.config().name(),
            serves ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
      }
      database
          .quarantined()
          .keySet()
          .forEach(name -> found.put(COLLECTION + name, ServingStatus.NOT_SERVING));
      told.keySet().stream().filter(name -> !found.containsKey(name)).forEach(manager::clearStatus);
      found.forEach((name, status) -> {
        if (status != told.get(name)) {
          manager.setStatus(name, status);
        }
      });
      told = found;
    } catch (RuntimeException e) {
      LOG.error("a defect while looking at the health of collections", e);
    }
  }

  /// NOT_SERVING for good.
  void draining() {
    timer.shutdownNow();
    manager.enterTerminalState();
  }

  private void set(ServingStatus status) {
    NAMES.forEach(name -> manager.setStatus(name, status));
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
