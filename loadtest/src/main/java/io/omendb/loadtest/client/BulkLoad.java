package io.omendb.loadtest.client;

import io.grpc.Channel;
import io.omendb.loadtest.report.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToLongFunction;

/**
 * Sends a set over bulk streams and takes the times at which all of it was acknowledged, was
 * durable and was searchable.
 */
public final class BulkLoad {

  /**
   * Seconds from the first byte sent until the server had said so of every row.
   *
   * @param acknowledged written to the log
   * @param durable synced to the device
   * @param searchable seen by Search
   */
  public record Times(double acknowledged, double durable, double searchable) {}

  private final BulkFrames frames;
  private final Progress progress;
  private final BulkMarks[] marks;
  private final long start = System.nanoTime();
  private long acknowledgedNanos;
  private long durableNanos;
  private long searchableNanos;

  private BulkLoad(BulkFrames frames, int streams, Progress progress) {
    this.frames = frames;
    this.progress = progress;
    this.marks = new BulkMarks[streams];
    Arrays.fill(marks, BulkMarks.NONE);
  }

  /**
   * Sends all frames, a stream over each channel as far as there are frames, and returns when the
   * server has ended every stream.
   *
   * @throws io.grpc.StatusRuntimeException if it ended one with an error or refused a frame
   */
  public static Times run(List<? extends Channel> channels, BulkFrames frames, Progress progress) {
    // A stream that ends without a frame names no collection, which the server refuses.
    List<? extends Channel> used =
        channels.subList(0, Math.min(channels.size(), frames.frameCount()));
    return new BulkLoad(frames, used.size(), progress).run(used);
  }

  private Times run(List<? extends Channel> channels) {
    List<CompletableFuture<Void>> ends = new ArrayList<>();
    for (int i = 0; i < channels.size(); i++) {
      int stream = i;
      BulkStream bulk =
          new BulkStream(
              channels.get(i),
              index -> frames.frame(stream, index),
              frames.frameCount(stream),
              newMarks -> onMarks(stream, newMarks));
      ends.add(bulk.start());
    }
    CompletableFuture.allOf(ends.toArray(new CompletableFuture<?>[0])).join();
    return times(System.nanoTime());
  }

  private synchronized void onMarks(int stream, BulkMarks newMarks) {
    long before = marks[stream].received();
    marks[stream] = newMarks;
    progress.add(frames.rowsUpTo(stream, newMarks.received()) - frames.rowsUpTo(stream, before));
    long now = System.nanoTime();
    if (acknowledgedNanos == 0 && total(BulkMarks::received) == frames.frameCount()) {
      acknowledgedNanos = now;
    }
    if (durableNanos == 0 && total(BulkMarks::durable) == frames.frameCount()) {
      durableNanos = now;
    }
    if (searchableNanos == 0 && total(BulkMarks::searchable) == frames.frameCount()) {
      searchableNanos = now;
    }
  }

  private long total(ToLongFunction<BulkMarks> mark) {
    return Arrays.stream(marks).mapToLong(mark).sum();
  }

  /** What no mark told, the end of the streams did: they end when all is durable and searchable. */
  private synchronized Times times(long end) {
    return new Times(
        seconds(acknowledgedNanos, end), seconds(durableNanos, end), seconds(searchableNanos, end));
  }

  private double seconds(long nanos, long end) {
    return ((nanos == 0 ? end : nanos) - start) / 1e9;
  }
}
