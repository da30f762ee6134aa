"""The bytes that are sent, and what they cost."""

import os
import time
import tracemalloc
from pathlib import Path

import numpy as np

from omendb._wire import block_of
from omendb.v1 import vector_service_pb2 as messages


def test_the_bytes_are_those_of_protobuf():
    head = messages.InsertRequest(collection="c", mode=messages.WRITE_MODE_INSERT_ONLY)
    vectors = np.arange(8, dtype=np.float32).reshape(2, 4)
    encoded = block_of(["é", "b"], vectors, [{"a": 1}, None]).encode(head.SerializeToString())
    expected = messages.InsertRequest(
        collection="c",
        mode=messages.WRITE_MODE_INSERT_ONLY,
        string_ids=["é", "b"],
        vectors_le=vectors.tobytes(),
        payloads=[b'{"a":1}', b""],
    )
    assert messages.InsertRequest.FromString(encoded) == expected
    encoded = block_of([3, 2**64 - 1], vectors, None).encode(b"")
    assert list(messages.InsertRequest.FromString(encoded).numeric_ids) == [3, 2**64 - 1]


def test_the_bytes_are_those_that_the_server_was_shown():
    vectors = np.array([[1.5, -2, 0.25], [3, 4, 5]], np.float32)
    insert = messages.InsertRequest(collection="golden", mode=messages.WRITE_MODE_INSERT_ONLY)
    golden("insert", block_of(["a", "é"], vectors, [{"k": 1}, None]).encode(insert.SerializeToString()))
    frame = messages.BulkInsertRequest(frame_sequence=2)
    golden("frame", block_of([0, 2**64 - 1], vectors, None).encode(frame.SerializeToString()))


def golden(name, message):
    file = Path(__file__).parents[2] / "golden" / f"python-{name}.bin"
    if "OMENDB_WRITE_GOLDEN" in os.environ:
        file.write_bytes(message)
    assert message == file.read_bytes()


def test_a_frame_is_one_copy_of_the_vectors():
    vectors = np.ones((65_536, 128), np.float32)
    block = block_of(range(len(vectors)), vectors, None)
    frames = list(block.split(512))
    tracemalloc.start()
    try:
        for frame in frames[:4]:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            message = frame.encode(b"")
            peak = tracemalloc.get_traced_memory()[1] - before
            assert peak <= len(message) + 4_096, f"{peak} bytes for a message of {len(message)}"
            del message
    finally:
        tracemalloc.stop()


def test_lists_of_floats_take_ten_times_as_long():
    vectors = np.random.default_rng(1).standard_normal((4_096, 128), dtype=np.float32)
    block = block_of(range(len(vectors)), vectors, None)

    def floats():
        messages.InsertRequest(
            numeric_ids=range(len(vectors)), vectors=vectors.reshape(-1).tolist()
        ).SerializeToString()

    assert processor_seconds(floats) >= 10 * processor_seconds(lambda: block.encode(b""))


def processor_seconds(work):
    """The least of several: what it takes undisturbed."""
    times = []
    for _ in range(5):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)
