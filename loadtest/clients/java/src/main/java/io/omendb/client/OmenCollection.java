package io.omendb.client;

import static io.omendb.client.OmenClient.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.MethodDescriptor;
import io.omendb.proto.v1.CollectionInfo;
import io.omendb.proto.v1.CollectionServiceGrpc;
import io.omendb.proto.v1.CollectionStats;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.DeleteRequest;
import io.omendb.proto.v1.GetCollectionRequest;
import io.omendb.proto.v1.GetRequest;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.InsertResponse;
import io.omendb.proto.v1.SearchBatchRequest;
import io.omendb.proto.v1.SearchExplain;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.proto.v1.VectorServiceGrpc;
import io.omendb.proto.v1.WriteMode;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The data of a collection. Thread-safe. Of each call there is one that returns a future. */
public final class OmenCollection {
  private final OmenClient client;
  private final String name;

  OmenCollection(OmenClient client, String name) {
    this.client = client;
    this.name = name;
  }

  /** Its name. */
  public String name() {
    return name;
  }

  /** Settings, state and count. */
  public CollectionInfo info() {
    GetCollectionRequest request = GetCollectionRequest.newBuilder().setCollection(name).build();
    return await(call(CollectionServiceGrpc.getGetCollectionMethod(), request)).getCollection();
  }

  /** Writes up to 65,536 rows as one unit, all or none; searches find them when it returns. */
  public InsertResponse insert(Rows rows) {
    return insert(rows, WriteMode.WRITE_MODE_UPSERT);
  }

  /** The same in another mode; the answer tells conflicts. */
  public InsertResponse insert(Rows rows, WriteMode mode) {
    return await(insertAsync(rows, mode));
  }

  /** {@link #insert(Rows, WriteMode)} with a future. */
  public CompletableFuture<InsertResponse> insertAsync(Rows rows, WriteMode mode) {
    InsertRequest head = InsertRequest.newBuilder().setCollection(name).setMode(mode).build();
    return client.call(
        VectorServiceGrpc.getInsertMethod(),
        rows.encode(head.toByteArray()),
        mode == WriteMode.WRITE_MODE_UPSERT);
  }

  /**
   * Writes any number of rows as a stream, which goes on by itself after a break or a restart of
   * the server. The rows must stay as they are until it has ended.
   */
  public BulkResult bulkInsert(Rows rows, BulkOptions options) {
    return await(bulkInsertAsync(rows, options));
  }

  /** {@link #bulkInsert(Rows, BulkOptions)} with a future, whose cancelling ends the stream. */
  public CompletableFuture<BulkResult> bulkInsertAsync(Rows rows, BulkOptions options) {
    return bulk(List.of(rows).iterator(), rows.count(), options);
  }

  /** The same of rows that come block by block, asked for on the channel's threads. */
  public CompletableFuture<BulkResult> bulkInsertAsync(Iterator<Rows> blocks, BulkOptions options) {
    return bulk(blocks, 0, options);
  }

  private CompletableFuture<BulkResult> bulk(
      Iterator<Rows> blocks, long expectedCount, BulkOptions options) {
    BulkStream stream = new BulkStream(name, blocks, expectedCount, options);
    return new BulkCall(client, stream, options.stallTimeout()).start();
  }

  /** The nearest records. */
  public Hits search(float[] query, SearchOptions options) {
    return await(searchAsync(query, options));
  }

  /** The k nearest records. */
  public List<Hit> search(float[] query, int k) {
    return search(query, SearchOptions.k(k)).hits();
  }

  /** {@link #search(float[], SearchOptions)} with a future. */
  public CompletableFuture<Hits> searchAsync(float[] query, SearchOptions options) {
    SearchRequest.Builder request =
        SearchRequest.newBuilder()
            .setCollection(name)
            .setK(options.k())
            .setEf(options.ef())
            .setExact(options.exact())
            .setVectorLe(bytes(Vectors.of(query)))
            .setMinVisibleSequence(options.minVisibleSequence())
            .setIncludeVectors(options.vectors())
            .setIncludePayloads(options.payloads())
            .setExplain(options.explain())
            .setVectorFormat(VectorFormat.VECTOR_FORMAT_BYTES_LE);
    options.maxDistance().ifPresent(distance -> request.setMaxDistance((float) distance));
    return call(VectorServiceGrpc.getSearchMethod(), request.build())
        .thenApply(answer ->
            hits(
                answer.getHitsList(),
                answer.getVisibleSequence(),
                answer.hasExplain() ? Optional.of(answer.getExplain()) : Optional.empty()));
  }

  /** The nearest records of each of up to 1,024 queries, in their order. */
  public List<Hits> searchBatch(Vectors queries, SearchOptions options) {
    return await(searchBatchAsync(queries, options));
  }

  /** {@link #searchBatch(Vectors, SearchOptions)} with a future. */
  public CompletableFuture<List<Hits>> searchBatchAsync(Vectors queries, SearchOptions options) {
    SearchBatchRequest.Builder request =
        SearchBatchRequest.newBuilder()
            .setCollection(name)
            .setK(options.k())
            .setEf(options.ef())
            .setExact(options.exact())
            .setVectorsLe(bytes(queries))
            .setMinVisibleSequence(options.minVisibleSequence())
            .setIncludeVectors(options.vectors())
            .setIncludePayloads(options.payloads())
            .setExplain(options.explain())
            .setVectorFormat(VectorFormat.VECTOR_FORMAT_BYTES_LE);
    options.maxDistance().ifPresent(distance -> request.setMaxDistance((float) distance));
    return call(VectorServiceGrpc.getSearchBatchMethod(), request.build())
        .thenApply(answer ->
            answer.getResultsList().stream()
                .map(result ->
                    hits(
                        result.getHitsList(),
                        answer.getVisibleSequence(),
                        result.hasExplain() ? Optional.of(result.getExplain()) : Optional.empty()))
                .toList());
  }

  private static Hits hits(
      List<io.omendb.proto.v1.Hit> hits, long visible, Optional<SearchExplain> explain) {
    return new Hits(hits.stream().map(Hit::of).toList(), visible, explain);
  }

  /** The array is this call's own: nobody else writes to it. */
  private static ByteString bytes(Vectors vectors) {
    byte[] bytes = new byte[Math.toIntExact(vectors.floats().byteSize())];
    vectors.copyTo(bytes, 0);
    return UnsafeByteOperations.unsafeWrap(bytes);
  }

  /** Reads up to 10,000 records; those that are not there are left out. */
  public List<StoredRecord> get(Ids ids) {
    return await(getAsync(ids));
  }

  /** {@link #get(Ids)} with a future. */
  public CompletableFuture<List<StoredRecord>> getAsync(Ids ids) {
    GetRequest.Builder request =
        GetRequest.newBuilder()
            .setCollection(name)
            .setIncludeVectors(true)
            .setIncludePayloads(true)
            .setVectorFormat(VectorFormat.VECTOR_FORMAT_BYTES_LE);
    ids.forEach(request::addNumericIds, request::addStringIdsBytes);
    return call(VectorServiceGrpc.getGetMethod(), request.build())
        .thenApply(answer ->
            answer.getRecordsList().stream()
                .map(found ->
                    new StoredRecord(
                        found.getNumericId(),
                        found.getStringId(),
                        found.getPayload().toByteArray(),
                        Hit.floats(found.getVectorLe())))
                .toList());
  }

  /** Deletes up to 65,536 records as one unit; returns how many were there. */
  public int delete(Ids ids) {
    return await(deleteAsync(ids));
  }

  /** {@link #delete(Ids)} with a future. */
  public CompletableFuture<Integer> deleteAsync(Ids ids) {
    DeleteRequest.Builder request = DeleteRequest.newBuilder().setCollection(name);
    ids.forEach(request::addNumericIds, request::addStringIdsBytes);
    return call(VectorServiceGrpc.getDeleteMethod(), request.build())
        .thenApply(answer -> answer.getDeletedCount());
  }

  /** Live records. */
  public long count() {
    CountRequest request = CountRequest.newBuilder().setCollection(name).build();
    return await(call(VectorServiceGrpc.getCountMethod(), request)).getCount();
  }

  /** Counts, sizes, sequences and quality. */
  public CollectionStats stats() {
    return client.stats(name).getCollections(0);
  }

  /** Removes it and its data for good; returns whether it was there. */
  public boolean drop() {
    return client.dropCollection(name);
  }

  private <T> CompletableFuture<T> call(MethodDescriptor<?, T> method, MessageLite request) {
    return client.call(method, request.toByteArray(), true);
  }
}
