package io.omendb.service.write;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.omendb.engine.Collection;
import io.omendb.engine.Visibility;
import io.omendb.proto.v1.BulkInsertOpening;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.proto.v1.Pressure;
import io.omendb.service.call.CallReplies;
import io.omendb.service.call.Serving;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.status.StatusMapper;
import io.omendb.service.wire.MalformedMessageException;
import io.omendb.service.wire.MemoryBudget;
import io.omendb.service.wire.Reply;
import io.omendb.service.wire.ReplyBuffer;
import io.omendb.service.wire.RowsMessage;
import io.omendb.storage.api.StreamState;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection of a BulkInsert: the protocol's state, and the order in which its parts are
/// called.
///
/// ```
///   network's thread    onMessage: frame → StreamWriter, StreamMarks ─┐ under this object's monitor,
///                       onHalfClose, onCancel                         │ held for one append at most
///   acknowledging       advance: watermarks → marks → one response  <─┘
///   thread              the only one that sends and closes
/// ```
///
/// **Flow control.** A frame is asked for whenever one was taken in, unless the log is behind, the
/// unlinked buffer is full (IMMEDIATE), memory is short, or the client does not read its replies;
/// what is not asked for waits until that is over. As many frames are on their way as fit the
/// stream's share of the budget, at least one. That, and the client's flow window, bound what a
/// stream may occupy. What had been asked for when the buffer filled is held ([HeldFrames]).
///
/// **Half-done frames.** A frame reaches us whole or not at all, and is applied by one call of the
/// engine, so a stream may break anywhere.
final class BulkStream extends ServerCall.Listener<RowsMessage> implements OpenStream {
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

  /// How soon to look whether a held-back stream may go on, in case no watermark moves.
  private static final long HELD_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

  private static final int SUGGESTED_FRAME_BYTES = 256 << 10;

  /// A stream that was asked for a frame and sends none for so long does not hold back the build of
  /// other streams' rows.
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(2);

  /// Most frames that may be on their way.
  private static final int FRAMES_AHEAD = 8;

  private final ServerCall<RowsMessage, Reply> call;
  private final Serving serving;
  private final Acknowledger acknowledger;
  private final StreamHolders holders;
  private final DurabilityMode durability;
  private final MemoryBudget budget;

  @GuardedBy("this")
  private State state = State.NEW;

  @GuardedBy("this")
  private @Nullable Opened opened;

  @GuardedBy("this")
  private @Nullable Refusal failure;

  @GuardedBy("this")
  private boolean draining;

  @GuardedBy("this")
  private int inFlight = 1;

  /// Frames that may be on their way, by their size.
  @GuardedBy("this")
  private int framesAhead = 1;

  @GuardedBy("this")
  private long lastFrame;

  /// When the last frame came, or was not asked for.
  @GuardedBy("this")
  private long activeNanos;

  @GuardedBy("this")
  private final HeldFrames held;

  @GuardedBy("this")
  private final StreamMarks marks = new StreamMarks();

  @GuardedBy("this")
  private final StreamReport report = new StreamReport();

  @GuardedBy("this")
  private final ResponsePacing pacing = new ResponsePacing();

  /// What the first frame made of the stream.
  ///
  /// @param settledFrame frames up to it were settled by an earlier connection
  /// @param resumed whether there was an earlier connection
  /// @param sequence log position at the opening; what an earlier connection sent is before it
  private record Opened(
      StreamOpening opening,
      StreamWriter writer,
      long settledFrame,
      boolean resumed,
      long sequence) {
    Collection collection() {
      return opening.collection();
    }
  }

  BulkStream(
      ServerCall<RowsMessage, Reply> call,
      Serving serving,
      Acknowledger acknowledger,
      StreamHolders holders,
      DurabilityMode durability,
      MemoryBudget budget) {
    this.budget = budget;
    this.held = new HeldFrames(budget);
    this.call = call;
    this.serving = serving;
    this.acknowledger = acknowledger;
    this.holders = holders;
    this.durability = durability;
  }

  // ---- The network's thread ------------------------------------------------------------------

  @Override
  public void onMessage(RowsMessage message) {
    int more = 0;
    try (message) {
      synchronized (this) {
        if (failure == null && (state == State.NEW || state == State.OPEN)) {
          inFlight--;
          framesAhead = framesAhead(message.bytes());
          take(message);
          more = ask();
        }
      }
    } catch (Refusal e) {
      fail(e);
    } catch (RuntimeException e) {
      fail(Refusals.internal(e));
    }
    if (more > 0) {
      call.request(more);
    }
    acknowledger.signal();
  }

  /// Frames of so many bytes that this stream's share of half the budget takes.
  private int framesAhead(int bytes) {
    long share = budget.most() / 2 / Math.max(1, acknowledger.streamCount());
    return Math.clamp(share / Math.max(1, bytes), 1, FRAMES_AHEAD);
  }

  /// How many frames to ask for now; counts them as on their way.
  @GuardedBy("this")
  private int ask() {
    int more = mayReadOn() ? Math.max(0, framesAhead - inFlight) : 0;
    inFlight += more;
    return more;
  }

  @Override
  public void onHalfClose() {
    try {
      synchronized (this) {
        if (state == State.NEW && failure == null) {
          throw Refusals.required("collection");
        }
        Opened stream = opened;
        if (state == State.OPEN && failure == null && stream != null) {
          stream.writer().endBuild();
          state = State.CLOSING;
          if (held.isEmpty()) {
            stream.writer().finish();
          }
        }
      }
    } catch (Refusal e) {
      fail(e);
    } catch (RuntimeException e) {
      fail(StatusMapper.refusal(e, ""));
    }
    acknowledger.signal();
  }

  @Override
  public void onReady() {
    acknowledger.signal();
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

  @GuardedBy("this")
  private void take(RowsMessage message) throws Refusal {
    MalformedMessageException fault = message.malformed();
    if (fault != null) {
      throw Refusals.malformed(fault);
    }
    Opened stream = opened;
    if (stream == null) {
      stream = open(message);
      if (message.hasNoRows() && message.frameSequence() == 0) {
        return;
      }
    } else {
      stream.opening().checkRepeated(message);
    }
    activeNanos = System.nanoTime();
    long frame = frameNumber(stream, message);
    report.arrived();
    lastFrame = frame;
    if (frame <= stream.settledFrame()) {
      report.skipped();
    } else if (!held.isEmpty() || !write(stream, frame, message)) {
      held.add(frame, message);
    }
  }

  @GuardedBy("this")
  private Opened open(RowsMessage first) throws Refusal {
    StreamOpening opening = StreamOpening.of(first, serving);
    Collection collection = opening.collection();
    OpenStream holder = holders.claim(opening, this);
    if (holder != null) {
      // Waits for a frame that it is taking in at this moment; after that it takes none.
      holder.fail(
          Refusal.of(
                  Status.Code.ABORTED,
                  ErrorReason.ERROR_REASON_STREAM_TAKEN_OVER,
                  "another connection resumed stream_id \"" + opening.streamId() + "\"")
              .with("stream_id", opening.streamId()));
    }
    StreamWriter writer = new StreamWriter(opening, report);
    StreamState known = opening.streamId().isEmpty() ? null : collection.stream(opening.streamId());
    long settledFrame = known == null ? 0 : Math.max(0, known.loggedSequence());
    marks.resume(settledFrame, writer.lastSequence());
    Opened stream = new Opened(opening, writer, settledFrame, known != null, writer.lastSequence());
    opened = stream;
    state = State.OPEN;
    activeNanos = System.nanoTime();
    acknowledger.of(collection);
    acknowledger.add(this);
    return stream;
  }

  @GuardedBy("this")
  private long frameNumber(Opened stream, RowsMessage message) throws Refusal {
    if (stream.opening().streamId().isEmpty()) {
      return lastFrame + 1;
    }
    long frame = message.frameSequence();
    long settledFrame = stream.settledFrame();
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

  /// Takes a frame in; false where it must wait for room.
  @GuardedBy("this")
  private boolean write(Opened stream, long frame, RowsMessage rows) throws Refusal {
    if (!stream.writer().write(frame, rows)) {
      return false;
    }
    marks.add(frame, stream.writer().lastSequence());
    return true;
  }

  @GuardedBy("this")
  private boolean mayReadOn() {
    return held.isEmpty() && !report.isFull() && pressure() == Pressure.PRESSURE_OK;
  }

  @GuardedBy("this")
  private Pressure pressure() {
    Opened stream = opened;
    if (stream == null) {
      return Pressure.PRESSURE_OK;
    }
    if (stream.collection().backlogged()) {
      return Pressure.PRESSURE_DISK;
    }
    if (budget.isTight()) {
      return Pressure.PRESSURE_MEMORY;
    }
    if (stream.opening().visibility() == Visibility.IMMEDIATE
        && stream.collection().unlinkedBufferFull()) {
      return Pressure.PRESSURE_THROTTLED;
    }
    return Pressure.PRESSURE_OK;
  }

  // ---- Any thread ----------------------------------------------------------------------------

  @Override
  public void fail(Refusal refusal) {
    boolean first;
    synchronized (this) {
      first = failure == null && state != State.ENDED;
      if (first) {
        failure = refusal;
        // So that it is on the list of the acknowledging thread even if it never opened.
        acknowledger.add(this);
      }
    }
    acknowledger.signal();
  }

  @Override
  public synchronized boolean isOf(Collection collection) {
    return opened != null && opened.collection() == collection;
  }

  @Override
  public void abandon(Refusal refusal) {
    StatusMapper.close(call, refusal);
    synchronized (this) {
      end();
    }
  }

  @Override
  public void drain(boolean force) {
    if (force) {
      fail(Refusals.draining());
    } else {
      synchronized (this) {
        draining = true;
      }
    }
  }

  // ---- The acknowledging thread --------------------------------------------------------------

  @Override
  public long advance(long now) {
    int asked;
    long pause;
    synchronized (this) {
      if (state == State.ENDED) {
        return ResponsePacing.NEVER;
      }
      if (call.isCancelled()) {
        end();
        return ResponsePacing.NEVER;
      }
      Opened stream = opened;
      if (stream != null && failure == null && stream.collection().hasFailed()) {
        failure = Refusals.outcomeUnknown();
      }
      Refusal refusal = failure;
      if (refusal != null) {
        endWith(refusal, stream, now);
        return ResponsePacing.NEVER;
      }
      if (stream == null) {
        return ResponsePacing.NEVER;
      }
      writeHeld(stream);
      asked = state == State.OPEN ? ask() : 0;
      pause = Math.min(respond(stream, now), leaveBuildIfIdle(stream, now));
      if ((inFlight < framesAhead && state == State.OPEN) || !held.isEmpty()) {
        pause = Math.min(pause, HELD_PAUSE_NANOS);
      }
    }
    if (asked > 0) {
      call.request(asked);
    }
    return pause;
  }

  /// Returns the nanoseconds until it may be idle.
  @GuardedBy("this")
  private long leaveBuildIfIdle(Opened stream, long now) {
    if (state != State.OPEN || !stream.writer().isBuilding()) {
      return ResponsePacing.NEVER;
    }
    if (inFlight == 0) {
      activeNanos = now; // it waits for us
    }
    long left = IDLE_NANOS - (now - activeNanos);
    if (left > 0) {
      return left;
    }
    stream.writer().endBuild();
    return ResponsePacing.NEVER;
  }

  /// Takes in the held frames, now that there may be room for them.
  @GuardedBy("this")
  private void writeHeld(Opened stream) {
    HeldFrames.HeldFrame next = held.first();
    while (next != null && !stream.collection().unlinkedBufferFull()) {
      try {
        if (!write(stream, next.frame(), next.rows())) {
          return;
        }
      } catch (Refusal e) {
        failure = e;
      }
      held.removeFirst();
      next = held.first();
      if (next == null && state == State.CLOSING && failure == null) {
        try {
          stream.writer().finish();
        } catch (Refusal e) {
          failure = e;
        }
      }
    }
  }

  /// Ends the stream with a status. Where the client is at fault or the server stops, what was
  /// taken in before is acknowledged first, so that the client knows where it stands.
  @GuardedBy("this")
  private void endWith(Refusal refusal, @Nullable Opened stream, long now) {
    held.clear();
    boolean settles =
        refusal.code() == Status.Code.INVALID_ARGUMENT
            || refusal.reason() == ErrorReason.ERROR_REASON_DRAINING;
    if (settles && stream != null && marks.lastAdded() > stream.settledFrame()) {
      advanceMarks(stream);
      if (marks.received() < marks.lastAdded()) {
        return;
      }
      if (!pacing.hasResponded() || marks.haveMoved() || !report.isEmpty()) {
        send(stream, pressure(), false, now);
      }
    }
    StatusMapper.close(call, refusal);
    end();
  }

  @GuardedBy("this")
  private long respond(Opened stream, long now) {
    if (!pacing.hasResponded()
        && stream.resumed()
        && settledSequence(stream.collection()) < stream.sequence()) {
      // What an earlier connection sent must be synced before it is called settled.
      return ResponsePacing.NEVER;
    }
    advanceMarks(stream);
    Pressure pressure = draining ? Pressure.PRESSURE_DRAINING : pressure();
    boolean done = isDone(stream);
    if (!done) {
      boolean news = marks.haveMoved() || !report.isEmpty();
      long pause = pacing.pause(news, pressure, state == State.CLOSING, now);
      if (pacing.hasResponded() && !call.isReady()) {
        // The client does not read; onReady wakes us.
        return ResponsePacing.NEVER;
      }
      if (pause != 0) {
        return pause;
      }
    }
    send(stream, pressure, done, now);
    if (done) {
      call.close(Status.OK, new Metadata());
      end();
    }
    return state == State.CLOSING ? ResponsePacing.PROGRESS_PAUSE_NANOS : ResponsePacing.NEVER;
  }

  @GuardedBy("this")
  private void advanceMarks(Opened stream) {
    Collection collection = stream.collection();
    long searchableSequence =
        stream.opening().visibility() == Visibility.AFTER_BUILD
            ? collection.searchableSequence()
            : collection.visibleSequence();
    marks.advance(searchableSequence, collection.durableSequence(), collection.visibleSequence());
  }

  @GuardedBy("this")
  private boolean isDone(Opened stream) {
    return state == State.CLOSING
        && held.isEmpty()
        && marks.received() >= lastFrame
        && settledSequence(stream.collection()) >= stream.writer().lastSequence()
        && (!stream.opening().waitSearchable() || marks.searchable() >= lastFrame);
  }

  /// The log position up to which nothing is lost in the way this server promises. In mode OS the
  /// engine syncs at checkpoints only, and no stream can wait for those.
  private long settledSequence(Collection collection) {
    return durability == DurabilityMode.DURABILITY_MODE_OS
        ? collection.visibleSequence()
        : collection.durableSequence();
  }

  @GuardedBy("this")
  private void send(Opened stream, Pressure pressure, boolean last, long now) {
    int dimension = stream.collection().config().dimension();
    BulkInsertOpening told =
        pacing.hasResponded()
            ? null
            : BulkInsertOpening.newBuilder()
                .setDurableFrameSequence(stream.settledFrame())
                .setResumed(stream.resumed())
                .setVisibilityValue(stream.opening().visibility() == Visibility.IMMEDIATE ? 1 : 2)
                .setDurabilityMode(durability)
                .setDimension(dimension)
                .build();
    pacing.responded(pressure, now);
    marks.told();
    ReplyBuffer reply = CallReplies.buffer();
    report.encode(
        reply,
        marks,
        pressure,
        Math.clamp(SUGGESTED_FRAME_BYTES / ((long) dimension * Float.BYTES), 1, RowsCheck.ROWS_MAX),
        told,
        last);
    call.sendMessage(reply.finish(!CallReplies.isSocket(call)));
  }

  @GuardedBy("this")
  private void end() {
    if (state == State.ENDED) {
      return;
    }
    state = State.ENDED;
    held.clear();
    acknowledger.remove(this);
    Opened stream = opened;
    if (stream != null) {
      stream.writer().endBuild();
      holders.release(stream.opening(), this);
    }
  }
}
