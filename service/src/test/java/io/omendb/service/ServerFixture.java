package io.omendb.service;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.omendb.proto.v1.AdminServiceGrpc;
import io.omendb.proto.v1.CollectionConfig;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.service.config.Option;
import io.omendb.service.config.ServerConfig;
import io.omendb.service.config.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;
import picocli.CommandLine;

/// A real server on a loopback port, and a client of it.
final class ServerFixture implements AutoCloseable {
  static final int DIMENSION = 4;

  final OmenServer server;
  private final List<ManagedChannel> channels = new ArrayList<>();

  private ServerFixture(OmenServer server) {
    this.server = server;
  }

  /// A server that serves `data`; `options` go before what suits a test.
  static ServerFixture start(Path data, Map<Option, String> options) {
    try {
      ServerFixture fixture = unrecovered(data, options);
      fixture.server.recover();
      return fixture;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /// A server whose port is open and whose data is not.
  static ServerFixture unrecovered(Path data, Map<Option, String> options) {
    List<String> arguments = new ArrayList<>();
    options.forEach((option, value) -> arguments.add(option.flag() + "=" + value));
    arguments.addAll(List.of("--data=" + data, "--listen=127.0.0.1:0"));
    try {
      OmenServer server = new OmenServer(config(Map.of(), arguments.toArray(new String[0])));
      server.start();
      return new ServerFixture(server);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /// What a server runs with that is started by this environment and command line.
  static ServerConfig config(Map<String, String> environment, String... arguments)
      throws IOException {
    CommandLine line = new CommandLine(Main.spec());
    return ServerConfig.of(Settings.complete(line, Settings.flags(line, arguments), environment));
  }

  /// A new connection.
  ManagedChannel channel() {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    channels.add(channel);
    return channel;
  }

  VectorServiceGrpc.VectorServiceBlockingStub vectors() {
    return VectorServiceGrpc.newBlockingStub(shared());
  }

  CollectionServiceGrpc.CollectionServiceBlockingStub collections() {
    return CollectionServiceGrpc.newBlockingStub(shared());
  }

  AdminServiceGrpc.AdminServiceBlockingStub admin() {
    return AdminServiceGrpc.newBlockingStub(shared());
  }

  /// The connection of [#vectors] and the like.
  ManagedChannel shared() {
    return channels.isEmpty() ? channel() : channels.getFirst();
  }

  /// Makes a collection of [#DIMENSION].
  void create(String name, Similarity similarity, IdKind idKind) {
    var unused =
        collections()
            .createCollection(
                CreateCollectionRequest.newBuilder()
                    .setConfig(
                        CollectionConfig.newBuilder()
                            .setName(name)
                            .setDimension(DIMENSION)
                            .setSimilarity(similarity)
                            .setIdKind(idKind))
                    .build());
  }

  /// Rows with ids from `first`, each with the vector that [#vectorOf] gives.
  static InsertRequest rows(String collection, long first, int count) {
    InsertRequest.Builder request = InsertRequest.newBuilder().setCollection(collection);
    for (int i = 0; i < count; i++) {
      request.addNumericIds(first + i).addAllVectors(vectorOf(first + i));
    }
    return request.build();
  }

  /// The vector of an id: components from 0 to 1.
  static List<Float> vectorOf(long id) {
    SplittableRandom random = new SplittableRandom(id);
    return Stream.generate(random::nextFloat).limit(DIMENSION).toList();
  }

  /// Live records.
  long count(String collection) {
    return vectors().count(CountRequest.newBuilder().setCollection(collection).build()).getCount();
  }

  /// Calls of a VectorService method that came in so far.
  int calls(String method) {
    return server.startedCalls("omendb.v1.VectorService/" + method);
  }

  /// What a failed call told.
  record Failure(Status.Code code, String reason, Map<String, String> metadata, String field) {}

  /// The failure of `call`, which must fail.
  static Failure failureOf(Executable call) {
    StatusRuntimeException e = Assertions.assertThrows(StatusRuntimeException.class, call);
    return failure(e);
  }

  static Failure failure(Throwable e) {
    com.google.rpc.Status status = StatusProto.fromThrowable(e);
    Status.Code code = Status.fromThrowable(e).getCode();
    String reason = "";
    Map<String, String> metadata = Map.of();
    String field = "";
    if (status != null) {
      try {
        for (var detail : status.getDetailsList()) {
          if (detail.is(ErrorInfo.class)) {
            ErrorInfo info = detail.unpack(ErrorInfo.class);
            Assertions.assertEquals("omendb.io", info.getDomain());
            reason = info.getReason();
            metadata = info.getMetadataMap();
          } else if (detail.is(BadRequest.class)) {
            field = detail.unpack(BadRequest.class).getFieldViolations(0).getField();
          }
        }
      } catch (InvalidProtocolBufferException bad) {
        throw new AssertionError(bad);
      }
    }
    return new Failure(code, reason, metadata, field);
  }

  /// Waits for a state, without sleeping longer than it takes.
  static void await(String what, BooleanSupplier state) {
    await(what, Duration.ofSeconds(20), state);
  }

  /// Waits for a state.
  static void await(String what, Duration most, BooleanSupplier state) {
    long end = System.nanoTime() + most.toNanos();
    while (!state.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within " + most + ": " + what);
      }
      LockSupport.parkNanos(100_000);
    }
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    try {
      server.close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
