package io.omendb.loadtest.client;

import io.omendb.loadtest.data.Dataset;
import io.omendb.proto.v1.Hit;
import io.omendb.proto.v1.SearchExplain;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.SearchStrategy;
import java.util.EnumSet;
import java.util.Set;

/**
 * How well a collection answers all queries of a set, and by which way it found the answers.
 *
 * @param recall mean recall@10
 * @param distanceComputations mean a query
 * @param unlinkedRows most rows outside the graph that a query was compared with
 * @param strategies every way that was taken
 * @param ef the beam that was used
 */
public record SearchQuality(
    double recall,
    double distanceComputations,
    long unlinkedRows,
    Set<SearchStrategy> strategies,
    int ef) {

  /** Asks every query once; an ef of 0 leaves the choice to the server. */
  public static SearchQuality measure(
      Connection connection, String collection, Dataset set, int ef) {
    long found = 0;
    long distances = 0;
    long unlinkedRows = 0;
    int efUsed = 0;
    Set<SearchStrategy> strategies = EnumSet.noneOf(SearchStrategy.class);
    for (int query = 0; query < set.queries().count(); query++) {
      SearchResponse response =
          connection
              .vectors()
              .search(
                  Searches.request(collection, set.queries().row(query), ef)
                      .setExplain(true)
                      .build());
      long[] ids = response.getHitsList().stream().mapToLong(Hit::getNumericId).toArray();
      found += set.recall().found(query, ids, ids.length);
      SearchExplain explain = response.getExplain();
      distances += explain.getDistanceComputations();
      unlinkedRows = Math.max(unlinkedRows, explain.getUnlinkedRows());
      efUsed = Math.max(efUsed, explain.getEf());
      strategies.add(explain.getStrategy());
    }
    double mean = (double) distances / set.queries().count();
    return new SearchQuality(set.recall().mean(found), mean, unlinkedRows, strategies, efUsed);
  }

  /** Whether every answer came from the graph and from nothing else. */
  public boolean isFromGraphAlone() {
    return unlinkedRows == 0 && strategies.equals(EnumSet.of(SearchStrategy.SEARCH_STRATEGY_GRAPH));
  }
}
