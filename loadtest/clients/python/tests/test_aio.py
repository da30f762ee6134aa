"""The asyncio client against the real server."""

import asyncio

import numpy as np
import pytest

import omendb
import omendb.aio


def test_the_whole_task(db, server):
    async def task():
        vectors = np.random.default_rng(3).standard_normal((10_000, 32), dtype=np.float32)
        async with omendb.aio.connect(server.target) as client:
            docs = await client.create_collection("aio", dimension=32, similarity="cosine")
            loaded = await docs.bulk_insert(range(10_000), vectors)
            assert loaded.row_count == loaded.inserted_count == 10_000
            await docs.insert(7, vectors[8], [{"row": "seven"}])
            hits, batch = await asyncio.gather(
                docs.search(vectors[8], k=2, payloads=True), docs.search_batch(vectors[:8], k=3)
            )
            assert set(hits.ids.tolist()) == {7, 8}
            assert batch.ids.shape == (8, 3)
            assert await docs.delete([7]) == 1
            assert await docs.count() == 9_999
            assert (await docs.get([7, 9])).missing == [7]
            assert (await docs.stats()).live_count == 9_999
            with pytest.raises(omendb.InvalidArgumentError, match="DIMENSION_MISMATCH"):
                await docs.search(vectors[0, :5])

    asyncio.run(task())


def test_an_error_of_the_callers_blocks_is_the_callers(db, server):
    async def task():
        def blocks():
            yield range(10), np.zeros((10, 4), np.float32)
            raise LookupError("no more")

        async with omendb.aio.connect(server.target) as client:
            docs = await client.create_collection("fault", dimension=4, similarity="l2")
            with pytest.raises(LookupError, match="no more"):
                await docs.bulk_insert_blocks(blocks())

    asyncio.run(task())


def test_a_cancelled_search_is_cancelled(db, server):
    async def task():
        async with omendb.aio.connect(server.target) as client:
            docs = await client.create_collection("cancelled", dimension=4, similarity="l2")
            search = asyncio.create_task(docs.search(np.zeros(4)))
            search.cancel()
            with pytest.raises(asyncio.CancelledError):
                await search
            assert len(await docs.search(np.ones(4))) == 0

    asyncio.run(task())
