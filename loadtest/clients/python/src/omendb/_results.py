"""What calls return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from omendb._wire import Payload, decode_payload
from omendb.v1 import vector_service_pb2 as messages


@dataclass(frozen=True)
class InsertResult:
    """What an insert did.

    Attributes:
        commit_sequence: for ``min_visible_sequence`` of a search that goes by another server's word; one that follows
            the insert sees it in any case.
        conflicts: positions of rows that were not applied, at most 100 of ``conflict_count``.
    """

    commit_sequence: int
    inserted_count: int
    updated_count: int
    conflict_count: int
    conflicts: list[int]


@dataclass(frozen=True)
class Hit:
    """A record that was found. ``payload`` and ``vector`` are None unless they were asked for and are there."""

    id: int | str
    distance: float
    payload: Payload = None
    vector: npt.NDArray[np.float32] | None = None


class Hits(Sequence[Hit]):
    """The hits of one query by ascending distance.

    Attributes:
        visible_sequence: every write up to it was visible to the search.
        explain: how the answer was found, or None.
    """

    def __init__(self, hits: Sequence[Any], visible_sequence: int, explain: Any | None) -> None:
        self._hits = hits
        self.visible_sequence = visible_sequence
        self.explain = explain

    @property
    def ids(self) -> npt.NDArray[Any]:
        """uint64, or str as objects."""
        return _ids(self._hits)

    @property
    def distances(self) -> npt.NDArray[np.float32]:
        return np.fromiter((hit.distance for hit in self._hits), np.float32, len(self._hits))

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """n × dimension, where they were asked for."""
        return _vectors(self._hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Hit]: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        hit = self._hits[index]
        return Hit(_id(hit), hit.distance, decode_payload(hit.payload), _vector(hit))

    def __len__(self) -> int:
        return len(self._hits)

    def __repr__(self) -> str:
        return f"Hits({list(self)!r})"


class BatchHits(Sequence[Hits]):
    """The hits of many queries, in the order of the queries."""

    def __init__(self, results: Sequence[Hits], k: int, visible_sequence: int) -> None:
        self._results = results
        self._k = k
        self.visible_sequence = visible_sequence

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Hits of each query: k, or fewer where there are fewer."""
        return np.fromiter((len(hits) for hits in self._results), np.int64, len(self._results))

    @property
    def ids(self) -> npt.NDArray[Any]:
        """Queries × k. Behind a query's last hit stand zeros, or None: see ``counts``."""
        rows = [hits.ids for hits in self._results]
        numeric = all(row.dtype != object for row in rows)
        ids = np.zeros((len(rows), self._k), np.uint64) if numeric else np.full((len(rows), self._k), None, object)
        for row, of_query in zip(ids, rows):
            row[: len(of_query)] = of_query
        return ids

    @property
    def distances(self) -> npt.NDArray[np.float32]:
        """Queries × k. Behind a query's last hit stands infinity."""
        distances = np.full((len(self._results), self._k), np.inf, np.float32)
        for row, hits in zip(distances, self._results):
            row[: len(hits)] = hits.distances
        return distances

    @overload
    def __getitem__(self, index: int) -> Hits: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Hits]: ...

    def __getitem__(self, index):
        return self._results[index]

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return f"BatchHits({list(self)!r})"


@dataclass(frozen=True)
class Record:
    """A record that was read. ``payload`` and ``vector`` as in Hit."""

    id: int | str
    payload: Payload = None
    vector: npt.NDArray[np.float32] | None = None


class Records(Sequence[Record]):
    """Records in the order asked for, without those that are ``missing``."""

    def __init__(self, records: Sequence[Any], missing: list[int] | list[str]) -> None:
        self._records = records
        self.missing = missing

    @property
    def ids(self) -> npt.NDArray[Any]:
        return _ids(self._records)

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """n × dimension, where they were asked for."""
        return _vectors(self._records)

    @overload
    def __getitem__(self, index: int) -> Record: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        record = self._records[index]
        return Record(_id(record), decode_payload(record.payload), _vector(record))

    def __iter__(self) -> Iterator[Record]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"Records({list(self)!r}, missing={self.missing!r})"


def insert_result(response: messages.InsertResponse) -> InsertResult:
    return InsertResult(
        response.commit_sequence,
        response.inserted_count,
        response.updated_count,
        response.conflict_count,
        [conflict.index for conflict in response.conflicts],
    )


def hits_of(response: messages.SearchResponse) -> Hits:
    return Hits(response.hits, response.visible_sequence, _explain(response))


def batch_hits_of(response: messages.SearchBatchResponse, k: int) -> BatchHits:
    sequence = response.visible_sequence
    return BatchHits([Hits(result.hits, sequence, _explain(result)) for result in response.results], k, sequence)


def records_of(response: messages.GetResponse) -> Records:
    return Records(response.records, list(response.missing_numeric_ids) or list(response.missing_string_ids))


def _explain(result: Any) -> Any | None:
    return result.explain if result.HasField("explain") else None


def _id(record: Any) -> int | str:
    return record.string_id if record.WhichOneof("id") == "string_id" else record.numeric_id


def _ids(records: Sequence[Any]) -> npt.NDArray[Any]:
    if len(records) > 0 and records[0].WhichOneof("id") == "string_id":
        return np.array([record.string_id for record in records], dtype=object)
    return np.fromiter((record.numeric_id for record in records), np.uint64, len(records))


def _vector(record: Any) -> npt.NDArray[np.float32] | None:
    return np.frombuffer(record.vector_le, "<f4") if record.vector_le else None


def _vectors(records: Sequence[Any]) -> npt.NDArray[np.float32]:
    if len(records) == 0:
        return np.empty((0, 0), np.float32)
    return np.frombuffer(b"".join(record.vector_le for record in records), "<f4").reshape(len(records), -1)
