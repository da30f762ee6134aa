"""Each call against the real server."""

import array
import threading
import time

import numpy as np
import pytest

import omendb

RANDOM = np.random.default_rng(7)


def rows(count, dimension=16):
    return RANDOM.standard_normal((count, dimension), dtype=np.float32)


def test_the_whole_task(db):
    vectors = rows(20_000, 32)
    docs = db.create_collection("docs", dimension=32, similarity="cosine")
    loaded = docs.bulk_insert(range(20_000), vectors, [{"row": i} for i in range(20_000)])
    assert loaded.row_count == loaded.inserted_count == 20_000
    docs.insert(7, vectors[8], [{"row": "seven"}])
    hit = docs.search(vectors[8], k=2, payloads=True)
    assert set(hit.ids.tolist()) == {7, 8}
    assert {h.id: h.payload for h in hit} == {7: {"row": "seven"}, 8: {"row": 8}}
    batch = docs.search_batch(vectors[:64], k=10)
    assert batch.ids.shape == batch.distances.shape == (64, 10)
    exact = docs.search_batch(vectors[:64], k=10, exact=True)
    found = sum(len(set(a) & set(b)) for a, b in zip(batch.ids.tolist(), exact.ids.tolist()))
    assert found >= 0.95 * 640
    assert docs.delete([7, 8, 20_000]) == 2
    assert docs.count() == 19_998
    assert docs.get([7, 9]).missing == [7]


@pytest.mark.parametrize(
    "vectors",
    [
        pytest.param(lambda v: v, id="float32"),
        pytest.param(lambda v: v.astype(np.float64), id="float64"),
        pytest.param(lambda v: np.asfortranarray(v), id="column-major"),
        pytest.param(lambda v: v.astype(">f4"), id="big-endian"),
        pytest.param(lambda v: np.repeat(v, 2, axis=1)[:, ::2], id="strided"),
        pytest.param(lambda v: v.tolist(), id="lists"),
        pytest.param(lambda v: array.array("f", v.reshape(-1).tolist()), id="array.array"),
        pytest.param(lambda v: memoryview(np.ascontiguousarray(v)), id="memoryview"),
    ],
)
def test_vectors_of_any_kind_arrive_bit_by_bit(db, vectors):
    expected = rows(5)
    docs = db.create_collection("kinds", dimension=16, similarity="l2")
    docs.insert(range(5), vectors(expected))
    np.testing.assert_array_equal(docs.get(range(5)).vectors, expected)
    np.testing.assert_array_equal(docs.search(expected[3], k=1, vectors=True)[0].vector, expected[3])


def test_ids_are_64_bits_wide_or_strings(db):
    largest = 2**64 - 1
    numbers = db.create_collection("numbers", dimension=16, similarity="l2")
    vectors = rows(3)
    numbers.insert([0, largest, 2**63], vectors)
    assert numbers.search(vectors[1], k=1)[0].id == largest
    names = db.create_collection("names", dimension=16, similarity="l2", ids="string")
    names.insert(["rot", "grün", "blau"], vectors)
    assert names.search(vectors[1], k=1)[0].id == "grün"
    assert names.search_batch(vectors, k=5).ids[2].tolist()[0] == "blau"
    assert names.delete("rot") == 1


def test_payloads_come_back_as_they_were_given(db):
    docs = db.create_collection("payloads", dimension=16, similarity="l2")
    given = [{"a": [1, None]}, [1, 2], b"\x00\xff", "text", None]
    docs.insert(range(5), rows(5), given)
    assert [record.payload for record in docs.get(range(5))] == [{"a": [1, None]}, [1, 2], b"\x00\xff", b"text", None]


def test_an_error_names_field_value_and_expectation(db):
    docs = db.create_collection("errors", dimension=16, similarity="l2")
    with pytest.raises(omendb.InvalidArgumentError) as wrong:
        docs.search(np.zeros(5), k=1)
    assert wrong.value.reason == "DIMENSION_MISMATCH"
    assert wrong.value.field == "vector_le"
    assert (wrong.value.value, wrong.value.expected) == ("5 components", "16 components")
    with pytest.raises(omendb.InvalidArgumentError, match="NOT_FINITE"):
        docs.insert(1, np.full(16, np.nan))
    with pytest.raises(omendb.NotFoundError) as missing:
        db.collection("nowhere").count()
    assert missing.value.metadata["collection"] == "nowhere"
    with pytest.raises(omendb.AlreadyExistsError):
        db.create_collection("errors", dimension=16, similarity="l2")
    assert db.create_collection("errors", dimension=16, similarity="l2", exist_ok=True).count() == 0
    with pytest.raises(ValueError, match="similarity is 'euclid', expected one of l2, cosine, inner_product"):
        db.create_collection("x", dimension=16, similarity="euclid")
    with pytest.raises(ValueError, match=r"vectors is of shape \(3, 16\), expected \(2, dimension\)"):
        docs.insert([1, 2], rows(3))


def test_modes_tell_conflicts(db):
    docs = db.create_collection("modes", dimension=16, similarity="l2")
    docs.insert([1, 2], rows(2))
    result = docs.insert([2, 3], rows(2), mode="insert_only")
    assert (result.inserted_count, result.conflict_count, result.conflicts) == (1, 1, [0])
    assert docs.insert([4], rows(1), mode="update_only").conflict_count == 1


def test_large_payloads_make_small_frames(db):
    docs = db.create_collection("heavy", dimension=16, similarity="l2")
    payloads = [bytes([i % 256]) * 60_000 for i in range(400)]  # 24 MB: a message may have 16 MiB
    assert docs.bulk_insert(range(400), rows(400), payloads).row_count == 400
    assert docs.get(399).vectors.shape == (1, 16)
    assert docs.get(399)[0].payload == payloads[399]


def test_refused_rows_are_told_and_the_others_are_there(db):
    docs = db.create_collection("refused", dimension=16, similarity="l2")
    vectors = rows(1_000)
    vectors[437, 3] = np.inf
    with pytest.raises(omendb.BulkInsertError) as refused:
        docs.bulk_insert(range(1_000), vectors, frame_rows=100)
    frame = refused.value.result.refused[0]
    assert (frame.start, frame.count, frame.reason) == (400, 100, "NOT_FINITE")
    assert frame.items[0][0] == 437
    assert docs.count() == 900


def test_a_bulk_insert_goes_on_after_the_server_was_killed(db, server):
    docs = db.create_collection("killed", dimension=64, similarity="l2")
    vectors = rows(60_000, 64)
    killed = threading.Event()

    def blocks():
        for start in range(0, len(vectors), 1_000):
            if start == 30_000:
                threading.Thread(target=restart).start()
                killed.wait()
            yield range(start, start + 1_000), vectors[start : start + 1_000]

    def restart():
        server.kill()
        killed.set()
        server.start()

    result = docs.bulk_insert_blocks(blocks(), visibility="after_build")
    assert result.reconnects > 0
    assert result.row_count == docs.count() == 60_000
    np.testing.assert_array_equal(docs.get([0, 30_000, 59_999]).vectors, vectors[[0, 30_000, 59_999]])


def test_an_error_of_the_callers_blocks_is_told_although_the_server_was_killed(db, server):
    docs = db.create_collection("fault", dimension=16, similarity="l2")

    def blocks():
        yield range(10), rows(10)
        server.kill()
        threading.Thread(target=server.start).start()
        raise LookupError("no more")

    try:
        with pytest.raises(LookupError, match="no more"):
            docs.bulk_insert_blocks(blocks())
    finally:
        assert docs.count(timeout=120) <= 10  # the server is there again


def test_a_caller_may_be_slower_than_the_server(db):
    docs = db.create_collection("slow", dimension=16, similarity="l2")

    def blocks():
        for start in range(0, 20, 10):
            time.sleep(4)  # the caller's own time
            yield range(start, start + 10), rows(10)

    assert docs.bulk_insert_blocks(blocks(), stall_timeout=3).row_count == 20


def test_a_later_call_goes_on_with_a_stream(db):
    docs = db.create_collection("resumed", dimension=16, similarity="l2")
    vectors = rows(5_000)

    class Stopped(Exception):
        pass

    def some():
        for start in range(0, 5_000, 500):
            if start == 3_000:
                deadline = time.monotonic() + 60
                while docs.count() < 1_000:
                    assert time.monotonic() < deadline
                raise Stopped
            yield range(start, start + 500), vectors[start : start + 500]

    with pytest.raises(Stopped):
        docs.bulk_insert_blocks(some(), stream_id="import", frame_rows=500)
    result = docs.bulk_insert(range(5_000), vectors, stream_id="import", frame_rows=500)
    assert 1_000 <= result.skipped_count <= 3_000
    assert result.row_count == docs.count() == 5_000
    with pytest.raises(omendb.OmenDBError, match="STREAM_FINISHED"):
        docs.bulk_insert(range(5_000), vectors, stream_id="import", frame_rows=500)


def test_a_call_waits_for_a_server_that_starts(server):
    with omendb.connect(server.target) as client:
        client.create_collection("waits", dimension=16, similarity="l2", exist_ok=True)
        server.kill()
        starter = threading.Thread(target=server.start)
        starter.start()
        assert client.collection("waits").count(timeout=120) == 0
        starter.join()
        client.drop_collection("waits")


def test_without_a_server_the_deadline_holds():
    with omendb.connect("127.0.0.1:1") as client:
        start = time.monotonic()
        with pytest.raises(omendb.OmenDBError) as error:
            client.stats(timeout=1)
        assert isinstance(error.value, (omendb.UnavailableError, omendb.DeadlineExceededError))
        assert time.monotonic() - start < 30
