package io.omendb.service.write;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionNotFoundException;
import io.omendb.engine.UnlinkedBufferFullException;
import io.omendb.engine.Visibility;
import io.omendb.proto.v1.BulkInsertOpening;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.proto.v1.Pressure;
import io.omendb.service.call.CallReplies;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.MalformedMessageException;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.ReplyBuffer;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.AppendResult;
import io.omendb.storage.api.InvalidRowsException;
import io.omendb.storage.api.StreamFrame;
import io.omendb.storage.api.StreamState;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection of a BulkInsert.
///
/// ```
///   network's thread    onMessage: frame → collection, mark noted ──┐ under this object's monitor,
///                       onHalfClose, onCancel                       │ held for one append at most
///   acknowledging       advance: watermarks → marks → one response <┘
///   thread              the only one that sends and closes
/// ```
///
/// **Flow control.** A frame is asked for whenever one was taken in, unless the log is behind, the
/// unlinked buffer is full (IMMEDIATE), or the client does not read its replies; what is not asked
/// for is deferred until that is over. That, and the client's flow window, bound what a stream may
/// occupy.
///
/// What had been asked for when the buffer filled is held, with a copy of its bytes, until there is
/// room.
///
/// **Half-done frames.** A frame reaches us whole or not at all, and is applied by one call of the
/// engine, so a stream may break anywhere.
final class BulkStream extends ServerCall.Listener<RowsMessage> {
  private enum State {
    /// No frame came yet.
    NEW,
    /// Frames come.
    OPEN,
    /// The client has closed its side; what it sent is being settled.
    CLOSING,
    /// The call is over.
    ENDED
  }

  /// A frame that waits for room in the unlinked buffer, with bytes of its own.
  private record HeldFrame(long frame, RowsMessage rows) {}

  /// Logged as a last frame when a named stream was closed by its client, so that it is not
  /// resumed.
  static final long FINISHED = Long.MAX_VALUE;

  private static final long NEVER = PendingAck.FOREVER;

  /// Between responses while frames come quickly: their acknowledgements gather meanwhile.
  private static final long RESPONSE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /// Between responses that tell of nothing but pressure, or that work goes on after the client's
  /// end.
  private static final long PRESSURE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private static final long PROGRESS_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  /// How soon to look whether a held-back stream may go on, in case no watermark moves.
  private static final long HELD_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private static final int SUGGESTED_FRAME_BYTES = 256 << 10;

  private final ServerCall<RowsMessage, Reply> call;
  private final BulkStreams streams;

  // Below: guarded by this object's monitor.
  private State state = State.NEW;
  private @Nullable StreamOpening opening;
  private @Nullable Refusal failure;
  private boolean building;
  private boolean draining;
  private int deferredRequests;

  // Frames up to this were settled by an earlier connection.
  private long settledFrame;
  private boolean resumed;
  private long openedSequence;
  private long lastFrame;
  private long lastSequence;
  private long lastMarked;
  private final ArrayDeque<HeldFrame> held = new ArrayDeque<>();
  private MarkQueue received = new MarkQueue(0);
  private MarkQueue durable = new MarkQueue(0);
  private MarkQueue searchable = new MarkQueue(0);
  private final StreamReport report = new StreamReport();
  private final AppendResult result = new AppendResult();

  private boolean openingSent;
  private long lastSentNanos;
  private long sentReceived;
  private long sentDurable;
  private long sentSearchable;
  private Pressure sentPressure = Pressure.PRESSURE_UNSPECIFIED;

  BulkStream(ServerCall<RowsMessage, Reply> call, BulkStreams streams) {
    this.call = call;
    this.streams = streams;
  }

  @Override
  public void onMessage(RowsMessage message) {
    boolean more = false;
    try (message) {
      synchronized (this) {
        if (failure == null && (state == State.NEW || state == State.OPEN)) {
          take(message);
          more = mayReadOn();
          deferredRequests += more ? 0 : 1;
        }
      }
    } catch (Refusal e) {
      fail(e);
    } catch (RuntimeException e) {
      fail(Refusals.internal(e));
    }
    if (more) {
      call.request(1);
    }
    streams.acknowledger.signal();
  }

  @Override
  public void onHalfClose() {
    try {
      synchronized (this) {
        if (state == State.NEW && failure == null) {
          throw Refusals.required("collection");
        }
        StreamOpening opened = opening;
        if (state == State.OPEN && failure == null && opened != null) {
          endBuild(opened);
          state = State.CLOSING;
          if (held.isEmpty()) {
            finish(opened);
          }
        }
      }
    } catch (Refusal e) {
      fail(e);
    } catch (IOException | RuntimeException e) {
      fail(StatusMapper.refusal(e, ""));
    }
    streams.acknowledger.signal();
  }

  /// Logs that a named stream is not to be resumed, after its last frame.
  private void finish(StreamOpening opened) throws IOException {
    if (!opened.streamId().isEmpty()) {
      lastSequence = opened.collection().markFrame(new StreamFrame(opened.streamId(), FINISHED));
    }
  }

  @Override
  public void onReady() {
    streams.acknowledger.signal();
  }

  @Override
  public void onCancel() {
    synchronized (this) {
      end();
    }
  }

  @Override
  public void onComplete() {
    synchronized (this) {
      end();
    }
  }

  /// Ends the stream with `refusal`, by the acknowledging thread. Any thread.
  void fail(Refusal refusal) {
    boolean first;
    synchronized (this) {
      first = failure == null && state != State.ENDED;
      if (first) {
        failure = refusal;
        // So that it is on the list of the acknowledging thread even if it never opened.
        streams.acknowledger.add(this);
      }
    }
    streams.acknowledger.signal();
  }

  synchronized boolean isOf(Collection collection) {
    return opening != null && opening.collection() == collection;
  }

  void failIfOf(Collection collection, Refusal refusal) {
    if (isOf(collection)) {
      fail(refusal);
    }
  }

  /// The server is about to stop: tells the client, or with `force` ends the stream.
  void drain(boolean force) {
    if (force) {
      fail(Refusals.draining());
    } else {
      synchronized (this) {
        draining = true;
      }
    }
  }

  private void take(RowsMessage message) throws Refusal {
    MalformedMessageException fault = message.malformed();
    if (fault != null) {
      throw Refusals.malformed(fault);
    }
    StreamOpening opened = opening;
    if (opened == null) {
      opened = open(message);
      if (message.hasNoRows() && message.frameSequence() == 0) {
        return;
      }
    } else {
      opened.checkRepeated(message);
    }
    long frame = frameNumber(opened, message);
    report.arrived();
    lastFrame = frame;
    if (frame <= settledFrame) {
      report.skipped();
      return;
    }
    if (!held.isEmpty() || !apply(opened, frame, message)) {
      hold(message, frame);
    }
  }

  private void mark(long frame) {
    lastMarked = frame;
    received.add(frame, lastSequence);
    durable.add(frame, lastSequence);
    searchable.add(frame, lastSequence);
  }

  /// Keeps frames that came while the unlinked buffer was full: they were asked for before it was.
  private void hold(RowsMessage message, long frame) {
    held.add(new HeldFrame(frame, message.detach()));
  }

  /// Takes in the held frames, now that there may be room for them.
  private void applyHeld(StreamOpening opened) {
    while (!held.isEmpty() && !opened.collection().unlinkedBufferFull()) {
      HeldFrame next = held.getFirst();
      try {
        if (!apply(opened, next.frame(), next.rows())) {
          return;
        }
      } catch (Refusal e) {
        failure = e;
      }
      held.removeFirst().rows().close();
      if (held.isEmpty() && state == State.CLOSING && failure == null) {
        try {
          finish(opened);
        } catch (IOException e) {
          failure = StatusMapper.refusal(e, opened.collection().config().name());
        }
      }
    }
  }

  private void dropHeld() {
    held.forEach(frame -> frame.rows().close());
    held.clear();
  }

  private StreamOpening open(RowsMessage first) throws Refusal {
    StreamOpening opened = StreamOpening.of(first, streams.serving);
    Collection collection = opened.collection();
    BulkStream holder = streams.claim(opened, this);
    opening = opened;
    if (holder != null) {
      // Waits for a frame that it is taking in at this moment; after that it takes none.
      holder.fail(
          Refusal.of(
                  Status.Code.ABORTED,
                  ErrorReason.ERROR_REASON_STREAM_TAKEN_OVER,
                  "another connection resumed stream_id \"" + opened.streamId() + "\"")
              .with("stream_id", opened.streamId()));
    }
    lastSequence = collection.lastSequence();
    openedSequence = lastSequence;
    StreamState known = opened.streamId().isEmpty() ? null : collection.stream(opened.streamId());
    if (known != null) {
      resume(known.loggedSequence());
    }
    if (opened.visibility() == Visibility.AFTER_BUILD) {
      collection.beginBuild();
      building = true;
    }
    state = State.OPEN;
    streams.acknowledger.of(collection);
    streams.acknowledger.add(this);
    return opened;
  }

  private void resume(long frame) {
    resumed = true;
    settledFrame = Math.max(0, frame);
    received = new MarkQueue(settledFrame);
    durable = new MarkQueue(settledFrame);
    if (settledFrame > 0) {
      searchable.add(settledFrame, lastSequence);
    }
  }

  private long frameNumber(StreamOpening opened, RowsMessage message) throws Refusal {
    if (opened.streamId().isEmpty()) {
      return lastFrame + 1;
    }
    long frame = message.frameSequence();
    boolean first = lastFrame == 0;
    boolean fits =
        first ? frame >= 1 && frame <= settledFrame + 1 : frame == lastFrame + 1 && frame > 0;
    if (!fits) {
      throw Refusal.invalid(
          ErrorReason.ERROR_REASON_FRAME_SEQUENCE_GAP,
          "frame_sequence",
          Long.toUnsignedString(frame),
          first && settledFrame > 0 ? "1 to " + (settledFrame + 1) : Long.toString(lastFrame + 1));
    }
    return frame;
  }

  /// Applies a frame, or notes why it is refused; either uses up its number. False: the buffer is
  /// full, and nothing was done.
  private boolean apply(StreamOpening opened, long frame, RowsMessage rows) throws Refusal {
    Collection collection = opened.collection();
    StreamFrame position =
        opened.streamId().isEmpty() ? null : new StreamFrame(opened.streamId(), frame);
    result.lsn = 0;
    try {
      RowsCheck.check(rows, collection.config());
      if (position == null) {
        collection.append(rows, opened.mode(), opened.visibility(), result);
      } else {
        collection.appendFrame(rows, opened.mode(), opened.visibility(), position, result);
      }
      report.applied(frame, result, opened.mode());
      if (result.lsn != 0) {
        lastSequence = result.lsn;
      }
    } catch (InvalidRowsException e) {
      refuse(frame, StatusMapper.invalidRows(e, RowsCheck.vectorField(rows)), opened, position);
    } catch (Refusal e) {
      refuse(frame, e, opened, position);
    } catch (UnlinkedBufferFullException e) {
      return false;
    } catch (IOException | CollectionNotFoundException e) {
      Refusal refusal = StatusMapper.refusal(e, collection.config().name());
      if (refusal.code() != Status.Code.RESOURCE_EXHAUSTED) {
        throw refusal;
      }
      refuse(frame, refusal, opened, position);
    }
    mark(frame);
    return true;
  }

  private void refuse(
      long frame, Refusal refusal, StreamOpening opened, @Nullable StreamFrame position)
      throws Refusal {
    report.refused(frame, refusal);
    if (position != null) {
      try {
        lastSequence = opened.collection().markFrame(position);
      } catch (IOException e) {
        throw StatusMapper.refusal(e, opened.collection().config().name());
      }
    }
  }

  private boolean mayReadOn() {
    return held.isEmpty() && !report.isFull() && pressure() == Pressure.PRESSURE_OK;
  }

  private Pressure pressure() {
    StreamOpening opened = opening;
    if (opened == null) {
      return Pressure.PRESSURE_OK;
    }
    if (opened.collection().backlogged()) {
      return Pressure.PRESSURE_DISK;
    }
    if (opened.visibility() == Visibility.IMMEDIATE && opened.collection().unlinkedBufferFull()) {
      return Pressure.PRESSURE_THROTTLED;
    }
    return Pressure.PRESSURE_OK;
  }

  /// Sends what there is to tell. Returns nanoseconds until it wants to be asked again, unless
  /// something moves before. The acknowledging thread only.
  long advance(long now) {
    int asked;
    long pause;
    synchronized (this) {
      if (state == State.ENDED) {
        return NEVER;
      }
      if (call.isCancelled()) {
        end();
        return NEVER;
      }
      StreamOpening opened = opening;
      Refusal refusal = failure;
      if (refusal != null) {
        return endWith(refusal, opened);
      }
      if (opened == null || state == State.NEW) {
        return NEVER;
      }
      applyHeld(opened);
      asked = deferredRequests > 0 && state == State.OPEN && mayReadOn() ? deferredRequests : 0;
      deferredRequests -= asked;
      pause = respond(opened, now);
      if ((deferredRequests > 0 && state == State.OPEN) || !held.isEmpty()) {
        pause = Math.min(pause, HELD_PAUSE_NANOS);
      }
    }
    if (asked > 0) {
      call.request(asked);
    }
    return pause;
  }

  /// Ends the stream with a status. Where the client is at fault or the server stops, what was
  /// taken in before is acknowledged first, so that the client knows where it stands.
  private long endWith(Refusal refusal, @Nullable StreamOpening opened) {
    dropHeld();
    boolean settles =
        refusal.code() == Status.Code.INVALID_ARGUMENT
            || refusal.reason() == ErrorReason.ERROR_REASON_DRAINING;
    if (settles && opened != null && lastMarked > settledFrame) {
      advanceMarks(opened, opened.collection());
      if (received.frame() < lastMarked) {
        return NEVER;
      }
      if (!openingSent || marksMoved() || !report.isEmpty()) {
        send(opened, pressure(), false);
      }
    }
    StatusMapper.close(call, refusal);
    end();
    return NEVER;
  }

  private long respond(StreamOpening opened, long now) {
    Collection collection = opened.collection();
    if (!openingSent && resumed && settledSequence(collection) < openedSequence) {
      // What an earlier connection sent must be synced before it is called settled.
      return NEVER;
    }
    advanceMarks(opened, collection);
    Pressure pressure = draining ? Pressure.PRESSURE_DRAINING : pressure();
    boolean done = isDone(opened, collection);
    if (!done) {
      long pause = pauseBeforeResponse(pressure, now);
      if (pause != 0) {
        return pause;
      }
    }
    send(opened, pressure, done);
    lastSentNanos = now;
    if (done) {
      call.close(Status.OK, new Metadata());
      end();
    }
    return state == State.CLOSING ? PROGRESS_PAUSE_NANOS : NEVER;
  }

  private void advanceMarks(StreamOpening opened, Collection collection) {
    // Read in this order, so that a later mark is not ahead of an earlier one.
    long searchableSequence =
        opened.visibility() == Visibility.AFTER_BUILD
            ? collection.searchableSequence()
            : collection.visibleSequence();
    searchable.advance(searchableSequence);
    durable.advance(collection.durableSequence());
    received.advance(collection.visibleSequence());
  }

  private boolean isDone(StreamOpening opened, Collection collection) {
    return state == State.CLOSING
        && held.isEmpty()
        && received.frame() >= lastFrame
        && settledSequence(collection) >= lastSequence
        && (!opened.waitSearchable() || searchable.frame() >= lastFrame);
  }

  /// The log position up to which nothing is lost in the way this server promises. In mode OS the
  /// engine syncs at checkpoints only, and no stream can wait for those.
  private long settledSequence(Collection collection) {
    return streams.durability == DurabilityMode.DURABILITY_MODE_OS
        ? collection.visibleSequence()
        : collection.durableSequence();
  }

  /// 0: respond now.
  private long pauseBeforeResponse(Pressure pressure, long now) {
    long since = now - lastSentNanos;
    long pause;
    if (!openingSent) {
      return 0;
    } else if (marksMoved() || !report.isEmpty()) {
      pause = RESPONSE_PAUSE_NANOS;
    } else if (pressure != sentPressure) {
      pause = PRESSURE_PAUSE_NANOS;
    } else if (state == State.CLOSING) {
      pause = PROGRESS_PAUSE_NANOS;
    } else {
      return NEVER;
    }
    if (!call.isReady()) {
      // The client does not read; onReady wakes us.
      return NEVER;
    }
    return Math.max(0, pause - since);
  }

  private boolean marksMoved() {
    return received.frame() > sentReceived
        || durableFrame() > sentDurable
        || searchableFrame() > sentSearchable;
  }

  private long durableFrame() {
    return Math.min(durable.frame(), received.frame());
  }

  private long searchableFrame() {
    return Math.min(searchable.frame(), received.frame());
  }

  private void send(StreamOpening opened, Pressure pressure, boolean last) {
    int dimension = opened.collection().config().dimension();
    BulkInsertOpening told =
        openingSent
            ? null
            : BulkInsertOpening.newBuilder()
                .setDurableFrameSequence(settledFrame)
                .setResumed(resumed)
                .setVisibilityValue(opened.visibility() == Visibility.IMMEDIATE ? 1 : 2)
                .setDurabilityMode(streams.durability)
                .setDimension(dimension)
                .build();
    openingSent = true;
    sentReceived = received.frame();
    sentDurable = durableFrame();
    sentSearchable = searchableFrame();
    sentPressure = pressure;
    ReplyBuffer reply = CallReplies.buffer();
    report.encode(
        reply,
        sentReceived,
        sentDurable,
        sentSearchable,
        received.sequence(),
        pressure,
        Math.clamp(SUGGESTED_FRAME_BYTES / ((long) dimension * Float.BYTES), 1, RowsCheck.ROWS_MAX),
        told,
        last);
    call.sendMessage(reply.finish(!CallReplies.isSocket(call)));
  }

  private void endBuild(StreamOpening opened) {
    if (building) {
      building = false;
      opened.collection().endBuild();
    }
  }

  private void end() {
    if (state == State.ENDED) {
      return;
    }
    state = State.ENDED;
    dropHeld();
    streams.acknowledger.remove(this);
    StreamOpening opened = opening;
    if (opened != null) {
      endBuild(opened);
      streams.release(opened, this);
    }
  }
}
