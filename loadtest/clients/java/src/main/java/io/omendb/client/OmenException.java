package io.omendb.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A call that failed. Nothing of it was applied, unless the reason is OUTCOME_UNKNOWN or the
 * deadline passed; an upsert may be repeated in any case.
 */
public final class OmenException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * One fault in a request.
   *
   * @param field path, such as {@code vectors[17]}
   * @param description a sentence
   */
  public record Violation(String field, String description) {}

  private final Status.Code code;
  private final String reason;
  private final transient Map<String, String> metadata;
  private final transient List<Violation> violations;
  private final transient Optional<Duration> retryAfter;

  private OmenException(
      Throwable cause,
      Status status,
      String reason,
      Map<String, String> metadata,
      List<Violation> violations,
      Optional<Duration> retryAfter) {
    super(message(status, reason), cause);
    this.code = status.getCode();
    this.reason = reason;
    this.metadata = metadata;
    this.violations = violations;
    this.retryAfter = retryAfter;
  }

  private static String message(Status status, String reason) {
    String name = reason.isEmpty() ? status.getCode().name() : reason;
    return status.getDescription() == null ? name : status.getDescription() + " (" + name + ")";
  }

  /** A fault that the client finds itself. */
  static OmenException of(Status status) {
    return of(status.asRuntimeException());
  }

  static OmenException of(StatusRuntimeException e) {
    com.google.rpc.Status details = StatusProto.fromThrowable(e);
    String reason = "";
    Map<String, String> metadata = Map.of();
    List<Violation> violations = List.of();
    Optional<Duration> retryAfter = Optional.empty();
    for (Any packed : details == null ? List.<Any>of() : details.getDetailsList()) {
      try {
        if (packed.is(ErrorInfo.class)) {
          ErrorInfo info = packed.unpack(ErrorInfo.class);
          reason = info.getReason();
          metadata = Map.copyOf(info.getMetadataMap());
        } else if (packed.is(BadRequest.class)) {
          violations =
              packed.unpack(BadRequest.class).getFieldViolationsList().stream()
                  .map(fault -> new Violation(fault.getField(), fault.getDescription()))
                  .toList();
        } else if (packed.is(RetryInfo.class)) {
          var delay = packed.unpack(RetryInfo.class).getRetryDelay();
          retryAfter = Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
        }
      } catch (InvalidProtocolBufferException damaged) {
        e.addSuppressed(damaged); // the code and the sentence are there all the same
      }
    }
    return new OmenException(e, e.getStatus(), reason, metadata, violations, retryAfter);
  }

  /** The canonical code. */
  public Status.Code code() {
    return code;
  }

  /**
   * Name of an {@link io.omendb.proto.v1.ErrorReason}, such as {@code DIMENSION_MISMATCH}; empty
   * where gRPC itself failed the call.
   */
  public String reason() {
    return reason;
  }

  /** What the reason tells besides. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** Faults of the request, at most ten. */
  public List<Violation> violations() {
    return violations;
  }

  /** After which the server says that it may be tried again. */
  public Optional<Duration> retryAfter() {
    return retryAfter;
  }

  /** Path of the first field that is wrong; empty where none is. */
  public String field() {
    return violations.isEmpty()
        ? metadata.getOrDefault("field", "")
        : violations.getFirst().field();
  }

  /** What was there. */
  public String value() {
    return metadata.getOrDefault("value", "");
  }

  /** What should be there. */
  public String expected() {
    return metadata.getOrDefault("expected", "");
  }
}
