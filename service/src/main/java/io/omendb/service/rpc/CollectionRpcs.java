package io.omendb.service.rpc;

import com.google.protobuf.Timestamp;
import io.grpc.stub.StreamObserver;
import io.omendb.engine.Collection;
import io.omendb.engine.CollectionConfig;
import io.omendb.engine.CollectionNotFoundException;
import io.omendb.engine.Database;
import io.omendb.engine.Profile;
import io.omendb.index.Similarity;
import io.omendb.proto.v1.CollectionInfo;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CollectionState;
import io.omendb.proto.v1.CreateCollectionRequest;
import io.omendb.proto.v1.CreateCollectionResponse;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.DropCollectionResponse;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.proto.v1.GetCollectionRequest;
import io.omendb.proto.v1.GetCollectionResponse;
import io.omendb.proto.v1.ListCollectionsRequest;
import io.omendb.proto.v1.ListCollectionsResponse;
import io.omendb.proto.v1.UpdateCollectionRequest;
import io.omendb.proto.v1.UpdateCollectionResponse;
import io.omendb.service.call.Serving;
import io.omendb.service.status.Refusal;
import io.omendb.service.status.Refusals;
import io.omendb.service.write.Acknowledger;
import io.omendb.service.write.WriteQueues;
import io.omendb.storage.api.FailureWords;
import io.omendb.storage.api.IdKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/// The RPCs of CollectionService.
public final class CollectionRpcs extends CollectionServiceGrpc.CollectionServiceImplBase {
  private static final int PAGE_DEFAULT = 100;
  private static final int PAGE_MAX = 1_000;

  private final Serving serving;
  private final GeneratedCalls calls;
  private final Acknowledger acknowledger;
  private final WriteQueues writes;
  private final int maxCollections;

  public CollectionRpcs(
      Serving serving,
      GeneratedCalls calls,
      Acknowledger acknowledger,
      WriteQueues writes,
      int maxCollections) {
    this.writes = writes;
    this.serving = serving;
    this.calls = calls;
    this.acknowledger = acknowledger;
    this.maxCollections = maxCollections;
  }

  @Override
  public void createCollection(
      CreateCollectionRequest request, StreamObserver<CreateCollectionResponse> observer) {
    // Takes room on the disk, which request threads do not wait for.
    calls.runOn(
        writes::executeOnCatalogue,
        observer,
        request.getConfig().getName(),
        answer ->
            answer.send(
                CreateCollectionResponse.newBuilder()
                    .setCollection(info(create(request)))
                    .build()));
  }

  private Collection create(CreateCollectionRequest request) throws Refusal, IOException {
    Database database = serving.database();
    if (!request.hasConfig()) {
      throw Refusals.required("config");
    }
    CollectionConfig config = config(request.getConfig());
    if (database.collections().size() >= maxCollections) {
      throw Refusals.tooMany("collections", maxCollections);
    }
    return database.create(config);
  }

  /// The engine's form of a config, with the defaults filled in.
  static CollectionConfig config(io.omendb.proto.v1.CollectionConfig config) throws Refusal {
    Similarity similarity =
        switch (config.getSimilarity()) {
          case SIMILARITY_L2 -> Similarity.L2;
          case SIMILARITY_COSINE -> Similarity.COSINE;
          case SIMILARITY_INNER_PRODUCT -> Similarity.INNER_PRODUCT;
          case SIMILARITY_UNSPECIFIED -> throw Refusals.required("config.similarity");
          case UNRECOGNIZED ->
              throw Refusals.unknownEnum("config.similarity", config.getSimilarityValue());
        };
    IdKind idKind =
        switch (config.getIdKind()) {
          case ID_KIND_UNSPECIFIED, ID_KIND_NUMERIC -> IdKind.NUMERIC;
          case ID_KIND_STRING -> IdKind.STRING;
          case UNRECOGNIZED ->
              throw Refusals.unknownEnum("config.id_kind", config.getIdKindValue());
        };
    Profile profile =
        switch (config.getProfile()) {
          case PROFILE_UNSPECIFIED, PROFILE_MEMORY -> Profile.MEMORY;
          case PROFILE_SPEED -> Profile.SPEED;
          case UNRECOGNIZED ->
              throw Refusals.unknownEnum("config.profile", config.getProfileValue());
        };
    if (config.getSearchP95TargetUs() != 0) {
      throw Refusals.notImplemented("search_p95_target_us");
    }
    // Its limits are the engine's, whose refusal names the field.
    return new CollectionConfig(
        config.getName(),
        clamped(config.getDimension()),
        similarity,
        idKind,
        config.getM() == 0 ? CollectionConfig.DEFAULT_M : clamped(config.getM()),
        config.getEfConstruction() == 0
            ? CollectionConfig.DEFAULT_EF_CONSTRUCTION
            : clamped(config.getEfConstruction()),
        config.getTargetRecall() == 0
            ? CollectionConfig.DEFAULT_TARGET_RECALL
            : config.getTargetRecall(),
        0,
        profile);
  }

  /// An unsigned field as an int; what does not fit is past any limit all the same.
  private static int clamped(int unsigned) {
    return unsigned < 0 ? Integer.MAX_VALUE : unsigned;
  }

  @Override
  public void getCollection(
      GetCollectionRequest request, StreamObserver<GetCollectionResponse> observer) {
    calls.run(
        observer,
        request.getCollection(),
        () ->
            GetCollectionResponse.newBuilder()
                .setCollection(describe(request.getCollection()))
                .build());
  }

  private CollectionInfo describe(String name) throws Refusal {
    Exception damage = serving.database().quarantined().get(name);
    return damage == null ? info(serving.collection(name)) : quarantined(name, damage);
  }

  /// What is known of a collection that could not be opened.
  private static CollectionInfo quarantined(String name, Exception damage) {
    return CollectionInfo.newBuilder()
        .setConfig(io.omendb.proto.v1.CollectionConfig.newBuilder().setName(name))
        .setState(CollectionState.COLLECTION_STATE_QUARANTINED)
        .setStateMessage(FailureWords.of(damage))
        .build();
  }

  @Override
  public void listCollections(
      ListCollectionsRequest request, StreamObserver<ListCollectionsResponse> observer) {
    calls.run(observer, "", () -> list(request));
  }

  private ListCollectionsResponse list(ListCollectionsRequest request) throws Refusal {
    int page = request.getPageSize() == 0 ? PAGE_DEFAULT : request.getPageSize();
    if (page < 1 || page > PAGE_MAX) {
      throw Refusals.outOfRange(
          "page_size", Integer.toUnsignedLong(page), "1 to " + PAGE_MAX + ", or 0");
    }
    String after = name(request.getPageToken());
    Database database = serving.database();
    NavigableMap<String, CollectionInfo> all = new TreeMap<>();
    for (Collection collection : database.collections()) {
      all.put(collection.config().name(), info(collection));
    }
    database.quarantined().forEach((name, damage) -> all.put(name, quarantined(name, damage)));
    List<CollectionInfo> rest =
        all.tailMap(after, false).values().stream().limit(page + 1L).toList();
    ListCollectionsResponse.Builder response = ListCollectionsResponse.newBuilder();
    response.addAllCollections(rest.subList(0, Math.min(page, rest.size())));
    if (rest.size() > page) {
      response.setNextPageToken(token(rest.get(page - 1).getConfig().getName()));
    }
    return response.build();
  }

  /// Pages are told apart by the last name of the page before, so they stay right while collections
  /// come and go.
  private static String token(String lastName) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(lastName.getBytes(StandardCharsets.UTF_8));
  }

  private static String name(String token) throws Refusal {
    if (token.isEmpty()) {
      return "";
    }
    try {
      String name = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
      if (CollectionConfig.isName(name)) {
        return name;
      }
    } catch (IllegalArgumentException e) {
      throw invalidToken(token);
    }
    throw invalidToken(token);
  }

  private static Refusal invalidToken(String token) {
    return Refusal.invalid(
        ErrorReason.ERROR_REASON_INVALID_PAGE_TOKEN,
        "page_token",
        token,
        "next_page_token of the page before");
  }

  @Override
  public void updateCollection(
      UpdateCollectionRequest request, StreamObserver<UpdateCollectionResponse> observer) {
    observer.onError(Refusals.notImplemented("UpdateCollection").toStatus());
  }

  @Override
  public void dropCollection(
      DropCollectionRequest request, StreamObserver<DropCollectionResponse> observer) {
    calls.runOn(
        writes::executeOnCatalogue,
        observer,
        request.getCollection(),
        answer -> answer.send(drop(request)));
  }

  private DropCollectionResponse drop(DropCollectionRequest request) throws Refusal, IOException {
    Database database = serving.database();
    String name = request.getCollection();
    if (name.isEmpty()) {
      throw Refusals.required("collection");
    }
    try {
      if (!database.quarantined().containsKey(name)) {
        Collection collection = database.collection(name);
        acknowledger.drop(collection);
        writes.drop(collection);
      }
      database.drop(name);
      return DropCollectionResponse.newBuilder().setDropped(true).build();
    } catch (CollectionNotFoundException e) {
      if (request.getAllowMissing()) {
        return DropCollectionResponse.getDefaultInstance();
      }
      throw Refusals.collectionNotFound(name);
    }
  }

  private static CollectionInfo info(Collection collection) {
    CollectionConfig config = collection.config();
    return CollectionInfo.newBuilder()
        .setConfig(
            io.omendb.proto.v1.CollectionConfig.newBuilder()
                .setName(config.name())
                .setDimension(config.dimension())
                .setSimilarity(similarity(config.similarity()))
                .setIdKind(
                    config.idKind() == IdKind.NUMERIC
                        ? io.omendb.proto.v1.IdKind.ID_KIND_NUMERIC
                        : io.omendb.proto.v1.IdKind.ID_KIND_STRING)
                .setM(config.m())
                .setEfConstruction(config.efConstruction())
                .setTargetRecall(config.targetRecall())
                .setSearchP95TargetUs((int) config.searchP95TargetMicros())
                .setProfile(
                    config.profile() == Profile.MEMORY
                        ? io.omendb.proto.v1.Profile.PROFILE_MEMORY
                        : io.omendb.proto.v1.Profile.PROFILE_SPEED))
        .setState(CollectionState.COLLECTION_STATE_READY)
        .setCreateTime(timestamp(collection.createdMillis()))
        .setCount(collection.rows().liveCount())
        .build();
  }

  private static io.omendb.proto.v1.Similarity similarity(Similarity similarity) {
    return switch (similarity) {
      case L2 -> io.omendb.proto.v1.Similarity.SIMILARITY_L2;
      case COSINE -> io.omendb.proto.v1.Similarity.SIMILARITY_COSINE;
      case INNER_PRODUCT -> io.omendb.proto.v1.Similarity.SIMILARITY_INNER_PRODUCT;
    };
  }

  static Timestamp timestamp(long millis) {
    return Timestamp.newBuilder()
        .setSeconds(Math.floorDiv(millis, 1000L))
        .setNanos((int) Math.floorMod(millis, 1000L) * 1_000_000)
        .build();
  }
}
