package io.omendb.service.status;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.omendb.proto.v1.ErrorReason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Why a request is not served: a row of the contract's table of errors, with what was found.
///
/// Has no stack trace. Each carries one canonical code and one reason; faults of the request's
/// fields are listed as violations. Build it with [#of] or [#invalid], add to it with the `with…`
/// methods before it is thrown; after that nothing changes it.
public final class Refusal extends Exception {
  private static final long serialVersionUID = 1L;
  private static final String DOMAIN = "omendb.io";
  private static final String PREFIX = "ERROR_REASON_";

  /// Details travel in trailers, of which many clients take 8 KiB: so many violations, so long a
  /// value.
  public static final int VIOLATIONS_MAX = 10;

  static final int VALUE_MAX = 64;

  /// A fault of one item of a block; `index` is -1 where the fault is of the field as a whole.
  public record Violation(int index, String field, String value, String expected)
      implements java.io.Serializable {}

  private final Status.Code code;
  private final ErrorReason reason;
  private final LinkedHashMap<String, String> metadata = new LinkedHashMap<>();
  private final ArrayList<Violation> violations = new ArrayList<>();
  private int violationCount;
  private int retryDelayMillis;

  private Refusal(Status.Code code, ErrorReason reason, String message) {
    super(message, null, false, false);
    this.code = code;
    this.reason = reason;
  }

  /// A refusal that names no field.
  public static Refusal of(Status.Code code, ErrorReason reason, String message) {
    return new Refusal(code, reason, message);
  }

  /// INVALID_ARGUMENT for a fault of one field.
  public static Refusal invalid(ErrorReason reason, String field, String value, String expected) {
    return invalid(reason, List.of(new Violation(-1, field, value, expected)), 1);
  }

  /// INVALID_ARGUMENT for items of a block: the first of them, and how many there are in all.
  public static Refusal invalid(ErrorReason reason, List<Violation> first, int count) {
    Violation worst = first.getFirst();
    Refusal refusal = new Refusal(Status.Code.INVALID_ARGUMENT, reason, sentence(worst, count));
    refusal.with("field", worst.field());
    if (worst.index() >= 0) {
      refusal.with("index", Integer.toString(worst.index()));
    }
    refusal.with("value", worst.value()).with("expected", worst.expected());
    for (Violation violation : first.subList(0, Math.min(first.size(), VIOLATIONS_MAX))) {
      refusal.violations.add(violation);
    }
    refusal.violationCount = count;
    return refusal;
  }

  private static String sentence(Violation violation, int count) {
    String sentence =
        violation.field()
            + (violation.value().isEmpty() ? "" : " is " + shorten(violation.value()))
            + (violation.expected().isEmpty() ? "" : ", expected " + violation.expected());
    return count > 1 ? sentence + "; " + count + " items are invalid" : sentence;
  }

  /// Adds to the metadata; an empty value is left out.
  public Refusal with(String key, String value) {
    if (!value.isEmpty()) {
      metadata.put(key, shorten(value));
    }
    return this;
  }

  /// Tells the client when to try again.
  public Refusal withRetry(int delayMillis) {
    retryDelayMillis = delayMillis;
    return this;
  }

  public Status.Code code() {
    return code;
  }

  public ErrorReason reason() {
    return reason;
  }

  Map<String, String> metadata() {
    return metadata;
  }

  /// The first violations, at most [#VIOLATIONS_MAX].
  public List<Violation> violations() {
    return violations;
  }

  /// All violations.
  public int violationCount() {
    return violationCount;
  }

  @Override
  public String getMessage() {
    String message = super.getMessage();
    return message == null ? reason.name() : message;
  }

  /// The same as gRPC sends it, with the details of the contract in its trailers.
  public StatusRuntimeException toStatus() {
    com.google.rpc.Status.Builder status =
        com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage(getMessage());
    status.addDetails(
        Any.pack(
            ErrorInfo.newBuilder()
                .setReason(reason.name().substring(PREFIX.length()))
                .setDomain(DOMAIN)
                .putAllMetadata(metadata)
                .build()));
    if (!violations.isEmpty()) {
      BadRequest.Builder badRequest = BadRequest.newBuilder();
      for (Violation violation : violations) {
        badRequest.addFieldViolations(
            BadRequest.FieldViolation.newBuilder()
                .setField(violation.field())
                .setDescription(sentence(violation, 1)));
      }
      status.addDetails(Any.pack(badRequest.build()));
    }
    if (retryDelayMillis > 0) {
      Duration delay =
          Duration.newBuilder()
              .setSeconds(retryDelayMillis / 1000)
              .setNanos(retryDelayMillis % 1000 * 1_000_000)
              .build();
      status.addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  public static String shorten(String value) {
    return value.length() <= VALUE_MAX ? value : value.substring(0, VALUE_MAX - 1) + "…";
  }
}
