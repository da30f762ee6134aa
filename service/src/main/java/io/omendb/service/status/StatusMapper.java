package io.omendb.service.status;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.omendb.engine.CollectionNotFoundException;
import io.omendb.engine.CollectionQuarantinedException;
import io.omendb.engine.InvalidConfigException;
import io.omendb.engine.QueryNorm;
import io.omendb.engine.UnlinkedBufferFullException;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.service.status.Refusal.Violation;
import io.omendb.storage.api.CollectionExistsException;
import io.omendb.storage.api.CollectionFullException;
import io.omendb.storage.api.CorruptFileException;
import io.omendb.storage.api.DiskFullException;
import io.omendb.storage.api.FailureWords;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.StoreFailedException;
import io.omendb.storage.api.UnknownCollectionException;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one place where an exception becomes a status of the contract's table of errors.
public final class StatusMapper {
  private static final Logger LOG = LoggerFactory.getLogger(StatusMapper.class);

  private StatusMapper() {}

  /// What a client is told of `cause`; `collection` is the name the request gave.
  public static Refusal refusal(Throwable cause, String collection) {
    return switch (cause) {
      case Refusal refusal -> refusal;
      case CollectionNotFoundException _ -> Refusals.collectionNotFound(collection);
      case UnknownCollectionException _ -> Refusals.collectionNotFound(collection);
      case CollectionExistsException _ -> Refusals.collectionExists(collection);
      case UnlinkedBufferFullException _ -> Refusals.unlinkedBufferFull(collection);
      case InvalidConfigException e -> invalidConfig(e);
      case DiskFullException e ->
          Refusal.of(
              Status.Code.RESOURCE_EXHAUSTED,
              ErrorReason.ERROR_REASON_DISK_FULL,
              "no room on the data volume: " + e.getMessage());
      case CollectionFullException e ->
          Refusal.of(
                  Status.Code.RESOURCE_EXHAUSTED,
                  ErrorReason.ERROR_REASON_COLLECTION_FULL,
                  String.valueOf(e.getMessage()))
              .with("collection", collection);
      case StoreFailedException _ -> Refusals.outcomeUnknown();
      case CollectionQuarantinedException e -> quarantined(e.damage(), collection);
      case CorruptFileException e -> quarantined(e, collection);
      // Not of the heap, which ends the process: of network buffers, or address space.
      case OutOfMemoryError e -> {
        LOG.error("out of memory outside the heap", e);
        yield Refusal.of(
            Status.Code.RESOURCE_EXHAUSTED,
            ErrorReason.ERROR_REASON_MEMORY_FULL,
            "no memory for the reply");
      }
      default -> Refusals.internal(cause);
    };
  }

  /// Data that is damaged is lost; what could only not be opened may yet be there.
  private static Refusal quarantined(Exception cause, String collection) {
    if (cause instanceof CorruptFileException damage) {
      return Refusal.of(
              Status.Code.DATA_LOSS,
              ErrorReason.ERROR_REASON_COLLECTION_QUARANTINED,
              "acknowledged data is damaged: " + damage.getMessage())
          .with("collection", collection)
          .with("file", damage.file())
          .with("offset", Long.toString(damage.offset()));
    }
    return Refusal.of(
            Status.Code.FAILED_PRECONDITION,
            ErrorReason.ERROR_REASON_COLLECTION_QUARANTINED,
            "the collection could not be opened at the start of the server: "
                + FailureWords.of(cause))
        .with("collection", collection);
  }

  /// What a client is told of rows that the engine refused; `vectorField` is the twin that it sent.
  public static Refusal invalidRows(InvalidRowsException cause, String vectorField) {
    List<Violation> violations = new ArrayList<>();
    for (InvalidRowsException.Item item : cause.items()) {
      String row = vectorField + "[" + item.index() + "]";
      if (item.component() < 0) {
        violations.add(
            new Violation(item.index(), row, "a vector of norm zero", "a norm above zero"));
      } else {
        // A component may be finite, and still too large for the norm to be.
        violations.add(
            new Violation(
                item.index(),
                row + "[" + item.component() + "]",
                Float.toString(item.value()),
                Float.isFinite(item.value())
                    ? "a squared norm up to " + QueryNorm.MOST
                    : "finite"));
      }
    }
    ErrorReason reason =
        cause.items().getFirst().component() < 0
            ? ErrorReason.ERROR_REASON_ZERO_NORM
            : ErrorReason.ERROR_REASON_NOT_FINITE;
    return Refusal.invalid(reason, violations, cause.total());
  }

  private static Refusal invalidConfig(InvalidConfigException e) {
    ErrorReason reason =
        e.field().equals("name")
            ? ErrorReason.ERROR_REASON_INVALID_NAME
            : ErrorReason.ERROR_REASON_OUT_OF_RANGE;
    return Refusal.invalid(reason, "config." + e.field(), e.value(), e.expected());
  }

  /// Ends a call that was not closed yet.
  public static void close(ServerCall<?, ?> call, Refusal refusal) {
    StatusRuntimeException status = refusal.toStatus();
    Metadata trailers = status.getTrailers();
    call.close(status.getStatus(), trailers == null ? new Metadata() : trailers);
  }
}
