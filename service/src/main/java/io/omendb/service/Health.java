package io.omendb.service;

import io.grpc.ServerServiceDefinition;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.omendb.proto.v1.AdminServiceGrpc;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.VectorServiceGrpc;
import java.util.List;

/// What `grpc.health.v1` says of the server, under "" and under the name of each service.
///
/// NOT_SERVING while the data is recovered and from the moment the server drains.
final class Health {
  private static final List<String> NAMES =
      List.of(
          HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
          VectorServiceGrpc.SERVICE_NAME,
          CollectionServiceGrpc.SERVICE_NAME,
          AdminServiceGrpc.SERVICE_NAME);

  private final HealthStatusManager manager = new HealthStatusManager();

  Health() {
    set(ServingStatus.NOT_SERVING);
  }

  /// The RPCs by which it is asked.
  ServerServiceDefinition service() {
    return manager.getHealthService().bindService();
  }

  void serving() {
    set(ServingStatus.SERVING);
  }

  /// NOT_SERVING for good.
  void draining() {
    manager.enterTerminalState();
  }

  private void set(ServingStatus status) {
    NAMES.forEach(name -> manager.setStatus(name, status));
  }
}
