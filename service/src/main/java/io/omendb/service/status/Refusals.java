package io.omendb.service.status;

import io.grpc.Status.Code;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.service.wire.MalformedMessageException;
import io.omendb.service.wire.MemoryBudget;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The refusals that more than one RPC gives, by name.
public final class Refusals {
  private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);

  private static final int RECOVERING_RETRY_MILLIS = 500;
  private static final int BACKLOG_RETRY_MILLIS = 100;
  private static final int MEMORY_RETRY_MILLIS = 200;

  private Refusals() {}

  public static Refusal malformed(MalformedMessageException fault) {
    return Refusal.of(
            Code.INVALID_ARGUMENT,
            ErrorReason.ERROR_REASON_MALFORMED_MESSAGE,
            "the message is not valid protobuf: " + fault.getMessage())
        .with("offset", Integer.toString(fault.offset()));
  }

  public static Refusal malformed(String fault) {
    return Refusal.of(Code.INVALID_ARGUMENT, ErrorReason.ERROR_REASON_MALFORMED_MESSAGE, fault);
  }

  public static Refusal required(String field) {
    return Refusal.invalid(ErrorReason.ERROR_REASON_FIELD_REQUIRED, field, "", "to be set");
  }

  public static Refusal outOfRange(String field, long value, String expected) {
    return Refusal.invalid(
        ErrorReason.ERROR_REASON_OUT_OF_RANGE, field, Long.toUnsignedString(value), expected);
  }

  public static Refusal unknownEnum(String field, int value) {
    return Refusal.invalid(
        ErrorReason.ERROR_REASON_UNKNOWN_ENUM_VALUE,
        field,
        Integer.toString(value),
        "a value of the contract");
  }

  public static Refusal collectionNotFound(String name) {
    return Refusal.of(
            Code.NOT_FOUND,
            ErrorReason.ERROR_REASON_COLLECTION_NOT_FOUND,
            "there is no collection \"" + Refusal.shorten(name) + "\"")
        .with("collection", name);
  }

  static Refusal collectionExists(String name) {
    return Refusal.of(
            Code.ALREADY_EXISTS,
            ErrorReason.ERROR_REASON_COLLECTION_EXISTS,
            "there is a collection \"" + Refusal.shorten(name) + "\" already")
        .with("collection", name);
  }

  public static Refusal collectionDropped(String name) {
    return Refusal.of(
            Code.ABORTED,
            ErrorReason.ERROR_REASON_COLLECTION_DROPPED,
            "collection \"" + Refusal.shorten(name) + "\" was dropped while the call ran")
        .with("collection", name);
  }

  public static Refusal recovering() {
    return Refusal.of(
            Code.UNAVAILABLE,
            ErrorReason.ERROR_REASON_RECOVERING,
            "the server is recovering its data")
        .withRetry(RECOVERING_RETRY_MILLIS);
  }

  public static Refusal draining() {
    return Refusal.of(
        Code.UNAVAILABLE, ErrorReason.ERROR_REASON_DRAINING, "the server is about to stop");
  }

  public static Refusal unlinkedBufferFull(String collection) {
    return Refusal.of(
            Code.RESOURCE_EXHAUSTED,
            ErrorReason.ERROR_REASON_INDEX_BACKLOG_FULL,
            "too many vectors of collection \""
                + Refusal.shorten(collection)
                + "\" wait to be linked")
        .with("collection", collection)
        .withRetry(BACKLOG_RETRY_MILLIS);
  }

  public static Refusal tooMany(String field, int most) {
    return Refusal.of(
            Code.RESOURCE_EXHAUSTED,
            ErrorReason.ERROR_REASON_TOO_MANY,
            "there are " + most + " " + field + " already, the limit of this server")
        .with("field", field)
        .with("expected", "at most " + most);
  }

  /// The budget of memory has no `bytes` left at the moment.
  public static Refusal memoryFull(long bytes, MemoryBudget budget) {
    if (bytes > budget.most()) {
      // No retry: it will never fit.
      return Refusal.of(
              Code.RESOURCE_EXHAUSTED,
              ErrorReason.ERROR_REASON_MEMORY_FULL,
              bytes
                  + " bytes are more memory than this server has for all requests and replies; ask"
                  + " for less, or give it a larger heap")
          .with("value", bytes + " bytes")
          .with("expected", "at most " + budget.most() + " bytes");
    }
    return Refusal.of(
            Code.RESOURCE_EXHAUSTED,
            ErrorReason.ERROR_REASON_MEMORY_FULL,
            "no memory for "
                + bytes
                + " bytes beside the requests and replies under way; try again, or ask for less")
        .with("value", bytes + " bytes")
        .with("expected", "at most " + (budget.most() - budget.used()) + " bytes now")
        .withRetry(MEMORY_RETRY_MILLIS);
  }

  public static Refusal responseTooLarge(long bytes, int most) {
    return Refusal.invalid(
        ErrorReason.ERROR_REASON_RESPONSE_TOO_LARGE,
        "reply",
        bytes + " bytes",
        "at most " + most + " bytes; ask for less");
  }

  public static Refusal outcomeUnknown() {
    return Refusal.of(
        Code.UNAVAILABLE,
        ErrorReason.ERROR_REASON_OUTCOME_UNKNOWN,
        "the log could not be synced: whether the write is kept is decided by recovery");
  }

  /// UNIMPLEMENTED, with a sentence.
  public static Refusal notImplemented(String feature) {
    return Refusal.of(
            Code.UNIMPLEMENTED,
            ErrorReason.ERROR_REASON_NOT_IMPLEMENTED,
            feature + " is in the contract but not built yet")
        .with("feature", feature);
  }

  /// INTERNAL for a defect of ours, which the log has under the id that the client is told.
  public static Refusal internal(Throwable cause) {
    String incident = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    LOG.error("incident {}", incident, cause);
    return Refusal.of(
            Code.INTERNAL,
            ErrorReason.ERROR_REASON_INTERNAL,
            "a defect of the server; its log has it as incident " + incident)
        .with("incident", incident);
  }
}
