"""What a bulk insert costs the client, beside a stream of messages that were made before: HOST:PORT of a server."""

import statistics
import sys
import time

import grpc
import numpy as np

import omendb
from omendb import _requests as requests
from omendb._wire import block_of
from omendb.v1 import vector_service_pb2 as messages

COUNT, DIMENSION, FRAME, ROUNDS = 200_000, 128, 512, 5


def main(target):
    vectors = np.random.default_rng(1).standard_normal((COUNT, DIMENSION), dtype=np.float32)
    micros = {"client": [], "prebuilt": []}
    with omendb.connect(target) as db:
        for _ in range(ROUNDS):
            for kind, of_kind in micros.items():
                db.drop_collection("bench", missing_ok=True)
                docs = db.create_collection("bench", dimension=DIMENSION, similarity="l2")
                seconds = client(docs, vectors) if kind == "client" else prebuilt(target, vectors)
                of_kind.append(seconds / COUNT * 1e6)
        db.drop_collection("bench")
    medians = {kind: statistics.median(of_kind) for kind, of_kind in micros.items()}
    print({kind: f"{median:.2f} us of processor a vector" for kind, median in medians.items()})
    print(f"ratio {medians['client'] / medians['prebuilt']:.2f}")


def client(docs, vectors):
    start = time.process_time()
    docs.bulk_insert(range(COUNT), vectors, visibility="after_build", wait_searchable=False, progress=False)
    return time.process_time() - start


def prebuilt(target, vectors):
    opening = requests.bulk_opening("bench", "upsert", "prebuilt", "after_build", False).SerializeToString()
    frames = [
        frame.encode(opening + messages.BulkInsertRequest(frame_sequence=number).SerializeToString())
        for number, frame in enumerate(block_of(range(COUNT), vectors, None).split(FRAME), 1)
    ]
    with grpc.insecure_channel(target, requests.CHANNEL_OPTIONS) as channel:
        call = channel.stream_stream(requests.BULK_INSERT.path, None, requests.BULK_INSERT.parse)
        start = time.process_time()
        for _ in call(iter(frames)):
            pass
        return time.process_time() - start


if __name__ == "__main__":
    main(sys.argv[1])
