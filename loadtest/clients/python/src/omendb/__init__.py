"""OmenDB from Python: NumPy in, NumPy out.

>>> db = omendb.connect("127.0.0.1:50051")
>>> docs = db.create_collection("docs", dimension=384, similarity="cosine")
>>> docs.bulk_insert(range(len(vectors)), vectors, payloads=[{"title": t} for t in titles])
>>> docs.search(vectors[0], k=10, payloads=True)[0].payload

``omendb.aio.connect`` is the same for asyncio, with ``await``. The generated stubs are in ``omendb.v1``.
"""

from omendb._bulk import BulkResult, RefusedFrame
from omendb._errors import (
    AlreadyExistsError,
    BulkInsertError,
    DataLossError,
    DeadlineExceededError,
    InvalidArgumentError,
    NotFoundError,
    OmenDBError,
    ResourceExhaustedError,
    UnavailableError,
    Violation,
)
from omendb._results import BatchHits, Hit, Hits, InsertResult, Record, Records
from omendb._retry import RetryPolicy
from omendb.client import Client, Collection, connect

__all__ = [
    "AlreadyExistsError",
    "BatchHits",
    "BulkInsertError",
    "BulkResult",
    "Client",
    "Collection",
    "DataLossError",
    "DeadlineExceededError",
    "Hit",
    "Hits",
    "InsertResult",
    "InvalidArgumentError",
    "NotFoundError",
    "OmenDBError",
    "Record",
    "Records",
    "RefusedFrame",
    "ResourceExhaustedError",
    "RetryPolicy",
    "UnavailableError",
    "Violation",
    "connect",
]
