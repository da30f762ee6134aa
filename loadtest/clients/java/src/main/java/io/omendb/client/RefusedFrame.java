package io.omendb.client;

import java.util.List;

/**
 * A frame of a bulk insert of which nothing was applied.
 *
 * @param start position of its first row in what the caller gave
 * @param count its rows
 * @param reason name of an {@link io.omendb.proto.v1.ErrorReason}
 * @param message a sentence
 * @param items the first invalid rows, at most ten
 */
public record RefusedFrame(
    long start, int count, String reason, String message, List<InvalidRow> items) {
  /** The items are not to be changed. */
  public RefusedFrame {
    items = List.copyOf(items);
  }

  /**
   * A fault in a row.
   *
   * @param row position in what the caller gave
   * @param field path in the frame
   * @param value what was there
   * @param expected what should be there
   */
  public record InvalidRow(long row, String field, String value, String expected) {}
}
