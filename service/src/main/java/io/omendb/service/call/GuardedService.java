package io.omendb.service.call;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.SecurityLevel;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import java.io.InputStream;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A generated service whose methods answer INVALID_ARGUMENT to bytes that are not their message.
///
/// The generated marshaller throws, and gRPC turns whatever is thrown there into UNKNOWN. Here it
/// returns what it found, and the call is closed before the service sees it. Methods that are
/// implemented by hand take the place of the generated ones; the service keeps its schema
/// descriptor, so reflection shows it as it is.
public final class GuardedService {
  /// A message, or null where the bytes are not one.
  private record Parsed<Q>(@Nullable Q message, String fault) {}

  private GuardedService() {}

  /// `service`, with `replacements` by full method name.
  public static ServerServiceDefinition of(
      ServerServiceDefinition service, Map<String, ServerMethodDefinition<?, ?>> replacements) {
    ServiceDescriptor generated = service.getServiceDescriptor();
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(generated.getName())
            .setSchemaDescriptor(generated.getSchemaDescriptor());
    var methods =
        service.getMethods().stream()
            .<ServerMethodDefinition<?, ?>>map(method -> {
              var replacement = replacements.get(method.getMethodDescriptor().getFullMethodName());
              return replacement != null ? replacement : guard(method);
            })
            .toList();
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder guarded = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(guarded::addMethod);
    return guarded.build();
  }

  private static <Q, R> ServerMethodDefinition<Parsed<Q>, R> guard(
      ServerMethodDefinition<Q, R> method) {
    MethodDescriptor<Q, R> generated = method.getMethodDescriptor();
    return ServerMethodDefinition.create(
        generated.toBuilder(
                new GuardedMarshaller<>(generated.getRequestMarshaller()),
                generated.getResponseMarshaller())
            .build(),
        new GuardedHandler<>(generated, method.getServerCallHandler()));
  }

  private record GuardedMarshaller<Q>(Marshaller<Q> generated) implements Marshaller<Parsed<Q>> {
    @Override
    public Parsed<Q> parse(InputStream stream) {
      try {
        return new Parsed<>(generated.parse(stream), "");
      } catch (RuntimeException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return new Parsed<>(null, "the message is not valid protobuf: " + cause.getMessage());
      }
    }

    @Override
    public InputStream stream(Parsed<Q> value) {
      throw new UnsupportedOperationException("requests are only read here");
    }
  }

  private record GuardedHandler<Q, R>(
      MethodDescriptor<Q, R> method, ServerCallHandler<Q, R> handler)
      implements ServerCallHandler<Parsed<Q>, R> {
    @Override
    public ServerCall.Listener<Parsed<Q>> startCall(
        ServerCall<Parsed<Q>, R> call, Metadata headers) {
      ServerCall.Listener<Q> listener =
          handler.startCall(new UnguardedCall<>(call, method), headers);
      return new GuardedListener<>(call, listener);
    }
  }

  private static final class GuardedListener<Q> extends ServerCall.Listener<Parsed<Q>> {
    private final ServerCall<Parsed<Q>, ?> call;
    private final ServerCall.Listener<Q> listener;
    private boolean refused;

    GuardedListener(ServerCall<Parsed<Q>, ?> call, ServerCall.Listener<Q> listener) {
      this.call = call;
      this.listener = listener;
    }

    @Override
    public void onMessage(Parsed<Q> parsed) {
      Q message = parsed.message();
      if (refused) {
        return;
      }
      if (message == null) {
        refused = true;
        StatusMapper.close(call, Refusals.malformed(parsed.fault()));
      } else {
        listener.onMessage(message);
      }
    }

    @Override
    public void onHalfClose() {
      if (!refused) {
        listener.onHalfClose();
      }
    }

    @Override
    public void onCancel() {
      listener.onCancel();
    }

    @Override
    public void onComplete() {
      listener.onComplete();
    }

    @Override
    public void onReady() {
      listener.onReady();
    }
  }

  /// The call as the generated handler knows it.
  private static final class UnguardedCall<Q, R> extends ServerCall<Q, R> {
    private final ServerCall<Parsed<Q>, R> call;
    private final MethodDescriptor<Q, R> method;

    UnguardedCall(ServerCall<Parsed<Q>, R> call, MethodDescriptor<Q, R> method) {
      this.call = call;
      this.method = method;
    }

    @Override
    public void request(int count) {
      call.request(count);
    }

    @Override
    public void sendHeaders(Metadata headers) {
      call.sendHeaders(headers);
    }

    @Override
    public void sendMessage(R message) {
      call.sendMessage(message);
    }

    @Override
    public boolean isReady() {
      return call.isReady();
    }

    @Override
    public void close(io.grpc.Status status, Metadata trailers) {
      call.close(status, trailers);
    }

    @Override
    public boolean isCancelled() {
      return call.isCancelled();
    }

    @Override
    public void setMessageCompression(boolean enabled) {
      call.setMessageCompression(enabled);
    }

    @Override
    public void setCompression(String compressor) {
      call.setCompression(compressor);
    }

    @Override
    public void setOnReadyThreshold(int bytes) {
      call.setOnReadyThreshold(bytes);
    }

    @Override
    public SecurityLevel getSecurityLevel() {
      return call.getSecurityLevel();
    }

    @Override
    public Attributes getAttributes() {
      return call.getAttributes();
    }

    @Override
    public @Nullable String getAuthority() {
      return call.getAuthority();
    }

    @Override
    public MethodDescriptor<Q, R> getMethodDescriptor() {
      return method;
    }
  }
}
