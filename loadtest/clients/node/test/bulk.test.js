// Bulk inserts against the real server, which is killed on the way.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { BulkInsertError, connect, DeadlineExceededError } from "omendb";
import { range, Server, until, vectorsOf } from "./server.js";

let server;
let db;

before(async () => {
  server = await Server.start();
  db = connect(server.target);
});

afterEach(async () => {
  for (const { config } of await db.collections()) {
    await db.dropCollection(config.name);
  }
});

after(async () => {
  db.close();
  await server.stop();
});

test("progress is told", async () => {
  const docs = await db.createCollection({ name: "progress", dimension: 16, similarity: "l2" });
  const told = [];
  const onProgress = (progress) => told.push(progress);
  await docs.bulkInsert(range(1_000), vectorsOf(1_000, 16), null, { frameRows: 100, onProgress });
  assert.deepEqual(told.at(-1), { receivedCount: 1_000, searchableCount: 1_000, totalCount: 1_000 });
  assert.ok(told.every(({ receivedCount }, i) => i === 0 || receivedCount >= told[i - 1].receivedCount));
});

test("rows of string ids and of arrays of numbers", async () => {
  const docs = await db.createCollection({ name: "strings", dimension: 2, similarity: "l2", ids: "string" });
  const result = await docs.bulkInsert(
    ["a", "b", "c"],
    [
      [0, 0],
      [1, 0],
      [0, 1],
    ],
    [{ at: 0 }, null, { at: 2 }],
    { frameRows: 2 },
  );
  assert.equal(result.insertedCount, 3);
  const [hit] = await docs.search([0.1, 0.9], 1, { payloads: true });
  assert.deepEqual([hit.id, hit.payload], ["c", { at: 2 }]);
});

test("large payloads make small frames", async () => {
  const docs = await db.createCollection({ name: "heavy", dimension: 16, similarity: "l2" });
  const payload = new Uint8Array(60_000); // 400 of them are 24 MB: a message may have 16 MiB
  const payloads = range(400).map(() => payload);
  assert.equal((await docs.bulkInsert(range(400), vectorsOf(400, 16), payloads)).rowCount, 400);
  assert.equal((await docs.get([399]))[0].payload.length, 60_000);
});

test("refused rows are told, and the others are there", async () => {
  const docs = await db.createCollection({ name: "refused", dimension: 16, similarity: "l2" });
  const vectors = vectorsOf(1_000, 16);
  vectors[437 * 16 + 3] = Infinity;
  const error = await docs.bulkInsert(range(1_000), vectors, null, { frameRows: 100 }).catch((error) => error);
  assert.ok(error instanceof BulkInsertError);
  const [frame] = error.result.refused;
  assert.deepEqual([frame.start, frame.count, frame.reason], [400, 100, "NOT_FINITE"]);
  assert.equal(frame.items[0].row, 437);
  assert.match(error.message, /^100 of 1000 rows, in 1 frames, were refused; rows 400 to 499: /);
  assert.equal(await docs.count(), 900);
});

test("a collection that is not there ends it with the server's error", async () => {
  await assert.rejects(db.collection("nowhere").bulkInsert(1, [1, 2]), { reason: "COLLECTION_NOT_FOUND" });
});

test("it goes on after the server was killed and started again", async () => {
  const docs = await db.createCollection({ name: "killed", dimension: 64, similarity: "l2" });
  const vectors = vectorsOf(20_000, 64);
  let started;

  async function* blocks() {
    for (let start = 0; start < 20_000; start += 1_000) {
      if (start === 10_000) {
        await until(async () => (await docs.count()) >= 5_000);
        await server.kill();
        started = server.start();
      }
      yield [range(1_000).map((i) => start + i), vectors.subarray(start * 64, (start + 1_000) * 64)];
    }
  }

  const result = await docs.bulkInsertBlocks(blocks(), { visibility: "after_build", frameRows: 500 });
  await started;
  assert.ok(result.reconnects > 0);
  assert.equal(result.rowCount, 20_000);
  assert.equal(await docs.count(), 20_000);
  for (const i of [0, 9_999, 10_000, 19_999]) {
    assert.deepEqual((await docs.get(i))[0].vector, vectors.slice(i * 64, (i + 1) * 64));
  }
});

test("a later call goes on with a stream", async () => {
  const docs = await db.createCollection({ name: "resumed", dimension: 16, similarity: "l2" });
  const vectors = vectorsOf(5_000, 16);
  const options = { streamId: "import", frameRows: 500 };

  async function* some() {
    for (let start = 0; start < 5_000; start += 500) {
      if (start === 3_000) {
        await until(async () => (await docs.count()) >= 1_000);
        throw new Error("no more rows");
      }
      yield [range(500).map((i) => start + i), vectors.subarray(start * 16, (start + 500) * 16)];
    }
  }

  await assert.rejects(docs.bulkInsertBlocks(some(), options), { message: "no more rows" });
  const result = await docs.bulkInsert(range(5_000), vectors, null, options);
  assert.ok(result.skippedCount >= 1_000 && result.skippedCount <= 3_000, `${result.skippedCount} skipped`);
  assert.equal(result.rowCount, 5_000);
  assert.equal(await docs.count(), 5_000);
  assert.deepEqual((await docs.get(4_999))[0].vector, vectors.slice(4_999 * 16));
  await assert.rejects(docs.bulkInsert(range(5_000), vectors, null, options), { reason: "STREAM_FINISHED" });
});

test("it is aborted, again and again, and goes on later", async () => {
  const docs = await db.createCollection({ name: "aborted", dimension: 16, similarity: "l2" });
  const vectors = vectorsOf(2_000, 16);
  const options = { streamId: "aborted", frameRows: 100 };

  for (let written = 100; written <= 1_000; written += 100) {
    const controller = new AbortController();
    let closed = false;

    async function* some() {
      try {
        yield [range(written), vectors.subarray(0, written * 16)];
        await until(async () => (await docs.count()) === written);
        controller.abort();
        yield [range(written), vectors.subarray(0, written * 16)];
      } finally {
        closed = true;
      }
    }

    await assert.rejects(docs.bulkInsertBlocks(some(), { ...options, signal: controller.signal }), {
      name: "AbortError",
    });
    await until(() => closed);
  }

  const result = await docs.bulkInsert(range(2_000), vectors, null, options);
  assert.deepEqual([result.skippedCount, result.rowCount], [1_000, 2_000]);
  assert.equal(await docs.count(), 2_000);
});

test("an error of the caller's rows is the caller's, also while the server is away", async () => {
  const docs = await db.createCollection({ name: "fault", dimension: 16, similarity: "l2" });

  async function* blocks() {
    yield [range(10), vectorsOf(10, 16)];
    await until(async () => (await docs.count()) === 10);
    await server.kill();
    await server.start();
    throw new Error("no more rows");
  }

  await assert.rejects(docs.bulkInsertBlocks(blocks()), { message: "no more rows" });
  await assert.rejects(docs.bulkInsert(1, vectorsOf(1, 16), null, { onProgress: () => assert.fail("told") }), {
    message: "told",
  });
});

test("a server that does not answer is given up", async () => {
  const docs = await db.createCollection({ name: "hung", dimension: 16, similarity: "l2" });
  server.suspend();
  try {
    await assert.rejects(
      docs.bulkInsert(range(10), vectorsOf(10, 16), null, { stallTimeout: 0.5 }),
      DeadlineExceededError,
    );
    await assert.rejects(docs.count({ timeout: 0.5 }), DeadlineExceededError);
  } finally {
    server.resume();
  }
  assert.equal((await docs.bulkInsert(range(10), vectorsOf(10, 16))).rowCount, 10);
});

test("a caller that is slower than the stall timeout is waited for", async () => {
  const docs = await db.createCollection({ name: "slow", dimension: 16, similarity: "l2" });

  async function* slow() {
    yield [range(10), vectorsOf(10, 16)];
    const start = performance.now();
    await until(async () => (await docs.count()) === 10 && performance.now() - start > 1_500);
    yield [[10], vectorsOf(1, 16)];
  }

  const result = await docs.bulkInsertBlocks(slow(), { stallTimeout: 0.5, waitSearchable: false });
  assert.deepEqual([result.rowCount, result.reconnects], [11, 0]);
});
