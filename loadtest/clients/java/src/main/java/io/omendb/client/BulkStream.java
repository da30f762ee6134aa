package io.omendb.client;

import io.grpc.Status;
import io.omendb.proto.v1.BulkInsertOpening;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.BulkInsertSummary;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.proto.v1.Pressure;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The state of a bulk insert: frames with their numbers, the server's marks, and what is to be sent
 * again after a break. One thread at a time.
 */
final class BulkStream {
  /** Bytes of vectors in a frame: larger ones gain nothing. */
  private static final int FRAME_BYTES = 256 << 10;

  private static final int MOST_FRAME_ROWS = 65_536;

  /** Bytes of payloads in it: with the vectors far below what a server takes as one message. */
  private static final int FRAME_PAYLOAD_BYTES = 1 << 20;

  /** Frames under way that the server has not read. */
  private static final int WINDOW = 64;

  private static final int THROTTLED_WINDOW = 8;
  private static final int LOW_WINDOW = 2;

  /** Frames kept to be sent again: slices of the caller's rows. */
  private static final int KEPT_FRAMES = 4_096;

  private static final String REASON_PREFIX = "ERROR_REASON_";

  private record Frame(long number, Rows rows) {}

  private final BulkInsertRequest opening;
  private final BulkOptions options;
  private final Iterator<Rows> blocks;
  private final Deque<Frame> kept = new ArrayDeque<>();

  /** Frames of {@link #kept} that are to be sent again, before any other. */
  private final Deque<Frame> again = new ArrayDeque<>();

  /** By frame, rows in all frames before it; with an entry where the length of frames changes. */
  private final NavigableMap<Long, Run> runs = new TreeMap<>();

  private record Run(long rowsBefore, int ofFrame) {}

  private @Nullable Rows block;
  private int atRow;
  private long taken;
  private long settled;
  private long sent;
  private long received;
  private int window = WINDOW;
  private boolean opened;
  private boolean openedBefore;
  private boolean keepsDurable = true;
  private boolean allSent;
  private long skippedRows;
  private int reconnects;
  private Optional<BulkResult.Counts> counts = Optional.empty();
  private final List<RefusedFrame> refused = new ArrayList<>();

  BulkStream(String collection, Iterator<Rows> blocks, long expectedCount, BulkOptions options) {
    this.options = options;
    this.blocks = blocks;
    this.opening =
        BulkInsertRequest.newBuilder()
            .setCollection(collection)
            .setMode(options.mode())
            .setStreamId(
                options.streamId().isEmpty() ? UUID.randomUUID().toString() : options.streamId())
            .setResume(true)
            .setVisibility(options.visibility())
            .setExpectedCount(expectedCount)
            .setWaitSearchable(options.waitSearchable())
            .build();
  }

  /** Begins a connection; returns the message that opens it. */
  byte[] connect() {
    opened = false;
    window = WINDOW;
    return opening.toByteArray();
  }

  /** The connection is gone, and another will follow. */
  void broke() {
    reconnects++;
  }

  /** The next message; null: it must wait for an answer, or {@link #allSent}. */
  byte @Nullable [] next() {
    if (!opened || sent - received >= window) {
      return null;
    }
    Frame frame = again.isEmpty() ? take() : again.poll();
    if (frame == null) {
      return null;
    }
    sent = frame.number;
    BulkInsertRequest head = BulkInsertRequest.newBuilder().setFrameSequence(frame.number).build();
    return frame.rows.encode(head.toByteArray());
  }

  /** Whether the last frame was sent. */
  boolean allSent() {
    return allSent && again.isEmpty();
  }

  /** The next frame of the caller, kept; null where there is none, or no more may be kept. */
  private @Nullable Frame take() {
    if (kept.size() >= KEPT_FRAMES) {
      return null;
    }
    Rows rows = nextRows();
    if (rows == null) {
      allSent = true;
      return null;
    }
    taken++;
    var last = runs.lastEntry();
    if (last == null || last.getValue().ofFrame != rows.count()) {
      runs.put(taken, new Run(rowsUpTo(taken - 1), rows.count()));
    }
    Frame frame = new Frame(taken, rows);
    kept.add(frame);
    return frame;
  }

  private @Nullable Rows nextRows() {
    Rows current = block;
    while (current == null || atRow == current.count()) {
      if (!blocks.hasNext()) {
        return null;
      }
      current = blocks.next();
      block = current;
      atRow = 0;
    }
    int from = atRow;
    atRow = Math.min(current.count(), from + frameRows(current));
    if (options.frameRows() == 0) {
      atRow = fitting(current.payloads(), from, atRow);
    }
    return current.slice(from, atRow);
  }

  /** Behind the last row whose payload fits with those before it into a frame; one fits always. */
  private static int fitting(@Nullable List<byte[]> payloads, int from, int to) {
    long bytes = 0;
    for (int row = from; payloads != null && row < to; row++) {
      bytes += payloads.get(row).length;
      if (bytes > FRAME_PAYLOAD_BYTES && row > from) {
        return row;
      }
    }
    return to;
  }

  private int frameRows(Rows rows) {
    int ofBytes = FRAME_BYTES / (rows.vectors().dimension() * Float.BYTES);
    return options.frameRows() > 0 ? options.frameRows() : Math.clamp(ofBytes, 1, MOST_FRAME_ROWS);
  }

  /** Takes in an answer of the server. */
  void answered(BulkInsertResponse answer) {
    for (var frame : answer.getRefusedFramesList()) {
      refused.add(refusedFrame(frame));
    }
    if (answer.hasOpening()) {
      open(answer.getOpening());
    }
    received = Math.max(received, answer.getReceivedFrameSequence());
    settle(keepsDurable ? answer.getDurableFrameSequence() : answer.getReceivedFrameSequence());
    window = windowUnder(answer.getPressure());
    if (answer.hasSummary() && reconnects == 0) {
      BulkInsertSummary summary = answer.getSummary();
      counts =
          Optional.of(
              new BulkResult.Counts(
                  summary.getInsertedCount(),
                  summary.getUpdatedCount(),
                  summary.getConflictCount()));
    }
    options.progress().accept(rowsUpTo(Math.min(received, taken)));
  }

  /** A server that is about to stop breaks the stream by itself. */
  private int windowUnder(Pressure pressure) {
    return switch (pressure) {
      case PRESSURE_UNSPECIFIED -> window;
      case PRESSURE_THROTTLED -> THROTTLED_WINDOW;
      case PRESSURE_MEMORY, PRESSURE_DISK -> LOW_WINDOW;
      case PRESSURE_DRAINING -> 0;
      case PRESSURE_OK, UNRECOGNIZED -> WINDOW;
    };
  }

  private void open(BulkInsertOpening answer) {
    long mark = answer.getDurableFrameSequence();
    // In mode OS the mark follows when a checkpoint syncs: what is kept would grow without end.
    keepsDurable = answer.getDurabilityMode() != DurabilityMode.DURABILITY_MODE_OS;
    if (mark < settled) {
      throw OmenException.of(
          Status.DATA_LOSS.withDescription(
              ("frames %d to %d of stream %s were acknowledged and are lost, as a power cut may"
                      + " do in durability mode OS: insert these rows again")
                  .formatted(mark + 1, settled, opening.getStreamId())));
    }
    if (!openedBefore && answer.getResumed()) {
      while (taken < mark && take() != null) {
        kept.removeLast(); // an earlier call has written it
      }
      settled = taken;
      skippedRows = rowsUpTo(taken);
    }
    openedBefore = true;
    settle(mark);
    received = mark;
    sent = mark;
    again.clear();
    again.addAll(kept);
    opened = true;
  }

  private void settle(long mark) {
    while (!kept.isEmpty() && kept.element().number <= mark) {
      settled = kept.remove().number;
    }
  }

  private RefusedFrame refusedFrame(io.omendb.proto.v1.RefusedFrame frame) {
    long start = rowsUpTo(frame.getFrameSequence() - 1);
    int count = Math.toIntExact(rowsUpTo(frame.getFrameSequence()) - start);
    List<RefusedFrame.InvalidRow> items =
        frame.getItemsList().stream()
            .map(item ->
                new RefusedFrame.InvalidRow(
                    start + item.getIndex(), item.getField(), item.getValue(), item.getExpected()))
            .toList();
    String name = frame.getReason().name();
    String reason = name.startsWith(REASON_PREFIX) ? name.substring(REASON_PREFIX.length()) : name;
    return new RefusedFrame(start, count, reason, frame.getMessage(), items);
  }

  /** Rows in the first frames. */
  private long rowsUpTo(long frame) {
    var run = runs.floorEntry(frame);
    return run == null
        ? 0
        : run.getValue().rowsBefore + (frame - run.getKey() + 1) * run.getValue().ofFrame;
  }

  BulkResult result() {
    return new BulkResult(
        opening.getStreamId(), rowsUpTo(taken), skippedRows, counts, reconnects, refused);
  }
}
