"""Insert, bulk insert and search from Python. README.md says how to make the stubs."""

import sys

import grpc
import numpy as np

from omendb.v1 import collection_service_pb2, collection_service_pb2_grpc
from omendb.v1 import types_pb2
from omendb.v1 import vector_service_pb2, vector_service_pb2_grpc

COLLECTION = "quickstart-python"
DIMENSION = 64

channel = grpc.insecure_channel(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051")
collections = collection_service_pb2_grpc.CollectionServiceStub(channel)
vectors = vector_service_pb2_grpc.VectorServiceStub(channel)

collections.DropCollection(
    collection_service_pb2.DropCollectionRequest(collection=COLLECTION, allow_missing=True)
)
collections.CreateCollection(
    collection_service_pb2.CreateCollectionRequest(
        config=types_pb2.CollectionConfig(
            name=COLLECTION, dimension=DIMENSION, similarity=types_pb2.SIMILARITY_COSINE
        )
    )
)

rows = np.random.default_rng(1).standard_normal((10_000, DIMENSION)).astype("<f4")

# A few vectors, with payloads: searchable when Insert returns.
vectors.Insert(
    vector_service_pb2.InsertRequest(
        collection=COLLECTION,
        numeric_ids=[0, 1, 2],
        vectors_le=rows[:3].tobytes(),
        payloads=[b"zero", b"one", b"two"],
    )
)


# Many vectors: a stream of frames. The opening fields ride on the first one.
def frames(first=3, size=1_000):
    for start in range(first, len(rows), size):
        block = rows[start : start + size]
        yield vector_service_pb2.BulkInsertRequest(
            collection=COLLECTION,
            wait_searchable=True,
            numeric_ids=range(start, start + len(block)),
            vectors_le=block.tobytes(),
        )


for answer in vectors.BulkInsert(frames()):
    if answer.refused_frames:
        sys.exit(f"refused: {answer.refused_frames}")
print("bulk inserted:", answer.summary.inserted_count)

found = vectors.Search(
    vector_service_pb2.SearchRequest(
        collection=COLLECTION, k=3, vector_le=rows[1].tobytes(), include_payloads=True
    )
)
for hit in found.hits:
    print(f"id {hit.numeric_id}  distance {hit.distance:.4f}  payload {hit.payload.decode()!r}")
print("nearest:", found.hits[0].numeric_id, found.hits[0].payload.decode())
