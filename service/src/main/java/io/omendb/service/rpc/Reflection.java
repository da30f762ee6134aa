package io.omendb.service.rpc;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.rpc.ErrorDetailsProto;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.reflection.v1.FileDescriptorResponse;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;

/// gRPC's reflection, which tells besides what the details of our errors are: they are packed as
/// Any, no service of ours names their types, and a client such as grpcurl asks for them by name.
public final class Reflection extends ServerReflectionGrpc.ServerReflectionImplBase {
  private static final FileDescriptor DETAILS = ErrorDetailsProto.getDescriptor();

  private final ServerReflectionGrpc.AsyncService services =
      (ServerReflectionGrpc.AsyncService) ProtoReflectionServiceV1.newInstance();

  @Override
  public StreamObserver<ServerReflectionRequest> serverReflectionInfo(
      StreamObserver<ServerReflectionResponse> answers) {
    StreamObserver<ServerReflectionRequest> ofServices = services.serverReflectionInfo(answers);
    return new StreamObserver<>() {
      @Override
      public void onNext(ServerReflectionRequest request) {
        if (isOfDetails(request)) {
          answers.onNext(details(request));
          // The other has turned off gRPC's own asking for the next one.
          ((ServerCallStreamObserver<ServerReflectionResponse>) answers).request(1);
        } else {
          ofServices.onNext(request);
        }
      }

      @Override
      public void onError(Throwable cause) {
        ofServices.onError(cause);
      }

      @Override
      public void onCompleted() {
        ofServices.onCompleted();
      }
    };
  }

  private static boolean isOfDetails(ServerReflectionRequest request) {
    return switch (request.getMessageRequestCase()) {
      case FILE_CONTAINING_SYMBOL -> {
        String symbol = request.getFileContainingSymbol();
        String own = DETAILS.getPackage() + ".";
        yield symbol.startsWith(own)
            && DETAILS.findMessageTypeByName(symbol.substring(own.length())) != null;
      }
      case FILE_BY_FILENAME -> request.getFileByFilename().equals(DETAILS.getName());
      default -> false;
    };
  }

  private static ServerReflectionResponse details(ServerReflectionRequest request) {
    FileDescriptorResponse.Builder files =
        FileDescriptorResponse.newBuilder()
            .addFileDescriptorProto(DETAILS.toProto().toByteString());
    for (FileDescriptor imported : DETAILS.getDependencies()) {
      files.addFileDescriptorProto(imported.toProto().toByteString());
    }
    return ServerReflectionResponse.newBuilder()
        .setValidHost(request.getHost())
        .setOriginalRequest(request)
        .setFileDescriptorResponse(files)
        .build();
  }
}
