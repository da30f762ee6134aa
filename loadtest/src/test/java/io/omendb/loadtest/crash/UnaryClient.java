package io.omendb.loadtest.crash;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.omendb.loadtest.client.Connection;
import io.omendb.proto.v1.DeleteRequest;
import io.omendb.proto.v1.InsertRequest;
import java.util.List;
import java.util.SplittableRandom;

/** Inserts, updates and deletes, one call after the other. */
final class UnaryClient extends LoadClient {

  UnaryClient(int number, SplittableRandom random) {
    super(number, random);
  }

  @Override
  void write(Connection connection, String collection) {
    while (true) {
      int dice = random.nextInt(10);
      List<Long> ids = dice < 6 ? freshIds(1 + random.nextInt(20)) : usedIds(1 + random.nextInt(5));
      if (ids.isEmpty()) {
        continue;
      }
      int version = dice < 8 ? nextVersion() : Operation.DELETED;
      Operation operation = new Operation(ids, version);
      oracle.begin(operation);
      try {
        send(connection, collection, operation);
        oracle.acknowledge();
      } catch (StatusRuntimeException e) {
        if (e.getStatus().getCode() != Status.Code.RESOURCE_EXHAUSTED) {
          throw e;
        }
        oracle.refuse();
      }
    }
  }

  private static void send(Connection connection, String collection, Operation operation) {
    if (operation.version() == Operation.DELETED) {
      connection
          .vectors()
          .delete(
              DeleteRequest.newBuilder()
                  .setCollection(collection)
                  .addAllNumericIds(operation.ids())
                  .build());
    } else {
      connection
          .vectors()
          .insert(
              InsertRequest.newBuilder()
                  .setCollection(collection)
                  .addAllNumericIds(operation.ids())
                  .setVectorsLe(Records.vectors(operation.ids(), operation.version()))
                  .addAllPayloads(Records.payloads(operation.ids(), operation.version()))
                  .build());
    }
  }
}
