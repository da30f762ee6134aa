package io.omendb.service.write;

import io.grpc.Status;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionNotFoundException;
import io.omendb.engine.UnlinkedBufferFullException;
import io.omendb.engine.Visibility;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.StreamFrame;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Writes the frames of one open bulk stream into its collection, and knows the last log position
/// that they took. A frame is applied by one call of the engine, or refused and uses up its number.
///
/// Guarded by its stream's monitor.
final class StreamWriter {
  private final StreamOpening opening;
  private final StreamReport report;
  private final AppendResult result = new AppendResult();
  private long lastSequence;
  private boolean building;

  StreamWriter(StreamOpening opening, StreamReport report) {
    this.opening = opening;
    this.report = report;
    this.lastSequence = opening.collection().lastSequence();
    beginBuild();
  }

  private void beginBuild() {
    if (!building && opening.visibility() == Visibility.AFTER_BUILD) {
      opening.collection().beginBuild();
      building = true;
    }
  }

  /// Whether AFTER_BUILD rows of the collection wait for this stream.
  boolean isBuilding() {
    return building;
  }

  /// The newest log position that concerns the stream.
  long lastSequence() {
    return lastSequence;
  }

  /// Applies a frame, or notes why it is refused; either uses up its number. False: the unlinked
  /// buffer is full, and nothing was done.
  boolean write(long frame, RowsMessage rows) throws Refusal {
    Collection collection = opening.collection();
    StreamFrame position =
        opening.streamId().isEmpty() ? null : new StreamFrame(opening.streamId(), frame);
    result.lsn = 0;
    beginBuild();
    try {
      RowsCheck.check(rows, collection.config());
      if (position == null) {
        collection.append(rows, opening.mode(), opening.visibility(), result);
      } else {
        collection.appendFrame(rows, opening.mode(), opening.visibility(), position, result);
      }
      report.applied(frame, result, opening.mode());
      if (result.lsn != 0) {
        lastSequence = result.lsn;
      }
    } catch (InvalidRowsException e) {
      refuse(frame, StatusMapper.invalidRows(e, RowsCheck.vectorField(rows)), position);
    } catch (Refusal e) {
      refuse(frame, e, position);
    } catch (UnlinkedBufferFullException e) {
      return false;
    } catch (IOException | CollectionNotFoundException e) {
      Refusal refusal = StatusMapper.refusal(e, collection.config().name());
      if (refusal.code() != Status.Code.RESOURCE_EXHAUSTED) {
        throw refusal;
      }
      refuse(frame, refusal, position);
    }
    return true;
  }

  private void refuse(long frame, Refusal refusal, @Nullable StreamFrame position) throws Refusal {
    report.refused(frame, refusal);
    if (position != null) {
      markFrame(position);
    }
  }

  /// Logs that a named stream is not to be resumed, after its last frame.
  void finish() throws Refusal {
    if (!opening.streamId().isEmpty()) {
      markFrame(new StreamFrame(opening.streamId(), StreamHolders.FINISHED));
    }
  }

  private void markFrame(StreamFrame position) throws Refusal {
    try {
      lastSequence = opening.collection().markFrame(position);
    } catch (IOException e) {
      throw StatusMapper.refusal(e, opening.collection().config().name());
    }
  }

  /// No more frames come, or none for a while: AFTER_BUILD rows may be linked. The next frame makes
  /// them wait again. May be called again.
  void endBuild() {
    if (building) {
      building = false;
      opening.collection().endBuild();
    }
  }
}
