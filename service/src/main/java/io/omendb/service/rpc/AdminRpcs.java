package io.omendb.service.rpc;

import io.grpc.stub.StreamObserver;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionConfig;
import io.omendb.index.distance.VectorWidth;
import io.omendb.index.hnsw.IndexFootprint;
import io.omendb.index.hnsw.Scoring;
import io.omendb.proto.v1.AdminServiceGrpc;
import io.omendb.proto.v1.BytesByPath;
import io.omendb.proto.v1.CheckpointRequest;
import io.omendb.proto.v1.CheckpointResponse;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.proto.v1.EstimateFootprintRequest;
import io.omendb.proto.v1.EstimateFootprintResponse;
import io.omendb.proto.v1.Footprint;
import io.omendb.proto.v1.OptimizeRequest;
import io.omendb.proto.v1.OptimizeResponse;
import io.omendb.proto.v1.ServerStats;
import io.omendb.proto.v1.SnapshotRequest;
import io.omendb.proto.v1.SnapshotResponse;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.StatsResponse;
import io.omendb.proto.v1.VerifyRequest;
import io.omendb.proto.v1.VerifyResponse;
import io.omendb.service.call.Serving;
import io.omendb.service.config.Version;
import io.omendb.service.metrics.ProcessMemory;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.wire.ByteCounters;
import io.omendb.service.wire.BytePath;
import io.omendb.service.write.Acknowledger;
import io.omendb.storage.StorageFootprint;
import io.omendb.storage.api.Durability;
import io.omendb.storage.api.WriteLimits;
import java.lang.management.ManagementFactory;
import java.util.Comparator;
import java.util.List;

/// The RPCs of AdminService: Stats, and the ones that are not built yet.
public final class AdminRpcs extends AdminServiceGrpc.AdminServiceImplBase {
  /// Name of a collection that is only asked about.
  private static final String UNNAMED = "unnamed";

  private static final int USUAL_STRING_ID_BYTES = 16;

  private final Serving serving;
  private final GeneratedCalls calls;
  private final Acknowledger acknowledger;
  private final ByteCounters counters;
  private final Durability durability;

  public AdminRpcs(
      Serving serving,
      GeneratedCalls calls,
      Acknowledger acknowledger,
      ByteCounters counters,
      Durability durability) {
    this.serving = serving;
    this.calls = calls;
    this.acknowledger = acknowledger;
    this.counters = counters;
    this.durability = durability;
  }

  @Override
  public void stats(StatsRequest request, StreamObserver<StatsResponse> observer) {
    calls.run(observer, request.getCollection(), () -> stats(request));
  }

  private StatsResponse stats(StatsRequest request) throws Refusal {
    boolean one = !request.getCollection().isEmpty();
    if (request.getIncludeGraphHash() && !one) {
      throw Refusals.required("collection");
    }
    List<Collection> collections =
        one
            ? List.of(serving.collection(request.getCollection()))
            : serving.database().collections().stream()
                .sorted(Comparator.comparing(collection -> collection.config().name()))
                .toList();
    StatsResponse.Builder response = StatsResponse.newBuilder().setServer(serverStats());
    for (Collection collection : collections) {
      response.addCollections(collectionStats(collection, request.getIncludeGraphHash()));
    }
    return response.build();
  }

  private CollectionStats collectionStats(Collection collection, boolean graphHash) {
    var stats = collection.stats(graphHash);
    CollectionStats.Builder told =
        CollectionStats.newBuilder()
            .setCollection(collection.config().name())
            .setLiveCount(stats.liveCount())
            .setDeletedCount(stats.deletedCount())
            .setLinkedCount(stats.linkedCount())
            .setUnlinkedCount(stats.unlinkedCount())
            .setUnbuiltCount(stats.unbuiltCount())
            .setCommitSequence(collection.lastSequence())
            .setDurableSequence(stats.durableSequence())
            .setVisibleSequence(stats.visibleSequence())
            .setCheckpointSequence(stats.checkpointSequence())
            .setDefaultEf(stats.defaultEf())
            .setScoring(scoring(stats.calibration().scoring()))
            .setDefaultReach(stats.calibration().reach())
            .setUnverifiedBytes(stats.unverifiedBytes())
            .setSearchCount(stats.searchCount())
            .setBruteForceFallbackCount(stats.fallbackCount())
            .setOpenStreamCount(acknowledger.streamCount(collection))
            .setFootprint(
                footprint(stats.footprint())
                    .setWalBytes(stats.walBytes())
                    .setDiskBytes(collection.diskBytes()));
    if (!Double.isNaN(stats.calibratedRecall())) {
      told.setCalibratedRecall(stats.calibratedRecall());
    }
    if (!Double.isNaN(stats.buildProgress())) {
      told.setBuildProgress((float) stats.buildProgress());
    }
    String fault = stats.fault();
    if (fault != null) {
      told.setFault(fault);
    }
    String hash = stats.graphHash();
    if (hash != null) {
      told.setGraphHash(hash);
    }
    return told.build();
  }

  private static io.omendb.proto.v1.Scoring scoring(Scoring scoring) {
    return switch (scoring) {
      case CODES -> io.omendb.proto.v1.Scoring.SCORING_CODES;
      case BLOCKS -> io.omendb.proto.v1.Scoring.SCORING_BLOCKS;
      case VECTORS -> io.omendb.proto.v1.Scoring.SCORING_VECTORS;
    };
  }

  private static Footprint.Builder footprint(io.omendb.engine.Footprint footprint) {
    StorageFootprint storage = footprint.storage();
    IndexFootprint index = footprint.index();
    return Footprint.newBuilder()
        .setVectorBytes(storage.vectors())
        .setIdBytes(storage.rows() + storage.idIndex())
        .setPayloadBytes(storage.heap())
        .setCodeBytes(index.codes() + index.blocks())
        .setGraphBytes(index.graph())
        .setMemoryBytes(footprint.memoryBytes());
  }

  private ServerStats serverStats() throws Refusal {
    Runtime runtime = Runtime.getRuntime();
    return ServerStats.newBuilder()
        .setVersion(Version.NAME)
        .setStartTime(CollectionRpcs.timestamp(ManagementFactory.getRuntimeMXBean().getStartTime()))
        .setDurabilityMode(durabilityMode(durability))
        .setDurabilityIntervalMs(
            durability instanceof Durability.Interval(var period) ? (int) period.toMillis() : 0)
        .setKernels(kernels())
        .setHeapUsedBytes(runtime.totalMemory() - runtime.freeMemory())
        .setHeapMaxBytes(runtime.maxMemory())
        .setResidentBytes(ProcessMemory.residentBytes())
        .setQuarantinedCount(serving.database().quarantined().size())
        .setVectorBytesByPath(
            BytesByPath.newBuilder()
                .setDirectBytes(counters.bytes(BytePath.DIRECT))
                .setHeapBytes(counters.bytes(BytePath.HEAP))
                .setFallbackBytes(counters.bytes(BytePath.FALLBACK)))
        .build();
  }

  private static String kernels() {
    VectorWidth width = VectorWidth.current();
    return width == VectorWidth.SCALAR ? "scalar" : "simd-" + width.bits();
  }

  @Override
  public void optimize(OptimizeRequest request, StreamObserver<OptimizeResponse> observer) {
    observer.onError(Refusals.notImplemented("Optimize").toStatus());
  }

  @Override
  public void checkpoint(CheckpointRequest request, StreamObserver<CheckpointResponse> observer) {
    observer.onError(Refusals.notImplemented("Checkpoint").toStatus());
  }

  @Override
  public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> observer) {
    observer.onError(Refusals.notImplemented("Snapshot").toStatus());
  }

  @Override
  public void verify(VerifyRequest request, StreamObserver<VerifyResponse> observer) {
    observer.onError(Refusals.notImplemented("Verify").toStatus());
  }

  @Override
  public void estimateFootprint(
      EstimateFootprintRequest request, StreamObserver<EstimateFootprintResponse> observer) {
    calls.run(observer, "", () -> estimateFootprint(request));
  }

  /** A length of 0 to {@code most}; an unsigned one beyond int32 comes as a negative number. */
  private static int checked(String field, int bytes, int most) throws Refusal {
    if (bytes < 0 || bytes > most) {
      throw Refusals.outOfRange(field, Integer.toUnsignedLong(bytes), "0 to " + most);
    }
    return bytes;
  }

  private static EstimateFootprintResponse estimateFootprint(EstimateFootprintRequest request)
      throws Refusal {
    if (!request.hasConfig()) {
      throw Refusals.required("config");
    }
    io.omendb.proto.v1.CollectionConfig config = request.getConfig();
    if (config.getName().isEmpty()) {
      config = config.toBuilder().setName(UNNAMED).build();
    }
    long count = request.getCount();
    if (count < 1 || count > Integer.MAX_VALUE) {
      throw Refusals.outOfRange("count", count, "1 to " + Integer.MAX_VALUE);
    }
    int payload =
        checked("payload_bytes", request.getPayloadBytes(), WriteLimits.MAX_PAYLOAD_BYTES);
    int stringId =
        checked("string_id_bytes", request.getStringIdBytes(), WriteLimits.MAX_STRING_ID_BYTES);
    CollectionConfig checked = CollectionRpcs.config(config);
    io.omendb.engine.Footprint footprint =
        io.omendb.engine.Footprint.of(
            checked, count, payload, stringId == 0 ? USUAL_STRING_ID_BYTES : stringId);
    return EstimateFootprintResponse.newBuilder()
        .setFootprint(footprint(footprint).setDiskBytes(footprint.diskBytes()))
        .setMemoryBytesPerVector((double) footprint.memoryBytes() / count)
        .setPeakMemoryBytes(footprint.peakMemoryBytes(checked, count))
        .setPeakDiskBytes(footprint.peakDiskBytes())
        .build();
  }

  public static DurabilityMode durabilityMode(Durability durability) {
    return switch (durability) {
      case Durability.Always _ -> DurabilityMode.DURABILITY_MODE_ALWAYS;
      case Durability.Interval _ -> DurabilityMode.DURABILITY_MODE_INTERVAL;
      case Durability.Os _ -> DurabilityMode.DURABILITY_MODE_OS;
    };
  }
}
