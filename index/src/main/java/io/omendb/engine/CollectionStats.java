package io.omendb.engine;

import org.jspecify.annotations.Nullable;

/**
 * Figures of a collection at one moment. {@code liveCount = linkedCount + unlinkedCount +
 * unbuiltCount}.
 *
 * @param liveCount visible rows that are not dead
 * @param deletedCount dead rows whose room is not reclaimed
 * @param linkedCount live rows in the graph
 * @param unlinkedCount live rows that are searchable and not in the graph
 * @param unbuiltCount live rows that become searchable with the build
 * @param replacedCount of the unbuilt, those whose replaced row is found until they are
 * @param writtenSequence last log position handed to the operating system
 * @param durableSequence last log position on the device
 * @param visibleSequence last log position that reads see
 * @param checkpointSequence log position of the newest checkpoint
 * @param calibration what a search does that names no ef
 * @param footprint what it takes
 * @param walBytes log bytes since the checkpoint
 * @param unverifiedBytes truth not compared with its checksums since the start
 * @param searchCount searches answered
 * @param fallbackCount searches that the graph should have answered and could not
 * @param buildProgress share of a running bulk build that is done; NaN: none runs
 * @param fault why rows are not linked at the moment; null: they are
 * @param graphHash hash of the graph in hex, if asked for and nothing waits to be linked
 */
public record CollectionStats(
    long liveCount,
    long deletedCount,
    long linkedCount,
    long unlinkedCount,
    long unbuiltCount,
    long replacedCount,
    long writtenSequence,
    long durableSequence,
    long visibleSequence,
    long checkpointSequence,
    Calibration calibration,
    Footprint footprint,
    long walBytes,
    long unverifiedBytes,
    long searchCount,
    long fallbackCount,
    double buildProgress,
    @Nullable String fault,
    @Nullable String graphHash) {
  /** Beam of a search for ten rows that names none; 0: it compares all rows. */
  public int defaultEf() {
    return calibration.ef();
  }

  /** Recall@10 measured for it; NaN before the first calibration. */
  public double calibratedRecall() {
    return calibration.recall();
  }

  /** Ids that searches find. */
  public long searchableCount() {
    return liveCount - unbuiltCount + replacedCount;
  }
}
