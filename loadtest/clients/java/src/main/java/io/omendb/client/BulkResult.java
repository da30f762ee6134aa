package io.omendb.client;

import java.util.List;
import java.util.Optional;

/**
 * What a bulk insert did.
 *
 * @param streamId under which it went
 * @param rowCount rows that the server has settled, refused ones included
 * @param skippedCount of them, rows that an earlier call with this stream id had written
 * @param counts inserted and updated rows and conflicts; empty where a break lost them
 * @param reconnects how often the stream broke and was resumed
 * @param refused frames of which nothing was applied; all others were
 */
public record BulkResult(
    String streamId,
    long rowCount,
    long skippedCount,
    Optional<Counts> counts,
    int reconnects,
    List<RefusedFrame> refused) {
  /** The refused frames are not to be changed. */
  public BulkResult {
    refused = List.copyOf(refused);
  }

  /**
   * Rows by what became of them.
   *
   * @param inserted whose id was not there
   * @param updated that replaced a record
   * @param conflicts not applied, by the mode
   */
  public record Counts(long inserted, long updated, long conflicts) {}
}
