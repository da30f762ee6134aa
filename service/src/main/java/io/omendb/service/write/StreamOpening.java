package io.omendb.service.write;

import io.omendb.engine.Collection;
import io.omendb.engine.Visibility;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.WriteMode;
import java.util.regex.Pattern;

/// The opening fields of a bulk stream, checked: what its first frame said and what it means.
///
/// @param collection the collection written to
/// @param streamId the client's name for the stream; empty for none
/// @param resume go on where the stream broke off
/// @param mode write mode of all frames
/// @param visibility when frames become searchable
/// @param waitSearchable end only when everything is searchable
/// @param modeNumber field `mode` as it was sent
/// @param visibilityNumber field `visibility` as it was sent
/// @param expectedCount field `expected_count` as it was sent
record StreamOpening(
    Collection collection,
    String streamId,
    boolean resume,
    WriteMode mode,
    Visibility visibility,
    boolean waitSearchable,
    int modeNumber,
    int visibilityNumber,
    long expectedCount) {
  private static final Pattern STREAM_ID = Pattern.compile("[A-Za-z0-9_.:-]{1,128}");

  /// Below so many announced vectors a build of their own does not pay.
  private static final long BUILD_WORTH_ROWS = 50_000;

  /// Checks the opening fields of a stream's first frame.
  static StreamOpening of(RowsMessage first, Collection collection) throws Refusal {
    WriteMode mode = RowsCheck.mode(first.mode());
    String streamId = first.streamId();
    if (streamId.isEmpty()) {
      if (first.resume()) {
        throw Refusals.required("stream_id");
      }
    } else if (!STREAM_ID.matcher(streamId).matches()) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_INVALID_NAME, "stream_id", streamId, STREAM_ID.pattern());
    }
    return new StreamOpening(
        collection,
        streamId,
        first.resume(),
        mode,
        visibility(first, collection),
        first.waitSearchable(),
        first.mode(),
        first.visibility(),
        first.expectedCount());
  }

  /// The client's wish; without one, a build where the stream brings more than the collection has
  /// and enough for the graph built from all of it to be the quicker way.
  private static Visibility visibility(RowsMessage first, Collection collection) throws Refusal {
    var wish = io.omendb.proto.v1.Visibility.forNumber(first.visibility());
    return switch (wish) {
      case VISIBILITY_IMMEDIATE -> Visibility.IMMEDIATE;
      case VISIBILITY_AFTER_BUILD -> Visibility.AFTER_BUILD;
      case VISIBILITY_UNSPECIFIED ->
          Long.compareUnsigned(first.expectedCount(), BUILD_WORTH_ROWS) >= 0
                  && Long.compareUnsigned(first.expectedCount(), collection.rows().liveCount()) > 0
              ? Visibility.AFTER_BUILD
              : Visibility.IMMEDIATE;
      case null, default -> throw Refusals.unknownEnum("visibility", first.visibility());
    };
  }

  /// A later frame leaves each opening field unset or repeats it.
  void checkRepeated(RowsMessage frame) throws Refusal {
    String changed = null;
    if (!frame.collection().isEmpty() && !frame.collection().equals(collection.config().name())) {
      changed = "collection";
    } else if (frame.mode() != 0 && frame.mode() != modeNumber) {
      changed = "mode";
    } else if (!frame.streamId().isEmpty() && !frame.streamId().equals(streamId)) {
      changed = "stream_id";
    } else if (frame.resume() && !resume) {
      changed = "resume";
    } else if (frame.visibility() != 0 && frame.visibility() != visibilityNumber) {
      changed = "visibility";
    } else if (frame.expectedCount() != 0 && frame.expectedCount() != expectedCount) {
      changed = "expected_count";
    } else if (frame.waitSearchable() && !waitSearchable) {
      changed = "wait_searchable";
    }
    if (changed != null) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_OPENING_FIELD_CHANGED,
          changed,
          "",
          "unset, or as in the first frame");
    }
  }
}
