"""The client for threads: calls that block. Thread-safe: one client serves all threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc

from omendb import _requests as requests
from omendb._bulk import BulkResult, BulkStream, Step
from omendb._errors import OmenDBError, error_of
from omendb._requests import TIMEOUT, Method, SearchOptions
from omendb._results import (
    BatchHits,
    Hits,
    InsertResult,
    Records,
    batch_hits_of,
    hits_of,
    insert_result,
    records_of,
)
from omendb._retry import RetryPolicy
from omendb._wire import Block, Ids, Payload, block_of
from omendb.v1 import admin_service_pb2 as admin
from omendb.v1 import collection_service_pb2 as collections
from omendb.v1 import vector_service_pb2 as messages

R = TypeVar("R")


def connect(
    target: str = "127.0.0.1:50051",
    *,
    credentials: grpc.ChannelCredentials | None = None,
    retry: RetryPolicy = RetryPolicy(),
) -> Client:
    """A client of the server at ``host:port``. It connects with the first call, and again after a break."""
    return Client(target, credentials, retry)


class Client:
    """The collections of a server."""

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None, retry: RetryPolicy) -> None:
        options = requests.CHANNEL_OPTIONS
        self._channel = (
            grpc.insecure_channel(target, options)
            if credentials is None
            else grpc.secure_channel(target, credentials, options)
        )
        self.retry = retry

    def create_collection(
        self,
        name: str,
        dimension: int,
        similarity: str,
        *,
        ids: str = "numeric",
        profile: str = "memory",
        target_recall: float = 0,
        m: int = 0,
        ef_construction: int = 0,
        exist_ok: bool = False,
        timeout: float = TIMEOUT,
    ) -> Collection:
        """Makes a collection, durably.

        Args:
            similarity: ``l2``, ``cosine`` or ``inner_product``.
            ids: ``numeric`` or ``string``.
            profile: ``memory``, or ``speed``: some twice the memory for searches in half the time.
            target_recall: for which the default search is calibrated; 0: 0.99.
            m, ef_construction: of HNSW; 0: 16 and 100.
            exist_ok: one that is there is taken, whatever its settings.
        """
        request = requests.create(name, dimension, similarity, ids, profile, target_recall, m, ef_construction)
        try:
            self._call(requests.CREATE, request.SerializeToString(), timeout, repeatable=False)
        except OmenDBError as error:
            if not (exist_ok and error.reason == "COLLECTION_EXISTS"):
                raise
        return Collection(self, name)

    def collection(self, name: str) -> Collection:
        """A collection by its name; no call is made."""
        return Collection(self, name)

    def collections(self, timeout: float = TIMEOUT) -> list[collections.CollectionInfo]:
        """All collections, by ascending name."""
        found: list[collections.CollectionInfo] = []
        request = collections.ListCollectionsRequest()
        while True:
            page = self._call(requests.LIST, request.SerializeToString(), timeout)
            found.extend(page.collections)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    def drop_collection(self, name: str, *, missing_ok: bool = False, timeout: float = TIMEOUT) -> bool:
        """Removes a collection and its data for good; returns whether it was there."""
        request = collections.DropCollectionRequest(collection=name, allow_missing=missing_ok)
        return self._call(requests.DROP, request.SerializeToString(), timeout).dropped

    def stats(self, timeout: float = TIMEOUT) -> admin.StatsResponse:
        """How the server and all its collections stand."""
        return self._call(requests.STATS, b"", timeout)

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Method[R], request: bytes, timeout: float, repeatable: bool = True) -> R:
        call = self._channel.unary_unary(method.path, None, method.parse)
        deadline = time.monotonic() + timeout
        attempt = 0
        while True:
            attempt += 1
            try:
                return call(request, timeout=max(0.0, deadline - time.monotonic()))
            except grpc.RpcError as e:
                error = error_of(e)
            delay = self.retry.delay(error, attempt, repeatable)
            if delay is None or time.monotonic() + delay >= deadline:
                raise error
            time.sleep(delay)


class Collection:
    """The data of a collection."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name

    def info(self, timeout: float = TIMEOUT) -> collections.CollectionInfo:
        """Settings, state and count."""
        request = collections.GetCollectionRequest(collection=self.name)
        return self._call(requests.GET_COLLECTION, request, timeout).collection

    def insert(
        self,
        ids: Ids,
        vectors: Any,
        payloads: Sequence[Payload] | None = None,
        *,
        mode: str = "upsert",
        timeout: float = TIMEOUT,
    ) -> InsertResult:
        """Writes up to 65,536 rows as one unit, all or none; searches find them when it returns.

        Args:
            ids: one or many; numbers, or strings.
            vectors: one row an id, in anything that NumPy reads. Contiguous float32 is taken from where it lies,
                anything else is converted once.
            payloads: one an id: a dict or list becomes JSON; None is no payload.
            mode: ``upsert``, ``insert_only`` or ``update_only``.
        """
        head = messages.InsertRequest(collection=self.name, mode=requests.write_mode(mode)).SerializeToString()
        message = block_of(ids, vectors, payloads).encode(head)
        response = self._client._call(requests.INSERT, message, timeout, repeatable=mode == "upsert")
        return insert_result(response)

    def bulk_insert(
        self,
        ids: Ids,
        vectors: Any,
        payloads: Sequence[Payload] | None = None,
        *,
        mode: str = "upsert",
        stream_id: str = "",
        visibility: str | None = None,
        wait_searchable: bool = True,
        frame_rows: int | None = None,
        progress: bool | None = None,
        stall_timeout: float = 60.0,
    ) -> BulkResult:
        """Writes any number of rows as a stream, which goes on by itself after a break or a restart of the server.

        Args:
            ids, vectors, payloads, mode: as of :meth:`insert`; ``vectors`` may be a memory-mapped file.
            stream_id: a name under which a later call with the same rows goes on where this one stopped; empty: a name
                by chance, for this call alone.
            visibility: ``immediate``: rows are found as they come; ``after_build``: they are built at once at the end,
                which is faster; None: the server chooses.
            wait_searchable: return when all rows are found by searches, and not already when they are durable.
            frame_rows: rows a frame; None: 256 KiB of vectors. Must be the same where a stream is resumed.
            progress: show a bar; None: where standard error is a terminal.
            stall_timeout: seconds without a word from the server after which it is given up.

        Raises:
            BulkInsertError: rows were refused; all others were applied.
        """
        block = block_of(ids, vectors, payloads)
        return self._bulk(
            [block], len(block), mode, stream_id, visibility, wait_searchable, frame_rows, progress, stall_timeout
        )

    def bulk_insert_blocks(
        self,
        blocks: Iterable[tuple[Ids, Any] | tuple[Ids, Any, Sequence[Payload] | None]],
        *,
        mode: str = "upsert",
        stream_id: str = "",
        visibility: str | None = None,
        wait_searchable: bool = True,
        frame_rows: int | None = None,
        progress: bool | None = None,
        stall_timeout: float = 60.0,
    ) -> BulkResult:
        """As :meth:`bulk_insert`, of rows that come block by block: tuples of ids, vectors and, if any, payloads."""
        return self._bulk(
            blocks_of(blocks), None, mode, stream_id, visibility, wait_searchable, frame_rows, progress, stall_timeout
        )

    def _bulk(
        self,
        blocks: Iterable[Block],
        total: int | None,
        mode: str,
        stream_id: str,
        visibility: str | None,
        wait_searchable: bool,
        frame_rows: int | None,
        progress: bool | None,
        stall_timeout: float,
    ) -> BulkResult:
        opening = requests.bulk_opening(self.name, mode, stream_id, visibility, wait_searchable)
        stream = BulkStream(opening, blocks, total, frame_rows, progress)
        return _BulkDriver(self._client, stream, stall_timeout).run()

    def search(
        self,
        query: Any,
        k: int = 10,
        *,
        ef: int = 0,
        exact: bool = False,
        max_distance: float | None = None,
        payloads: bool = False,
        vectors: bool = False,
        explain: bool = False,
        min_visible_sequence: int = 0,
        timeout: float = TIMEOUT,
    ) -> Hits:
        """The k nearest records.

        Args:
            query: a vector, in anything that NumPy reads.
            ef: width of the beam; 0: what was calibrated for the collection's target recall.
            exact: compare all records.
            max_distance: only hits as near as this.
            payloads, vectors, explain: return them too.
        """
        options = SearchOptions(k, ef, exact, max_distance, payloads, vectors, explain, min_visible_sequence)
        return hits_of(self._call(requests.SEARCH, requests.search(self.name, query, options), timeout))

    def search_batch(
        self,
        queries: Any,
        k: int = 10,
        *,
        ef: int = 0,
        exact: bool = False,
        max_distance: float | None = None,
        payloads: bool = False,
        vectors: bool = False,
        explain: bool = False,
        min_visible_sequence: int = 0,
        timeout: float = TIMEOUT,
    ) -> BatchHits:
        """The k nearest records of each of up to 1,024 queries, a matrix; options as of :meth:`search`."""
        options = SearchOptions(k, ef, exact, max_distance, payloads, vectors, explain, min_visible_sequence)
        request = requests.search_batch(self.name, queries, options)
        return batch_hits_of(self._call(requests.SEARCH_BATCH, request, timeout), k)

    def get(self, ids: Ids, *, payloads: bool = True, vectors: bool = True, timeout: float = TIMEOUT) -> Records:
        """Reads up to 10,000 records; ids that are not there are in ``missing``."""
        request = requests.get(self.name, ids, payloads, vectors)
        return records_of(self._call(requests.GET, request, timeout))

    def delete(self, ids: Ids, *, timeout: float = TIMEOUT) -> int:
        """Deletes up to 65,536 records as one unit; returns how many were there."""
        request = requests.delete(self.name, ids)
        return self._call(requests.DELETE, request, timeout).deleted_count

    def count(self, *, timeout: float = TIMEOUT) -> int:
        """Live records."""
        return self._call(requests.COUNT, messages.CountRequest(collection=self.name), timeout).count

    def stats(self, *, timeout: float = TIMEOUT) -> admin.CollectionStats:
        """Counts, sizes, sequences and quality."""
        return self._call(requests.STATS, admin.StatsRequest(collection=self.name), timeout).collections[0]

    def drop(self, *, missing_ok: bool = False, timeout: float = TIMEOUT) -> bool:
        """Removes the collection and its data for good; returns whether it was there."""
        return self._client.drop_collection(self.name, missing_ok=missing_ok, timeout=timeout)

    def _call(self, method: Method[R], request: Any, timeout: float) -> R:
        return self._client._call(method, request.SerializeToString(), timeout)


def blocks_of(blocks: Iterable[Any]) -> Iterator[Block]:
    start = 0
    for ids, vectors, *payloads in blocks:
        block = block_of(ids, vectors, *payloads) if payloads else block_of(ids, vectors, None)
        yield Block(block.ids, block.vectors, block.payloads, start)
        start += len(block)


class _BulkDriver:
    """Moves a bulk stream: gRPC's thread asks for messages, the caller's reads the answers."""

    def __init__(self, client: Client, stream: BulkStream, stall_timeout: float) -> None:
        self._client = client
        self._stream = stream
        self._stall_timeout = stall_timeout
        self._changed = threading.Condition()
        self._taking = threading.Lock()
        self._connection = 0
        self._fault: BaseException | None = None

    def run(self) -> BulkResult:
        attempt = 0
        last_word = time.monotonic()
        while True:
            error = self._connect()
            if error is None:
                return self._stream.finish()
            if self._answered:
                attempt = 0
                last_word = time.monotonic()
            if error.reason == "STREAM_FINISHED" and self._stream.closed:
                return self._stream.finish()  # the last answer was lost on its way
            attempt += 1
            delay = self._client.retry.delay(error, attempt, repeatable=True)
            if delay is None or time.monotonic() + delay > last_word + self._stall_timeout:
                raise error
            self._stream.broke()
            time.sleep(delay)

    def _connect(self) -> OmenDBError | None:
        """One connection to its end; returns why it broke."""
        self._answered = False
        self._connection += 1
        method = requests.BULK_INSERT
        call = self._client._channel.stream_stream(method.path, None, method.parse)
        answers = call(self._messages(self._connection, self._stream.connect()))
        watch = _Watch(answers, self._stream, self._stall_timeout)
        try:
            for answer in answers:
                watch.word()
                with self._changed:
                    self._stream.answered(answer)
                    self._answered = True
                    self._changed.notify_all()
            return None
        except grpc.RpcError as e:
            if self._fault is not None:
                raise self._fault from e
            return watch.error or error_of(e)
        finally:
            watch.stop()
            with self._changed:
                self._connection += 1  # ends the generator of this connection
                self._changed.notify_all()
            answers.cancel()

    def _messages(self, connection: int, opening: bytes) -> Iterator[bytes]:
        yield opening
        while True:
            with self._changed:
                if self._connection != connection:
                    return
                step = self._stream.step()
                if step is Step.WAIT:
                    self._changed.wait()
                    continue
                if step is Step.CLOSE:
                    self._stream.closed = True
                    return
                message = self._stream.send() if step is Step.SEND else None
            if message is None:
                self._take()
            else:
                yield message

    def _take(self) -> None:
        """Takes a frame of the caller while answers come in; one at a time, whichever connection asks."""
        with self._taking:
            with self._changed:
                if self._stream.step() is not Step.TAKE:
                    return
            try:
                block = self._stream.pull()
            except BaseException as e:
                self._fault = e  # told to the caller, not to gRPC alone
                raise
            with self._changed:
                self._stream.took(block)


class _Watch:
    """Cancels a call that owes an answer, and gives none for too long: a stream has no deadline."""

    def __init__(self, call: Any, stream: BulkStream, seconds: float) -> None:
        self._call = call
        self._stream = stream
        self._seconds = seconds
        self._last = time.monotonic()
        self._stopped = threading.Event()
        self.error: OmenDBError | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def word(self) -> None:
        self._last = time.monotonic()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(max(0.01, self._last + self._seconds - time.monotonic())):
            if not self._stream.owed:
                self.word()  # the time until now was the caller's
            elif time.monotonic() >= self._last + self._seconds:
                self.error = OmenDBError(
                    f"no word from the server for {self._seconds:g} s", grpc.StatusCode.DEADLINE_EXCEEDED
                )
                self._call.cancel()
                return
