package io.omendb.loadtest.client;

import io.omendb.proto.v1.BulkInsertResponse;

/** How far a bulk stream is, in frames. */
record BulkMarks(long received, long durable, long searchable) {

  static final BulkMarks NONE = new BulkMarks(0, 0, 0);

  static BulkMarks of(BulkInsertResponse response) {
    return new BulkMarks(
        response.getReceivedFrameSequence(),
        response.getDurableFrameSequence(),
        response.getSearchableFrameSequence());
  }
}
