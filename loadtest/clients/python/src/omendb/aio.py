"""The client for asyncio: as ``omendb.client``, with ``await``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import grpc
import grpc.aio

from omendb import _requests as requests
from omendb._bulk import BulkResult, BulkStream, Step
from omendb._errors import DeadlineExceededError, OmenDBError, error_of
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
from omendb.client import blocks_of
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
    """As :func:`omendb.connect`; to be called where a loop runs."""
    return Client(target, credentials, retry)


class Client:
    """The collections of a server; methods as of :class:`omendb.Client`."""

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None, retry: RetryPolicy) -> None:
        options = requests.CHANNEL_OPTIONS
        self._channel = (
            grpc.aio.insecure_channel(target, options)
            if credentials is None
            else grpc.aio.secure_channel(target, credentials, options)
        )
        self.retry = retry

    async def create_collection(
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
        request = requests.create(name, dimension, similarity, ids, profile, target_recall, m, ef_construction)
        try:
            await self._call(requests.CREATE, request.SerializeToString(), timeout, repeatable=False)
        except OmenDBError as error:
            if not (exist_ok and error.reason == "COLLECTION_EXISTS"):
                raise
        return Collection(self, name)

    def collection(self, name: str) -> Collection:
        return Collection(self, name)

    async def collections(self, timeout: float = TIMEOUT) -> list[collections.CollectionInfo]:
        found: list[collections.CollectionInfo] = []
        request = collections.ListCollectionsRequest()
        while True:
            page = await self._call(requests.LIST, request.SerializeToString(), timeout)
            found.extend(page.collections)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    async def drop_collection(self, name: str, *, missing_ok: bool = False, timeout: float = TIMEOUT) -> bool:
        request = collections.DropCollectionRequest(collection=name, allow_missing=missing_ok)
        return (await self._call(requests.DROP, request.SerializeToString(), timeout)).dropped

    async def stats(self, timeout: float = TIMEOUT) -> admin.StatsResponse:
        return await self._call(requests.STATS, b"", timeout)

    async def close(self) -> None:
        await self._channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: Method[R], request: bytes, timeout: float, repeatable: bool = True) -> R:
        call = self._channel.unary_unary(method.path, None, method.parse)
        deadline = time.monotonic() + timeout
        attempt = 0
        while True:
            attempt += 1
            try:
                return await call(request, timeout=max(0.0, deadline - time.monotonic()))
            except grpc.RpcError as e:
                error = error_of(e)
            delay = self.retry.delay(error, attempt, repeatable)
            if delay is None or time.monotonic() + delay >= deadline:
                raise error
            await asyncio.sleep(delay)


class Collection:
    """The data of a collection; methods as of :class:`omendb.Collection`."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self.name = name

    async def info(self, timeout: float = TIMEOUT) -> collections.CollectionInfo:
        request = collections.GetCollectionRequest(collection=self.name)
        return (await self._call(requests.GET_COLLECTION, request, timeout)).collection

    async def insert(
        self,
        ids: Ids,
        vectors: Any,
        payloads: Sequence[Payload] | None = None,
        *,
        mode: str = "upsert",
        timeout: float = TIMEOUT,
    ) -> InsertResult:
        head = messages.InsertRequest(collection=self.name, mode=requests.write_mode(mode)).SerializeToString()
        message = block_of(ids, vectors, payloads).encode(head)
        response = await self._client._call(requests.INSERT, message, timeout, repeatable=mode == "upsert")
        return insert_result(response)

    async def bulk_insert(
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
        block = block_of(ids, vectors, payloads)
        return await self._bulk(
            [block], len(block), mode, stream_id, visibility, wait_searchable, frame_rows, progress, stall_timeout
        )

    async def bulk_insert_blocks(
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
        return await self._bulk(
            blocks_of(blocks), None, mode, stream_id, visibility, wait_searchable, frame_rows, progress, stall_timeout
        )

    async def _bulk(
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
        return await _BulkDriver(self._client, stream, stall_timeout).run()

    async def search(
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
        options = SearchOptions(k, ef, exact, max_distance, payloads, vectors, explain, min_visible_sequence)
        return hits_of(await self._call(requests.SEARCH, requests.search(self.name, query, options), timeout))

    async def search_batch(
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
        options = SearchOptions(k, ef, exact, max_distance, payloads, vectors, explain, min_visible_sequence)
        request = requests.search_batch(self.name, queries, options)
        return batch_hits_of(await self._call(requests.SEARCH_BATCH, request, timeout), k)

    async def get(self, ids: Ids, *, payloads: bool = True, vectors: bool = True, timeout: float = TIMEOUT) -> Records:
        return records_of(await self._call(requests.GET, requests.get(self.name, ids, payloads, vectors), timeout))

    async def delete(self, ids: Ids, *, timeout: float = TIMEOUT) -> int:
        return (await self._call(requests.DELETE, requests.delete(self.name, ids), timeout)).deleted_count

    async def count(self, *, timeout: float = TIMEOUT) -> int:
        return (await self._call(requests.COUNT, messages.CountRequest(collection=self.name), timeout)).count

    async def stats(self, *, timeout: float = TIMEOUT) -> admin.CollectionStats:
        return (await self._call(requests.STATS, admin.StatsRequest(collection=self.name), timeout)).collections[0]

    async def drop(self, *, missing_ok: bool = False, timeout: float = TIMEOUT) -> bool:
        return await self._client.drop_collection(self.name, missing_ok=missing_ok, timeout=timeout)

    async def _call(self, method: Method[R], request: Any, timeout: float) -> R:
        return await self._client._call(method, request.SerializeToString(), timeout)


class _BulkDriver:
    """Moves a bulk stream: one task sends, the caller's reads the answers."""

    def __init__(self, client: Client, stream: BulkStream, stall_timeout: float) -> None:
        self._client = client
        self._stream = stream
        self._stall_timeout = stall_timeout
        self._changed = asyncio.Event()
        self._fault: BaseException | None = None
        self._answered = False

    async def run(self) -> BulkResult:
        attempt = 0
        last_word = time.monotonic()
        while True:
            error = await self._connect()
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
            await asyncio.sleep(delay)

    async def _connect(self) -> OmenDBError | None:
        """One connection to its end; returns why it broke."""
        self._answered = False
        method = requests.BULK_INSERT
        call = self._client._channel.stream_stream(method.path, None, method.parse)
        answers = call(self._messages(self._stream.connect()))
        try:
            while True:
                answer = await self._read(answers)
                if answer is grpc.aio.EOF:
                    return None
                self._stream.answered(answer)
                self._answered = True
                self._changed.set()
        except TimeoutError:
            return DeadlineExceededError(
                f"no word from the server for {self._stall_timeout:g} s", grpc.StatusCode.DEADLINE_EXCEEDED
            )
        except (grpc.RpcError, asyncio.CancelledError) as e:
            if self._fault is not None:
                raise self._fault from e
            if isinstance(e, asyncio.CancelledError):
                raise
            return error_of(e)
        finally:
            answers.cancel()

    async def _read(self, answers: Any) -> Any:
        """The next answer. Raises TimeoutError where one is owed and does not come."""
        read = asyncio.ensure_future(answers.read())
        while True:
            done, _ = await asyncio.wait({read}, timeout=self._stall_timeout)
            if done:
                return read.result()
            if self._stream.owed:
                raise TimeoutError

    async def _messages(self, opening: bytes) -> AsyncIterator[bytes]:
        yield opening
        while True:
            self._changed.clear()
            step = self._stream.step()
            if step is Step.WAIT:
                await self._changed.wait()
            elif step is Step.CLOSE:
                self._stream.closed = True
                return
            elif step is Step.SEND:
                yield self._stream.send()
            else:
                try:
                    self._stream.took(self._stream.pull())
                except Exception as e:
                    self._fault = e  # told to the caller, not to gRPC alone
                    raise
