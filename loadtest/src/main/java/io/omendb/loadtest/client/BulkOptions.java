package io.omendb.loadtest.client;

import io.omendb.proto.v1.Visibility;

/**
 * How a set is sent.
 *
 * @param streams bulk streams side by side, each over a connection of its own
 * @param frameVectors vectors a frame
 * @param visibility when the rows become searchable
 */
public record BulkOptions(int streams, int frameVectors, Visibility visibility) {

  /** Checks the numbers. */
  public BulkOptions {
    if (streams < 1 || frameVectors < 1) {
      throw new IllegalArgumentException(
          "streams=" + streams + ", frameVectors=" + frameVectors + ", expected 1 or more");
    }
  }
}
