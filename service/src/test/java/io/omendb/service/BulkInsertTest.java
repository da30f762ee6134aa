package io.omendb.service;

import static io.omendb.service.BulkClient.frame;
import static io.omendb.service.ServerFixture.rows;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.omendb.proto.v1.BulkInsertRequest;
import io.omendb.proto.v1.BulkInsertResponse;
import io.omendb.proto.v1.ConflictReason;
import io.omendb.proto.v1.CountRequest;
import io.omendb.proto.v1.DropCollectionRequest;
import io.omendb.proto.v1.DurabilityMode;
import io.omendb.proto.v1.ErrorReason;
import io.omendb.proto.v1.IdKind;
import io.omendb.proto.v1.Pressure;
import io.omendb.proto.v1.RefusedFrame;
import io.omendb.proto.v1.SearchRequest;
import io.omendb.proto.v1.Similarity;
import io.omendb.proto.v1.StatsRequest;
import io.omendb.proto.v1.Visibility;
import io.omendb.proto.v1.WriteMode;
import io.omendb.service.config.Option;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// BulkInsert through a real server. [BulkClient] checks that the marks never go back.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BulkInsertTest {
  private ServerFixture fixture;
  private String collection = "";

  @BeforeAll
  void start(@TempDir Path data) {
    fixture = ServerFixture.start(data, Map.of(Option.MAX_STREAMS, "8"));
  }

  @BeforeEach
  void create(TestInfo test) {
    collection = test.getTestMethod().orElseThrow().getName();
    fixture.create(collection, Similarity.SIMILARITY_L2, IdKind.ID_KIND_NUMERIC);
  }

  @AfterAll
  void stop() {
    fixture.close();
  }

  private BulkClient open() {
    return BulkClient.open(fixture.channel());
  }

  private BulkInsertRequest.Builder numbered(long frame, long firstId, int count) {
    return frame(rows(collection, firstId, count)).setStreamId("s").setFrameSequence(frame);
  }

  @Test
  void framesAreAcknowledgedInOrder() {
    BulkClient client = open();
    for (int i = 0; i < 100; i++) {
      client.send(frame(rows(collection, i * 10L, 10)));
    }
    BulkInsertResponse last = client.finish();
    assertEquals(100, last.getReceivedFrameSequence());
    assertEquals(100, last.getDurableFrameSequence());
    assertEquals(100, last.getSummary().getFrameCount());
    assertEquals(1_000, last.getSummary().getInsertedCount());
    assertEquals(0, last.getSummary().getRefusedFrameCount());
    assertEquals(1_000, fixture.count(collection));
    assertEquals(
        DurabilityMode.DURABILITY_MODE_ALWAYS,
        client.responses().getFirst().getOpening().getDurabilityMode());
    assertEquals(4, client.responses().getFirst().getOpening().getDimension());
    assertEquals(
        Visibility.VISIBILITY_IMMEDIATE,
        client.responses().getFirst().getOpening().getVisibility());
  }

  @Test
  void acknowledgementsOfManyFramesAreGathered() {
    BulkClient client = open();
    for (int i = 0; i < 2_000; i++) {
      client.send(frame(rows(collection, i, 1)));
    }
    assertEquals(2_000, client.finish().getReceivedFrameSequence());
    assertTrue(client.responses().size() < 1_500, "responses: " + client.responses().size());
  }

  @Test
  void anAcknowledgedFrameIsSearchable() {
    BulkClient client = open();
    client.send(frame(rows(collection, 7, 1)).setVisibility(Visibility.VISIBILITY_IMMEDIATE));
    BulkInsertResponse acknowledged =
        client.await("frame 1 searchable", next -> next.getSearchableFrameSequence() == 1);
    var found =
        fixture
            .vectors()
            .search(
                SearchRequest.newBuilder()
                    .setCollection(collection)
                    .setK(1)
                    .addAllVector(ServerFixture.vectorOf(7))
                    .setMinVisibleSequence(acknowledged.getCommitSequence())
                    .build());
    assertEquals(7, found.getHits(0).getNumericId());
    client.finish();
  }

  @Test
  void framesOfABuildAreSearchableAtTheEnd() {
    BulkClient client = open();
    client.send(
        frame(rows(collection, 0, 10))
            .setVisibility(Visibility.VISIBILITY_AFTER_BUILD)
            .setWaitSearchable(true));
    client.send(frame(rows(collection, 10, 10)));
    client.await("both durable", next -> next.getDurableFrameSequence() == 2);
    var during =
        fixture.vectors().count(CountRequest.newBuilder().setCollection(collection).build());
    assertEquals(20, during.getCount());
    assertEquals(0, during.getSearchableCount());
    BulkInsertResponse last = client.finish();
    assertEquals(2, last.getSearchableFrameSequence());
    assertEquals(
        Visibility.VISIBILITY_AFTER_BUILD,
        client.responses().getFirst().getOpening().getVisibility());
    var after =
        fixture.vectors().count(CountRequest.newBuilder().setCollection(collection).build());
    assertEquals(20, after.getSearchableCount());
  }

  @Test
  void theServerChoosesABuildForALargeLoad() {
    BulkClient client = open();
    client.send(
        BulkInsertRequest.newBuilder().setCollection(collection).setExpectedCount(1_000_000));
    BulkInsertResponse opening = client.await("the opening", BulkInsertResponse::hasOpening);
    assertEquals(Visibility.VISIBILITY_AFTER_BUILD, opening.getOpening().getVisibility());
    assertEquals(0, client.finish().getSummary().getFrameCount());
  }

  @Test
  void aRefusedFrameIsReportedAndTheStreamGoesOn() {
    BulkClient client = open();
    client.send(frame(rows(collection, 0, 2)));
    client.send(
        frame(rows(collection, 2, 3))
            .setVectors(4 + 2, Float.NaN)
            .setVectors(8, Float.POSITIVE_INFINITY));
    client.send(frame(rows(collection, 5, 1)).addVectors(1));
    client.send(frame(rows(collection, 6, 2)));
    BulkInsertResponse last = client.finish();
    List<RefusedFrame> refused =
        client.responses().stream()
            .flatMap(response -> response.getRefusedFramesList().stream())
            .toList();
    assertEquals(2, refused.size());
    RefusedFrame values = refused.getFirst();
    assertEquals(2, values.getFrameSequence());
    assertEquals(Status.Code.INVALID_ARGUMENT.value(), values.getCode());
    assertEquals(ErrorReason.ERROR_REASON_NOT_FINITE, values.getReason());
    assertEquals(2, values.getInvalidItemCount());
    assertEquals("vectors[1][2]", values.getItems(0).getField());
    assertEquals("NaN", values.getItems(0).getValue());
    assertEquals("finite", values.getItems(0).getExpected());
    assertEquals(2, values.getItems(1).getIndex());
    assertEquals(3, refused.getLast().getFrameSequence());
    assertEquals(ErrorReason.ERROR_REASON_DIMENSION_MISMATCH, refused.getLast().getReason());
    assertEquals(0, refused.getLast().getItemsCount());
    assertEquals(4, last.getReceivedFrameSequence());
    assertEquals(2, last.getSummary().getRefusedFrameCount());
    assertEquals(4, fixture.count(collection));
  }

  @Test
  void conflictsAreReportedByFrame() {
    BulkClient client = open();
    client.send(frame(rows(collection, 0, 2)).setMode(WriteMode.WRITE_MODE_INSERT_ONLY));
    client.send(frame(rows(collection, 1, 2)));
    BulkInsertResponse last = client.finish();
    var conflicts =
        client.responses().stream()
            .flatMap(response -> response.getFrameConflictsList().stream())
            .toList();
    assertEquals(1, conflicts.size());
    assertEquals(2, conflicts.getFirst().getFrameSequence());
    assertEquals(0, conflicts.getFirst().getConflicts(0).getIndex());
    assertEquals(
        ConflictReason.CONFLICT_REASON_ID_EXISTS, conflicts.getFirst().getConflicts(0).getReason());
    assertEquals(1, last.getSummary().getConflictCount());
    assertEquals(3, last.getSummary().getInsertedCount());
  }

  @Test
  void aBrokenStreamIsResumedWithoutLossOrDuplicates() {
    BulkClient first = open();
    first.send(numbered(1, 0, 2)).send(numbered(2, 2, 2));
    first.await("two frames", next -> next.getReceivedFrameSequence() == 2);
    first.cancel();
    awaitStreams(0);

    BulkClient second = open();
    second.send(numbered(2, 100, 2).setResume(true));
    BulkInsertResponse opening = second.await("the opening", BulkInsertResponse::hasOpening);
    assertTrue(opening.getOpening().getResumed());
    assertEquals(2, opening.getOpening().getDurableFrameSequence());
    second.send(numbered(3, 4, 2));
    BulkInsertResponse last = second.finish();
    assertEquals(3, last.getReceivedFrameSequence());
    assertEquals(1, last.getSummary().getSkippedFrameCount());
    assertEquals(2, last.getSummary().getFrameCount());
    assertEquals(6, fixture.count(collection));
  }

  @Test
  void aFinishedStreamIsNotResumed() {
    open().send(numbered(1, 0, 1)).finish();
    BulkClient again = open();
    again.send(numbered(2, 1, 1).setResume(true));
    var failure = again.fail();
    assertEquals(Status.Code.FAILED_PRECONDITION, failure.code());
    assertEquals("STREAM_FINISHED", failure.reason());
    assertEquals("s", failure.metadata().get("stream_id"));
    assertEquals(1, fixture.count(collection));
  }

  @Test
  void aKnownStreamIsNotStartedAgain() {
    BulkClient holder = open();
    holder.send(numbered(1, 0, 1));
    holder.await("the frame", next -> next.getReceivedFrameSequence() == 1);
    BulkClient other = open();
    other.send(numbered(1, 0, 1));
    var failure = other.fail();
    assertEquals(Status.Code.ALREADY_EXISTS, failure.code());
    assertEquals("STREAM_EXISTS", failure.reason());
    holder.send(numbered(2, 1, 1));
    assertEquals(2, holder.finish().getReceivedFrameSequence());
  }

  @Test
  void aResumedStreamIsTakenOver() {
    BulkClient old = open();
    old.send(numbered(1, 0, 1));
    old.await("the frame", next -> next.getReceivedFrameSequence() == 1);
    BulkClient heir = open();
    heir.send(numbered(2, 1, 1).setResume(true));
    var failure = old.fail();
    assertEquals(Status.Code.ABORTED, failure.code());
    assertEquals("STREAM_TAKEN_OVER", failure.reason());
    assertEquals(2, heir.finish().getReceivedFrameSequence());
    assertEquals(2, fixture.count(collection));
  }

  @Test
  void aGapEndsTheStream() {
    BulkClient client = open();
    client.send(numbered(1, 0, 1)).send(numbered(3, 1, 1));
    var failure = client.fail();
    assertEquals(Status.Code.INVALID_ARGUMENT, failure.code());
    assertEquals("FRAME_SEQUENCE_GAP", failure.reason());
    assertEquals("3", failure.metadata().get("value"));
    assertEquals("2", failure.metadata().get("expected"));
    assertEquals(1, fixture.count(collection));
  }

  @Test
  void aChangedOpeningFieldEndsTheStream() {
    BulkClient client = open();
    client.send(frame(rows(collection, 0, 1)));
    client.send(frame(rows(collection, 1, 1)).setMode(WriteMode.WRITE_MODE_UPDATE_ONLY));
    var failure = client.fail();
    assertEquals("OPENING_FIELD_CHANGED", failure.reason());
    assertEquals("mode", failure.field());
    assertEquals(1, fixture.count(collection));
  }

  @Test
  void openingsThatAreRefused() {
    assertOpeningFails("COLLECTION_NOT_FOUND", frame(rows("nowhere", 0, 1)));
    assertOpeningFails("FIELD_REQUIRED", frame(rows("", 0, 1)));
    assertOpeningFails("FIELD_REQUIRED", frame(rows(collection, 0, 1)).setResume(true));
    assertOpeningFails("INVALID_NAME", frame(rows(collection, 0, 1)).setStreamId("a b"));
    assertOpeningFails("UNKNOWN_ENUM_VALUE", frame(rows(collection, 0, 1)).setVisibilityValue(9));
    BulkClient silent = open();
    silent.closeSide();
    assertEquals("FIELD_REQUIRED", silent.fail().reason());
    assertEquals(0, fixture.count(collection));
  }

  private void assertOpeningFails(String reason, BulkInsertRequest.Builder frame) {
    BulkClient client = open();
    client.send(frame);
    assertEquals(reason, client.fail().reason());
  }

  @Test
  void tooManyStreamsAreRefused() {
    List<BulkClient> clients = Stream.generate(this::open).limit(8).toList();
    for (BulkClient client : clients) {
      client.send(BulkInsertRequest.newBuilder().setCollection(collection));
      client.await("the opening", BulkInsertResponse::hasOpening);
    }
    assertOpeningFails("TOO_MANY", frame(rows(collection, 0, 1)));
    clients.forEach(BulkClient::finish);
    open().send(frame(rows(collection, 0, 1))).finish();
  }

  @Test
  void droppingTheCollectionEndsItsStreams() {
    BulkClient client = open();
    client.send(frame(rows(collection, 0, 1)));
    client.await("the frame", next -> next.getReceivedFrameSequence() == 1);
    var dropped =
        fixture
            .collections()
            .dropCollection(DropCollectionRequest.newBuilder().setCollection(collection).build());
    assertTrue(dropped.getDropped());
    var failure = client.fail();
    assertEquals(Status.Code.ABORTED, failure.code());
    assertEquals("COLLECTION_DROPPED", failure.reason());
  }

  @Test
  void aStreamThatBreaksOffInAFrameAppliesNothingOfIt() throws IOException {
    try (HalfFrame broken =
        HalfFrame.send(
            fixture.server.port(), rows(collection, 0, 2), rows(collection, 10, 5_000))) {
      ServerFixture.await("the whole frame", () -> fixture.count(collection) == 2);
      assertTrue(broken.bytesMissing() > 0);
    }
    awaitStreams(0);
    assertEquals(2, fixture.count(collection));
  }

  @Test
  void aCancelledStreamKeepsWhatWasAcknowledged() {
    BulkClient client = open();
    client.send(frame(rows(collection, 0, 3)));
    client.await("the frame", next -> next.getReceivedFrameSequence() == 1);
    client.cancel();
    awaitStreams(0);
    assertEquals(3, fixture.count(collection));
  }

  @Test
  void responsesTellPressureAndAdvice() {
    BulkClient client = open();
    client.send(frame(rows(collection, 0, 1)));
    BulkInsertResponse last = client.finish();
    assertEquals(Pressure.PRESSURE_OK, last.getPressure());
    assertTrue(last.getSuggestedFrameVectors() > 0);
  }

  private void awaitStreams(int count) {
    ServerFixture.await(
        count + " open streams",
        () ->
            fixture
                    .admin()
                    .stats(StatsRequest.newBuilder().setCollection(collection).build())
                    .getCollections(0)
                    .getOpenStreamCount()
                == count);
  }
}
