package io.omendb.service;

import static io.omendb.service.ServerFixture.failureOf;
import static io.omendb.service.ServerFixture.rows;
import static io.omendb.service.ServerFixture.vectorOf;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.omendb.proto.v1.ConflictReason;
import io.omendb.proto.v1.DeleteRequest;
import io.omendb.proto.v1.GetRequest;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.InsertRequest;
import io.omendb.proto.v1.InsertResponse;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.SearchResponse;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.VectorFormat;
import io.omendb.proto.v1.WriteMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Insert, Get, Delete and Search through a real server: what goes in comes out.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class InsertTest {
  private ServerFixture fixture;

  @BeforeAll
  void start(@TempDir Path data) {
    fixture = ServerFixture.start(data, Map.of());
  }

  @AfterAll
  void stop() {
    fixture.close();
  }

  @Test
  void rowsAreFoundAsSoonAsTheyAreAcknowledged() {
    fixture.create("own_writes", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    for (int i = 0; i < 60; i++) {
      InsertResponse inserted = fixture.vectors().insert(rows("own_writes", i * 3L, 3));
      assertEquals(3, inserted.getInsertedCount());
      SearchResponse found =
          fixture
              .vectors()
              .search(
                  SearchRequest.newBuilder()
                      .setCollection("own_writes")
                      .setK(1)
                      .addAllVector(vectorOf(i * 3L))
                      // An acknowledged insert is visible, whether one asks for it or not.
                      .setMinVisibleSequence(i % 4 == 0 ? inserted.getCommitSequence() : 0)
                      .build());
      assertEquals(i * 3L, found.getHits(0).getNumericId());
      assertEquals(0f, found.getHits(0).getDistance());
      assertTrue(found.getVisibleSequence() >= inserted.getCommitSequence());
    }
  }

  @Test
  void bothTwinsStoreTheSameBits() {
    fixture.create("twins", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    float[] vector = {0.1f, -0.0f, Float.MIN_VALUE, 1e18f};
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    InsertRequest.Builder floats =
        InsertRequest.newBuilder().setCollection("twins").addNumericIds(1);
    for (float component : vector) {
      bytes.putFloat(component);
      floats.addVectors(component);
    }
    insert(floats.build());
    insert(
        InsertRequest.newBuilder()
            .setCollection("twins")
            .addNumericIds(2)
            .setVectorsLe(ByteString.copyFrom(bytes.array()))
            .build());
    GetRequest.Builder get =
        GetRequest.newBuilder()
            .setCollection("twins")
            .addNumericIds(1)
            .addNumericIds(7)
            .addNumericIds(2)
            .setIncludeVectors(true);
    var found = fixture.vectors().get(get.build());
    assertEquals(List.of(7L), found.getMissingNumericIdsList());
    for (var row : found.getRecordsList()) {
      for (int i = 0; i < vector.length; i++) {
        assertEquals(Float.floatToRawIntBits(vector[i]), Float.floatToRawIntBits(row.getVector(i)));
      }
    }
    var raw =
        fixture.vectors().get(get.setVectorFormat(VectorFormat.VECTOR_FORMAT_BYTES_LE).build());
    assertEquals(ByteString.copyFrom(bytes.array()), raw.getRecords(0).getVectorLe());
    assertEquals(ByteString.copyFrom(bytes.array()), raw.getRecords(1).getVectorLe());
  }

  @Test
  void modesAndConflicts() {
    fixture.create("modes", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    insert(rows("modes", 0, 2));
    InsertResponse only =
        insert(rows("modes", 1, 3).toBuilder().setMode(WriteMode.WRITE_MODE_INSERT_ONLY).build());
    assertEquals(2, only.getInsertedCount());
    assertEquals(1, only.getConflictCount());
    assertEquals(0, only.getConflicts(0).getIndex());
    assertEquals(ConflictReason.CONFLICT_REASON_ID_EXISTS, only.getConflicts(0).getReason());
    InsertResponse update =
        insert(rows("modes", 3, 2).toBuilder().setMode(WriteMode.WRITE_MODE_UPDATE_ONLY).build());
    assertEquals(1, update.getUpdatedCount());
    assertEquals(1, update.getConflicts(0).getIndex());
    assertEquals(ConflictReason.CONFLICT_REASON_ID_NOT_FOUND, update.getConflicts(0).getReason());
    InsertResponse nothing =
        insert(rows("modes", 0, 2).toBuilder().setMode(WriteMode.WRITE_MODE_INSERT_ONLY).build());
    assertEquals(2, nothing.getConflictCount());
    assertTrue(nothing.getCommitSequence() >= update.getCommitSequence());
    InsertResponse upsert = insert(rows("modes", 3, 2));
    assertEquals(1, upsert.getInsertedCount());
    assertEquals(1, upsert.getUpdatedCount());
    assertEquals(5, fixture.count("modes"));
  }

  @Test
  void stringIdsPayloadsAndDelete() {
    fixture.create("strings", Similarity.SIMILARITY_COSINE, IdKind.ID_KIND_STRING);
    insert(
        InsertRequest.newBuilder()
            .setCollection("strings")
            .addStringIds("ünï")
            .addStringIds("b")
            .addAllVectors(List.of(1f, 0f, 0f, 0f, 0f, 2f, 0f, 0f))
            .addPayloads(ByteString.copyFromUtf8("first"))
            .addPayloads(ByteString.EMPTY)
            .build());
    SearchRequest search =
        SearchRequest.newBuilder()
            .setCollection("strings")
            .setK(2)
            .addAllVector(List.of(9f, 0f, 0f, 0f))
            .setIncludePayloads(true)
            .setIncludeVectors(true)
            .setExplain(true)
            .build();
    SearchResponse found = fixture.vectors().search(search);
    assertEquals("ünï", found.getHits(0).getStringId());
    assertEquals("first", found.getHits(0).getPayload().toStringUtf8());
    assertEquals(List.of(1f, 0f, 0f, 0f), found.getHits(0).getVectorList());
    assertEquals("b", found.getHits(1).getStringId());
    assertEquals(1f, found.getHits(1).getDistance());
    assertTrue(found.getExplain().getTotalNs() > 0);

    SearchResponse near = fixture.vectors().search(search.toBuilder().setMaxDistance(0.5f).build());
    assertEquals(1, near.getHitsCount());

    var deleted =
        fixture
            .vectors()
            .delete(
                DeleteRequest.newBuilder()
                    .setCollection("strings")
                    .addStringIds("ünï")
                    .addStringIds("none")
                    .build());
    assertEquals(1, deleted.getDeletedCount());
    assertEquals(1, deleted.getMissingCount());
    assertEquals("b", fixture.vectors().search(search).getHits(0).getStringId());
    assertEquals(1, fixture.count("strings"));
    var missing =
        fixture
            .vectors()
            .get(GetRequest.newBuilder().setCollection("strings").addStringIds("ünï").build());
    assertEquals(List.of("ünï"), missing.getMissingStringIdsList());
  }

  @Test
  void aSequenceThatWasNeverGivenIsRefused() {
    fixture.create("sequences", Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
    long sequence = insert(rows("sequences", 0, 1)).getCommitSequence();
    var failure =
        failureOf(() ->
            fixture
                .vectors()
                .search(
                    SearchRequest.newBuilder()
                        .setCollection("sequences")
                        .setK(1)
                        .addAllVector(List.of(1f, 1f, 0f, 0f))
                        .setMinVisibleSequence(sequence + 1_000)
                        .build()));
    assertEquals(Status.Code.FAILED_PRECONDITION, failure.code());
    assertEquals("SEQUENCE_NOT_ISSUED", failure.reason());
  }

  private InsertResponse insert(InsertRequest request) {
    return fixture.vectors().insert(request);
  }
}
