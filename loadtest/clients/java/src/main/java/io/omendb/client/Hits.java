package io.omendb.client;

import io.omendb.proto.v1.SearchExplain;
import java.util.List;
import java.util.Optional;

/**
 * The answer to one query.
 *
 * @param hits by ascending distance
 * @param visibleSequence every write up to it was visible to the search
 * @param explain if asked for
 */
public record Hits(List<Hit> hits, long visibleSequence, Optional<SearchExplain> explain) {
  /** The hits are not to be changed. */
  public Hits {
    hits = List.copyOf(hits);
  }
}
