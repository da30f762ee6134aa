package io.omendb.client;

import io.omendb.proto.v1.Visibility;
import io.omendb.proto.v1.WriteMode;
import java.time.Duration;
import java.util.function.LongConsumer;

/**
 * How a bulk insert goes. {@link #DEFAULT} begins; each method returns a changed copy.
 *
 * @param mode what becomes of ids that are, or are not, there
 * @param streamId under which a later call with the same rows goes on where this one stopped;
 *     empty: a name by chance, for this call alone
 * @param visibility when rows are found; unspecified: the server chooses
 * @param waitSearchable end when all rows are found by searches, not already when they are durable
 * @param frameRows rows a frame, the same where a stream is resumed; 0: 256 KiB of vectors
 * @param stallTimeout time without a word from the server after which it is given up
 * @param progress told how many rows the server has received, on the channel's threads
 */
public record BulkOptions(
    WriteMode mode,
    String streamId,
    Visibility visibility,
    boolean waitSearchable,
    int frameRows,
    Duration stallTimeout,
    LongConsumer progress) {

  /** Upserts, and waits until all rows are found. */
  public static final BulkOptions DEFAULT =
      new BulkOptions(
          WriteMode.WRITE_MODE_UPSERT,
          "",
          Visibility.VISIBILITY_UNSPECIFIED,
          true,
          0,
          Duration.ofMinutes(1),
          received -> {});

  /** In another mode. */
  public BulkOptions withMode(WriteMode newMode) {
    return new BulkOptions(
        newMode, streamId, visibility, waitSearchable, frameRows, stallTimeout, progress);
  }

  /** Under a name, so that a later call may go on with it. */
  public BulkOptions withStreamId(String id) {
    return new BulkOptions(mode, id, visibility, waitSearchable, frameRows, stallTimeout, progress);
  }

  /** With another visibility. */
  public BulkOptions withVisibility(Visibility newVisibility) {
    return new BulkOptions(
        mode, streamId, newVisibility, waitSearchable, frameRows, stallTimeout, progress);
  }

  /** Ends when all rows are durable. */
  public BulkOptions withoutWait() {
    return new BulkOptions(mode, streamId, visibility, false, frameRows, stallTimeout, progress);
  }

  /** With frames of so many rows. */
  public BulkOptions withFrameRows(int rows) {
    return new BulkOptions(
        mode, streamId, visibility, waitSearchable, rows, stallTimeout, progress);
  }

  /** Given up after so long a silence. */
  public BulkOptions withStallTimeout(Duration timeout) {
    return new BulkOptions(
        mode, streamId, visibility, waitSearchable, frameRows, timeout, progress);
  }

  /** Tells how many rows were received. */
  public BulkOptions withProgress(LongConsumer listener) {
    return new BulkOptions(
        mode, streamId, visibility, waitSearchable, frameRows, stallTimeout, listener);
  }
}
