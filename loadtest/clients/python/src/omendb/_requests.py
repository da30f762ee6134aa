"""Requests of both clients, and the methods they are sent to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from omendb._wire import Ids, floats, id_column_of
from omendb.v1 import admin_service_pb2 as admin
from omendb.v1 import collection_service_pb2 as collections
from omendb.v1 import types_pb2 as types
from omendb.v1 import vector_service_pb2 as messages

R = TypeVar("R")

# Seconds that a call may take where none are given, repetitions included.
TIMEOUT = 30.0

CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


@dataclass(frozen=True)
class Method(Generic[R]):
    """A method of the server; requests are sent as bytes."""

    path: str
    parse: Callable[[bytes], R]


def _method(service: str, name: str, response: type[R]) -> Method[R]:
    return Method(f"/omendb.v1.{service}/{name}", response.FromString)  # type: ignore[attr-defined]


INSERT = _method("VectorService", "Insert", messages.InsertResponse)
BULK_INSERT = _method("VectorService", "BulkInsert", messages.BulkInsertResponse)
SEARCH = _method("VectorService", "Search", messages.SearchResponse)
SEARCH_BATCH = _method("VectorService", "SearchBatch", messages.SearchBatchResponse)
GET = _method("VectorService", "Get", messages.GetResponse)
DELETE = _method("VectorService", "Delete", messages.DeleteResponse)
COUNT = _method("VectorService", "Count", messages.CountResponse)
CREATE = _method("CollectionService", "CreateCollection", collections.CreateCollectionResponse)
GET_COLLECTION = _method("CollectionService", "GetCollection", collections.GetCollectionResponse)
LIST = _method("CollectionService", "ListCollections", collections.ListCollectionsResponse)
DROP = _method("CollectionService", "DropCollection", collections.DropCollectionResponse)
STATS = _method("AdminService", "Stats", admin.StatsResponse)


def _choice(enum: Any, prefix: str, field: str, value: str) -> Any:
    names = [name.removeprefix(prefix).lower() for name in enum.keys()]
    if value.lower() not in names[1:]:
        raise ValueError(f"{field} is {value!r}, expected one of {', '.join(names[1:])}")
    return enum.Value(prefix + value.upper())


def write_mode(mode: str) -> Any:
    return _choice(messages.WriteMode, "WRITE_MODE_", "mode", mode)


def visibility(value: str | None) -> Any:
    return 0 if value is None else _choice(messages.Visibility, "VISIBILITY_", "visibility", value)


def create(
    name: str,
    dimension: int,
    similarity: str,
    ids: str,
    profile: str,
    target_recall: float,
    m: int,
    ef_construction: int,
) -> collections.CreateCollectionRequest:
    return collections.CreateCollectionRequest(
        config=types.CollectionConfig(
            name=name,
            dimension=dimension,
            similarity=_choice(types.Similarity, "SIMILARITY_", "similarity", similarity),
            id_kind=_choice(types.IdKind, "ID_KIND_", "ids", ids),
            profile=_choice(types.Profile, "PROFILE_", "profile", profile),
            target_recall=target_recall,
            m=m,
            ef_construction=ef_construction,
        )
    )


@dataclass(frozen=True)
class SearchOptions:
    """What the searches of one query and of many have in common."""

    k: int
    ef: int
    exact: bool
    max_distance: float | None
    payloads: bool
    vectors: bool
    explain: bool
    min_visible_sequence: int

    def request(self, message: Any, collection: str) -> Any:
        return message(
            collection=collection,
            k=self.k,
            ef=self.ef,
            exact=self.exact,
            max_distance=self.max_distance,
            include_payloads=self.payloads,
            include_vectors=self.vectors,
            vector_format=types.VECTOR_FORMAT_BYTES_LE,
            explain=self.explain,
            min_visible_sequence=self.min_visible_sequence,
        )


def search(collection: str, query: Any, options: SearchOptions) -> messages.SearchRequest:
    vector = floats(np.asarray(query))
    if vector.ndim == 2 and len(vector) == 1:
        vector = vector[0]
    if vector.ndim != 1:
        raise ValueError(f"query is of shape {vector.shape}, expected (dimension,); search_batch takes many")
    request = options.request(messages.SearchRequest, collection)
    request.vector_le = vector.tobytes()
    return request


def search_batch(collection: str, queries: Any, options: SearchOptions) -> messages.SearchBatchRequest:
    vectors = floats(np.asarray(queries))
    if vectors.ndim != 2:
        raise ValueError(f"queries is of shape {vectors.shape}, expected (queries, dimension)")
    request = options.request(messages.SearchBatchRequest, collection)
    request.vectors_le = vectors.tobytes()
    return request


def bulk_opening(
    collection: str, mode: str, stream_id: str, visible: str | None, wait_searchable: bool
) -> messages.BulkInsertRequest:
    return messages.BulkInsertRequest(
        collection=collection,
        mode=write_mode(mode),
        stream_id=stream_id,
        visibility=visibility(visible),
        wait_searchable=wait_searchable,
    )


def get(collection: str, ids: Ids, payloads: bool, vectors: bool) -> messages.GetRequest:
    request = messages.GetRequest(
        collection=collection,
        include_payloads=payloads,
        include_vectors=vectors,
        vector_format=types.VECTOR_FORMAT_BYTES_LE,
    )
    return _with_ids(request, ids)


def delete(collection: str, ids: Ids) -> messages.DeleteRequest:
    return _with_ids(messages.DeleteRequest(collection=collection), ids)


def _with_ids(request: Any, ids: Ids) -> Any:
    """Puts ids of either kind into a request."""
    column = id_column_of(ids)
    if isinstance(column, list):
        request.string_ids.extend(column)
    else:
        request.numeric_ids.extend(column.tolist())
    return request
