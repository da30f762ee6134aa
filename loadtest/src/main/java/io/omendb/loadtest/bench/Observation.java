package io.omendb.loadtest.bench;

import io.omendb.loadtest.client.SearchLoad;
import io.omendb.loadtest.client.SearchQuality;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.CountResponse;
import io.omendb.proto.v1.ServerStats;

/** What the demo sees of a server at one time. */
record Observation(
    CountResponse count,
    SearchQuality quality,
    SearchLoad.Result searches,
    CollectionStats stats,
    ServerStats server,
    long residentBytes) {}
