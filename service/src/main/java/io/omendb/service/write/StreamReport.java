package io.omendb.service.write;

import io.omendb.proto.v1.BulkInsertOpening;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.BulkInsertSummary;
import io.omendb.proto.v1.FrameConflicts;
import io.omendb.proto.v1.InvalidItem;
import io.omendb.proto.v1.Pressure;
import io.omendb.proto.v1.RefusedFrame;
import io.omendb.service.status.Refusal;
import io.omendb.service.wire.ReplyBuffer;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.WriteMode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a bulk stream has to tell its client next: refused frames, conflicts, and counts.
///
/// Guarded by its stream's monitor.
final class StreamReport {
  /// With so many frames to report no more are read: a client that does not read its replies must
  /// not fill the heap.
  private static final int PENDING_MAX = 32;

  private final List<RefusedFrame> refusedFrames = new ArrayList<>();
  private final List<FrameConflicts> frameConflicts = new ArrayList<>();
  private long frameCount;
  private long refusedCount;
  private long skippedCount;
  private long insertedCount;
  private long updatedCount;
  private long conflictCount;

  void arrived() {
    frameCount++;
  }

  void skipped() {
    skippedCount++;
  }

  void refused(long frame, Refusal refusal) {
    refusedCount++;
    RefusedFrame.Builder refused =
        RefusedFrame.newBuilder()
            .setFrameSequence(frame)
            .setCode(refusal.code().value())
            .setReason(refusal.reason())
            .setMessage(refusal.getMessage());
    for (Refusal.Violation violation : refusal.violations()) {
      if (violation.index() >= 0) {
        refused.addItems(
            InvalidItem.newBuilder()
                .setIndex(violation.index())
                .setField(violation.field())
                .setValue(Refusal.shorten(violation.value()))
                .setExpected(violation.expected()));
      }
    }
    if (refused.getItemsCount() > 0) {
      refused.setInvalidItemCount(refusal.violationCount());
    }
    refusedFrames.add(refused.build());
  }

  void applied(long frame, AppendResult result, WriteMode mode) {
    insertedCount += result.inserted;
    updatedCount += result.updated;
    conflictCount += result.conflictCount;
    if (result.conflictCount > 0) {
      FrameConflicts.Builder conflicts =
          FrameConflicts.newBuilder()
              .setFrameSequence(frame)
              .setConflictCount(result.conflictCount);
      int listed = Math.min(result.conflictCount, InsertHandler.CONFLICTS_MAX);
      for (int i = 0; i < listed; i++) {
        conflicts.addConflicts(InsertHandler.conflict(result.conflictRows[i], mode));
      }
      frameConflicts.add(conflicts.build());
    }
  }

  boolean isFull() {
    return refusedFrames.size() + frameConflicts.size() >= PENDING_MAX;
  }

  boolean isEmpty() {
    return refusedFrames.isEmpty() && frameConflicts.isEmpty();
  }

  /// Encodes a BulkInsertResponse and forgets what it told.
  void encode(
      ReplyBuffer reply,
      StreamMarks marks,
      Pressure pressure,
      int suggestedFrameVectors,
      @Nullable BulkInsertOpening opening,
      boolean last) {
    reply.putVarint(BulkInsertResponse.RECEIVED_FRAME_SEQUENCE_FIELD_NUMBER, marks.received());
    reply.putVarint(BulkInsertResponse.DURABLE_FRAME_SEQUENCE_FIELD_NUMBER, marks.durable());
    reply.putVarint(BulkInsertResponse.SEARCHABLE_FRAME_SEQUENCE_FIELD_NUMBER, marks.searchable());
    reply.putVarint(BulkInsertResponse.COMMIT_SEQUENCE_FIELD_NUMBER, marks.receivedSequence());
    reply.putVarint(BulkInsertResponse.PRESSURE_FIELD_NUMBER, pressure.getNumber());
    reply.putVarint(BulkInsertResponse.SUGGESTED_FRAME_VECTORS_FIELD_NUMBER, suggestedFrameVectors);
    refusedFrames.forEach(
        frame -> reply.putMessage(BulkInsertResponse.REFUSED_FRAMES_FIELD_NUMBER, frame));
    frameConflicts.forEach(
        frame -> reply.putMessage(BulkInsertResponse.FRAME_CONFLICTS_FIELD_NUMBER, frame));
    refusedFrames.clear();
    frameConflicts.clear();
    if (opening != null) {
      reply.putMessage(BulkInsertResponse.OPENING_FIELD_NUMBER, opening);
    }
    if (last) {
      reply.putMessage(BulkInsertResponse.SUMMARY_FIELD_NUMBER, summary());
    }
  }

  private BulkInsertSummary summary() {
    return BulkInsertSummary.newBuilder()
        .setFrameCount(frameCount)
        .setRefusedFrameCount(refusedCount)
        .setSkippedFrameCount(skippedCount)
        .setInsertedCount(insertedCount)
        .setUpdatedCount(updatedCount)
        .setConflictCount(conflictCount)
        .build();
  }
}
