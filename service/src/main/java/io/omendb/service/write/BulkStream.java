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
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// One connection of a BulkInsert: the protocol's state, and the order in which its parts are
/// called.
///
/// ```
///   network's thread    onMessage: HeldFrames ─────────┐
///                       onHalfClose, onCancel          │  under this object's monitor, which
///   write queue         writeNext: HeldFrames <────────┘  nobody holds while the disk may be
///                       → StreamWriter, StreamMarks ───┐  waited for
///   acknowledging       advance: watermarks → marks    │
///   thread              → one response  <──────────────┘
///                       the only one that sends and closes
/// ```
///
/// **Flow control.** A frame is asked for whenever one was written, unless the log is behind, the
/// unlinked buffer is full (IMMEDIATE), memory is short, or the client does not read its replies;
/// what is not asked for waits until that is over. As many frames are on their way as fit the
/// stream's share of the budget, at least one. That, and the client's flow window, bound what a
/// stream may occupy. What finds the unlinked buffer full waits with the rest ([HeldFrames]).
///
/// **Half-done frames.** A frame reaches us whole or not at all, and is applied by one call of the
/// engine, so a stream may break anywhere. The write queue is the collection's: whoever resumes a
/// stream is behind what its former connection was writing.
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

  /// Most frames that may be on their way, or written before others of the collection have a turn.
  private static final int FRAMES_AHEAD = 8;

  private final ServerCall<RowsMessage, Reply> call;
  private final Serving serving;
  private final Acknowledger acknowledger;
  private final StreamHolders holders;
  private final DurabilityMode durability;
  private final WriteQueues queues;
  private final MemoryBudget network;

  @GuardedBy("this")
  private State state = State.NEW;

  /// What the first frame names.
  @GuardedBy("this")
  private @Nullable Collection collection;

  /// Set in the write queue, when the first frame's turn has come.
  @GuardedBy("this")
  private @Nullable Opened opened;

  /// The stream is in the write queue, and does not enter it again meanwhile.
  @GuardedBy("this")
  private boolean writing;

  /// When a frame that found no room is tried again.
  @GuardedBy("this")
  private long retryNanos;

  /// All frames of a stream that its client has closed are written.
  @GuardedBy("this")
  private boolean finished;

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

  /// When the last frame came, or was not asked for, or was not written yet.
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

  private static final long SKIPPED = -1;

  BulkStream(
      ServerCall<RowsMessage, Reply> call,
      Serving serving,
      Acknowledger acknowledger,
      StreamHolders holders,
      DurabilityMode durability,
      WriteQueues queues,
      MemoryBudget network,
      MemoryBudget budget) {
    this.queues = queues;
    this.network = network;
    this.held = new HeldFrames(network, budget);
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
    boolean kept = false;
    try {
      synchronized (this) {
        if (failure == null && (state == State.NEW || state == State.OPEN)) {
          inFlight--;
          framesAhead = framesAhead(message.bytes());
          Collection target = collection;
          if (target == null) {
            MalformedMessageException fault = message.malformed();
            if (fault != null) {
              throw Refusals.malformed(fault);
            }
            target = serving.collection(message.collection());
            collection = target;
            state = State.OPEN;
          }
          held.add(message);
          kept = true;
          activeNanos = System.nanoTime();
          enqueue(target);
          more = ask();
        }
      }
    } catch (Refusal e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      // An Error too: a call is never left unanswered.
      fail(Refusals.internal(e));
    } finally {
      if (!kept) {
        message.close();
      }
    }
    if (more > 0) {
      call.request(more);
    }
  }

  /// Frames of so many bytes that this stream's share of half the budget takes.
  private int framesAhead(int bytes) {
    long share = network.most() / 2 / Math.max(1, acknowledger.streamCount());
    return Math.clamp(share / Math.max(1, bytes), 1, FRAMES_AHEAD);
  }

  /// How many frames to ask for now; counts them as on their way.
  @GuardedBy("this")
  private int ask() {
    int ahead = inFlight + held.size();
    int more = state == State.OPEN && mayReadOn() ? Math.max(0, framesAhead - ahead) : 0;
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
        if (state == State.OPEN && collection != null) {
          state = State.CLOSING;
          enqueue(collection);
        }
      }
    } catch (Refusal e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      fail(Refusals.internal(e));
    }
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

  /// Enters the write queue, unless the stream is there.
  @GuardedBy("this")
  private void enqueue(Collection target) {
    if (!writing) {
      writing = true;
      queues.execute(target, this::write);
    }
  }

  // ---- The write queue -----------------------------------------------------------------------

  /// Writes what waits, and leaves the queue; after some frames others have a turn.
  private void write() {
    boolean more = true;
    boolean news = false;
    try {
      for (int frame = 0; more && frame < FRAMES_AHEAD; frame++) {
        more = writeNext();
        news |= more;
      }
    } catch (Refusal e) {
      more = false;
      fail(e);
    } catch (RuntimeException | Error e) {
      more = false;
      fail(Refusals.internal(e));
    }
    synchronized (this) {
      writing = false;
      boolean came = !held.isEmpty() && !held.isNextTried();
      if ((more || came || isToFinish()) && isLive() && collection != null) {
        enqueue(collection);
      }
      // A failure waits for this thread to be done; see endWith.
      news |= finished || failure != null;
    }
    if (news) {
      // Not where a frame waits on: it would be tried again at once, and again.
      acknowledger.signal();
    }
  }

  /// Writes the next frame, or finishes the stream. False: nothing is to be done now.
  private boolean writeNext() throws Refusal {
    HeldFrames.HeldFrame next;
    Opened stream;
    synchronized (this) {
      next = isLive() ? held.take() : null;
      stream = opened;
    }
    if (next == null) {
      return stream != null && finish(stream);
    }
    RowsMessage rows = next.rows();
    boolean done = true;
    int more;
    try {
      MalformedMessageException fault = rows.malformed();
      if (fault != null) {
        throw Refusals.malformed(fault);
      }
      boolean first = stream == null;
      if (stream == null) {
        stream = open(rows);
      } else if (next.number() == 0) {
        stream.opening().checkRepeated(rows);
      }
      if (!(first && rows.hasNoRows() && rows.frameSequence() == 0)) {
        done = writeFrame(stream, next);
      }
    } finally {
      if (done) {
        rows.close();
      }
    }
    synchronized (this) {
      more = ask();
    }
    if (more > 0) {
      call.request(more);
    }
    return done;
  }

  /// False where the frame waits on, for room in the unlinked buffer.
  private boolean writeFrame(Opened stream, HeldFrames.HeldFrame frame) throws Refusal {
    long number = frame.number();
    synchronized (this) {
      if (!isLive()) {
        return true;
      }
      if (number == 0) {
        number = arrived(stream, frame.rows());
      }
      if (number == SKIPPED) {
        return true;
      }
      stream.writer().beginBuild();
    }
    boolean written = stream.writer().write(number, frame.rows());
    synchronized (this) {
      if (written) {
        stream.writer().settle(number, report);
        marks.add(number, stream.writer().lastSequence());
      } else if (state == State.ENDED) {
        return true;
      } else {
        held.putBack(new HeldFrames.HeldFrame(number, frame.rows()));
        retryNanos = System.nanoTime() + HELD_PAUSE_NANOS;
      }
    }
    return written;
  }

  /// The number of a frame, checked; SKIPPED where an earlier connection settled it.
  @GuardedBy("this")
  private long arrived(Opened stream, RowsMessage rows) throws Refusal {
    long number = frameNumber(stream, rows);
    report.arrived();
    lastFrame = number;
    if (number <= stream.settledFrame()) {
      report.skipped();
      return SKIPPED;
    }
    return number;
  }

  /// After the last frame of a stream that its client has closed.
  private boolean finish(Opened stream) throws Refusal {
    synchronized (this) {
      if (!isToFinish()) {
        return false;
      }
    }
    stream.writer().finish();
    synchronized (this) {
      stream.writer().finished();
      stream.writer().endBuild();
      finished = true;
    }
    return false;
  }

  @GuardedBy("this")
  private boolean isToFinish() {
    return isLive() && state == State.CLOSING && !finished && opened != null && held.isEmpty();
  }

  /// Whether its frames are still to be written.
  @GuardedBy("this")
  private boolean isLive() {
    return failure == null && state != State.ENDED;
  }

  private Opened open(RowsMessage first) throws Refusal {
    Collection target;
    synchronized (this) {
      target = Objects.requireNonNull(collection);
    }
    StreamOpening opening = StreamOpening.of(first, target);
    OpenStream holder = holders.claim(opening, this);
    if (holder != null) {
      // What it was writing is written, since its turn was before; it has none after that.
      holder.fail(
          Refusal.of(
                  Status.Code.ABORTED,
                  ErrorReason.ERROR_REASON_STREAM_TAKEN_OVER,
                  "another connection resumed stream_id \"" + opening.streamId() + "\"")
              .with("stream_id", opening.streamId()));
    }
    StreamWriter writer = new StreamWriter(opening);
    StreamState known = opening.streamId().isEmpty() ? null : target.stream(opening.streamId());
    long settledFrame = known == null ? 0 : Math.max(0, known.loggedSequence());
    Opened stream = new Opened(opening, writer, settledFrame, known != null, writer.lastSequence());
    synchronized (this) {
      marks.resume(settledFrame, writer.lastSequence());
      if (isLive()) {
        writer.beginBuild();
      }
      opened = stream;
      acknowledger.of(target);
      if (state == State.ENDED) {
        holders.release(opening, this);
      } else {
        acknowledger.add(this);
      }
    }
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

  /// Whether the frames that wait must do so until rows are linked.
  @GuardedBy("this")
  private boolean isHeldBack() {
    Opened stream = opened;
    return stream != null
        && stream.opening().visibility() == Visibility.IMMEDIATE
        && stream.collection().unlinkedBufferFull();
  }

  @GuardedBy("this")
  private boolean mayReadOn() {
    return !report.isFull() && pressure() == Pressure.PRESSURE_OK;
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
    if (network.isTight()) {
      return Pressure.PRESSURE_MEMORY;
    }
    if (isHeldBack()) {
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
  public synchronized boolean isOf(Collection other) {
    return collection == other;
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
      boolean retry = !held.isNextTried() || now - retryNanos >= 0;
      if (!held.isEmpty() && retry && !isHeldBack()) {
        enqueue(stream.collection());
      }
      asked = ask();
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
    if (inFlight == 0 || writing || !held.isEmpty()) {
      activeNanos = now; // it waits for us
    }
    long left = IDLE_NANOS - (now - activeNanos);
    if (left > 0) {
      return left;
    }
    stream.writer().endBuild();
    return ResponsePacing.NEVER;
  }

  /// Ends the stream with a status. Where the client is at fault, the server stops or has no room,
  /// what was taken in before is acknowledged first, so that the client knows where it stands.
  @GuardedBy("this")
  private void endWith(Refusal refusal, @Nullable Opened stream, long now) {
    held.clear();
    boolean settles =
        refusal.code() == Status.Code.INVALID_ARGUMENT
            || refusal.code() == Status.Code.RESOURCE_EXHAUSTED
            || refusal.reason() == ErrorReason.ERROR_REASON_DRAINING;
    if (settles && writing) {
      return; // what is being written may still be acknowledged
    }
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
    return finished
        && marks.received() >= lastFrame
        && settledSequence(stream.collection()) >= stream.writer().lastSequence()
        && leavesRoom(stream)
        && (!stream.opening().waitSearchable() || marks.searchable() >= lastFrame);
  }

  /// Whether the next writer finds room in the unlinked buffer, or none can be made.
  @GuardedBy("this")
  private boolean leavesRoom(Opened stream) {
    return !isHeldBack() || stream.collection().fault() != null;
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
