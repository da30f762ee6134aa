package io.omendb.service.call;

import com.google.protobuf.CodedInputStream;
import io.grpc.Attributes;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.SecurityLevel;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.MemoryBudget;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A generated service whose methods answer INVALID_ARGUMENT to bytes that are not their message.
///
/// The generated marshaller throws, and gRPC turns whatever is thrown there into UNKNOWN. Here it
/// returns what it found, and the call is closed before the service sees it. Methods that are
/// implemented by hand take the place of the generated ones; the service keeps its schema
/// descriptor, so reflection shows it as it is.
public final class GuardedService {
  /// What an element of a repeated field may take on the heap beside its bytes.
  private static final int FIELD_BYTES = 64;

  private static final int PIECE_BYTES = 64 << 10;

  /// A message, or why there is none.
  ///
  /// @param reserved bytes that it takes of `budget`, until it is closed
  private record Parsed<Q>(
      @Nullable Q message, @Nullable Refusal fault, MemoryBudget budget, long reserved)
      implements AutoCloseable {
    @Override
    public void close() {
      budget.release(reserved);
    }
  }

  private GuardedService() {}

  /// `service`, with `replacements` by full method name. Large requests take their memory from
  /// `budget`.
  public static ServerServiceDefinition of(
      ServerServiceDefinition service,
      Map<String, ServerMethodDefinition<?, ?>> replacements,
      MemoryBudget budget) {
    ServiceDescriptor generated = service.getServiceDescriptor();
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(generated.getName())
            .setSchemaDescriptor(generated.getSchemaDescriptor());
    var methods =
        service.getMethods().stream()
            .<ServerMethodDefinition<?, ?>>map(method -> {
              var replacement = replacements.get(method.getMethodDescriptor().getFullMethodName());
              return replacement != null ? replacement : guard(method, budget);
            })
            .toList();
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder guarded = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(guarded::addMethod);
    return guarded.build();
  }

  /// A method whose requests are read by generated code. Large ones take their memory from
  /// `budget`.
  public static <Q, R> ServerMethodDefinition<?, R> guard(
      ServerMethodDefinition<Q, R> method, MemoryBudget budget) {
    MethodDescriptor<Q, R> generated = method.getMethodDescriptor();
    return ServerMethodDefinition.create(
        generated.toBuilder(
                new GuardedMarshaller<>(generated.getRequestMarshaller(), budget),
                generated.getResponseMarshaller())
            .build(),
        new GuardedHandler<>(generated, method.getServerCallHandler()));
  }

  private record GuardedMarshaller<Q>(Marshaller<Q> generated, MemoryBudget budget)
      implements Marshaller<Parsed<Q>> {
    @Override
    public Parsed<Q> parse(InputStream stream) {
      long reserved = 0;
      try {
        if (stream instanceof KnownLength && stream.available() <= MemoryBudget.SMALL_BYTES) {
          return new Parsed<>(generated.parse(stream), null, budget, 0);
        }
        // Ids of two bytes each would take thirty times their bytes as objects: they are counted
        // before they are made.
        ByteArrayOutputStream pieces = new ByteArrayOutputStream();
        for (byte[] piece = stream.readNBytes(PIECE_BYTES);
            piece.length > 0;
            piece = stream.readNBytes(PIECE_BYTES)) {
          reserved += reserve(2L * piece.length, pieces.size());
          pieces.write(piece, 0, piece.length);
        }
        byte[] bytes = pieces.toByteArray();
        reserved += reserve((long) FIELD_BYTES * fields(bytes), bytes.length);
        Q message = generated.parse(new ByteArrayInputStream(bytes));
        return new Parsed<>(message, null, budget, reserved);
      } catch (Refusal e) {
        budget.release(reserved);
        return new Parsed<>(null, e, budget, 0);
      } catch (IOException | RuntimeException e) {
        budget.release(reserved);
        Throwable cause = e.getCause() == null ? e : e.getCause();
        String fault = "the message is not valid protobuf: " + cause.getMessage();
        return new Parsed<>(null, Refusals.malformed(fault), budget, 0);
      }
    }

    private long reserve(long bytes, int length) throws Refusal {
      if (!budget.tryReserve(bytes)) {
        throw Refusals.memoryFull(length + bytes, budget);
      }
      return bytes;
    }

    private static int fields(byte[] bytes) throws IOException {
      CodedInputStream wire = CodedInputStream.newInstance(bytes);
      int count = 0;
      for (int tag = wire.readTag(); tag != 0 && wire.skipField(tag); tag = wire.readTag()) {
        count++;
      }
      return count;
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
    private @Nullable Parsed<Q> request;

    GuardedListener(ServerCall<Parsed<Q>, ?> call, ServerCall.Listener<Q> listener) {
      this.call = call;
      this.listener = listener;
    }

    @Override
    public void onMessage(Parsed<Q> parsed) {
      Q message = parsed.message();
      if (refused) {
        parsed.close();
        return;
      }
      if (message == null) {
        refused = true;
        StatusMapper.close(call, Objects.requireNonNull(parsed.fault()));
      } else {
        end(); // of a stream: the message before is answered
        request = parsed;
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
      end();
      listener.onCancel();
    }

    @Override
    public void onComplete() {
      end();
      listener.onComplete();
    }

    private void end() {
      if (request != null) {
        request.close();
        request = null;
      }
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
