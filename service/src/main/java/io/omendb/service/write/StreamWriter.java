package io.omendb.service.write;

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
/// [#write] and [#finish] run in the collection's write queue and may wait for the disk, so not
/// under the stream's monitor, by which the rest is guarded; [#settle] brings over what they did.
final class StreamWriter {
  private final StreamOpening opening;
  private final AppendResult result = new AppendResult();
  private @Nullable Refusal refusal;
  private long writtenSequence;
  private long lastSequence;
  private boolean building;

  StreamWriter(StreamOpening opening) {
    this.opening = opening;
    this.writtenSequence = opening.collection().lastSequence();
    this.lastSequence = writtenSequence;
  }

  /// A frame is about to be written: AFTER_BUILD rows of the collection wait for this stream.
  void beginBuild() {
    if (!building && opening.visibility() == Visibility.AFTER_BUILD) {
      opening.collection().beginBuild();
      building = true;
    }
  }

  /// Whether AFTER_BUILD rows of the collection wait for this stream.
  boolean isBuilding() {
    return building;
  }

  /// The newest log position that concerns the stream, of what is settled.
  long lastSequence() {
    return lastSequence;
  }

  /// Applies a frame, or notes why it is refused; either uses up its number. False: the unlinked
  /// buffer is full, and nothing was done. Throws, and the number is not used up, where it is not
  /// the frame's fault.
  boolean write(long frame, RowsMessage rows) throws Refusal {
    Collection collection = opening.collection();
    StreamFrame position =
        opening.streamId().isEmpty() ? null : new StreamFrame(opening.streamId(), frame);
    result.lsn = 0;
    refusal = null;
    try {
      RowsCheck.check(rows, collection.config());
      if (position == null) {
        collection.append(rows, opening.mode(), opening.visibility(), result);
      } else {
        collection.appendFrame(rows, opening.mode(), opening.visibility(), position, result);
      }
      if (result.lsn != 0) {
        writtenSequence = result.lsn;
      }
    } catch (InvalidRowsException e) {
      refuse(StatusMapper.invalidRows(e, RowsCheck.vectorField(rows)), position);
    } catch (Refusal e) {
      refuse(e, position);
    } catch (UnlinkedBufferFullException e) {
      return false;
    } catch (IOException | CollectionNotFoundException e) {
      throw StatusMapper.refusal(e, collection.config().name());
    }
    return true;
  }

  /// The frame that [#write] returned true for takes its place in the report.
  void settle(long frame, StreamReport report) {
    if (refusal != null) {
      report.refused(frame, refusal);
    } else {
      report.applied(frame, result, opening.mode());
    }
    lastSequence = writtenSequence;
  }

  private void refuse(Refusal refused, @Nullable StreamFrame position) throws Refusal {
    refusal = refused;
    if (position != null) {
      markFrame(position);
    }
  }

  /// Logs that a named stream is not to be resumed, after its last frame; [#finished] settles that.
  void finish() throws Refusal {
    if (!opening.streamId().isEmpty()) {
      markFrame(new StreamFrame(opening.streamId(), StreamHolders.FINISHED));
    }
  }

  /// What [#finish] did is settled.
  void finished() {
    lastSequence = writtenSequence;
  }

  private void markFrame(StreamFrame position) throws Refusal {
    try {
      writtenSequence = opening.collection().markFrame(position);
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
