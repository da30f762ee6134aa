"""One task from Python: create, load, read what was written, search, delete."""

import numpy as np

import omendb

db = omendb.connect()
db.drop_collection("docs", missing_ok=True)
docs = db.create_collection("docs", dimension=64, similarity="cosine")
vectors = np.random.default_rng(1).standard_normal((20_000, 64), dtype=np.float32)
docs.bulk_insert(range(20_000), vectors, [{"row": i} for i in range(20_000)])
docs.insert(7, vectors[8] + vectors[7] / 10, [{"row": "seven"}])
print([(hit.id, hit.payload["row"]) for hit in docs.search(vectors[8], k=2, payloads=True)])
print(docs.search_batch(vectors[:64], k=10).ids.shape)
print(docs.delete([7]), docs.count())

try:
    docs.search([1.0, 2.0], k=3)
except omendb.InvalidArgumentError as error:
    print(error.reason, error.field, error.value, "expected", error.expected)
