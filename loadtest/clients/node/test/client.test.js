// Each call against the real server.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  AlreadyExistsError,
  connect,
  DeadlineExceededError,
  InvalidArgumentError,
  NotFoundError,
  UnavailableError,
} from "omendb";
import { Similarity } from "omendb/v1";
import { range, Server, vectorsOf } from "./server.js";

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

test("the whole task", async () => {
  const vectors = vectorsOf(10_000, 32);
  const row = (i) => vectors.subarray(i * 32, (i + 1) * 32);
  const docs = await db.createCollection({ name: "docs", dimension: 32, similarity: "cosine", targetRecall: 0.95 });
  const loaded = await docs.bulkInsert(
    range(10_000),
    vectors,
    range(10_000).map((i) => ({ row: i })),
  );
  assert.deepEqual([loaded.rowCount, loaded.insertedCount, loaded.reconnects], [10_000, 10_000, 0]);
  const written = await docs.insert(7, row(8), [{ row: "seven" }]);
  assert.equal(written.updatedCount, 1);
  const hits = await docs.search(row(8), 2, { payloads: true, minVisibleSequence: written.commitSequence });
  assert.deepEqual(
    hits.map(({ id, payload }) => [id, payload]).sort(([a], [b]) => Number(a - b)),
    [
      [7n, { row: "seven" }],
      [8n, { row: 8 }],
    ],
  );
  assert.ok(hits.visibleSequence >= written.commitSequence);
  assert.equal("vector" in hits[0], false);

  const batch = await docs.searchBatch(vectors.subarray(0, 64 * 32), 10);
  const exact = await docs.searchBatch(range(64).map(row), 10, { exact: true, explain: true });
  assert.deepEqual([batch.length, exact.length, exact[63].length], [64, 64, 10]);
  assert.ok(exact[0].explain.distanceComputations >= 10_000n);
  const found = batch.reduce((sum, some, i) => sum + some.filter((a) => exact[i].some((b) => a.id === b.id)).length, 0);
  assert.ok(found >= 0.9 * 640, `${found} of 640`);

  assert.equal(await docs.delete([7, 8n, 10_000]), 2);
  assert.equal(await docs.count(), 9_998);
  assert.deepEqual((await docs.get([7, 9])).missing, [7n]);
  assert.equal((await docs.stats()).liveCount, 9_998n);
  assert.equal((await db.stats()).collections[0].collection, "docs");
  assert.equal((await docs.info()).config.similarity, Similarity.COSINE);
  assert.equal(await docs.drop(), true);
  assert.equal(await docs.drop({ missingOk: true }), false);
});

for (const [kind, of] of Object.entries({
  Float32Array: (flat) => flat,
  "Float32Array at an odd place": (flat) => Float32Array.of(0, ...flat).subarray(1),
  Float64Array: (flat) => Float64Array.from(flat),
  numbers: (flat) => [...flat],
  "arrays of numbers": (flat) => range(5).map((i) => [...flat.subarray(i * 16, (i + 1) * 16)]),
  Float32Arrays: (flat) => range(5).map((i) => flat.subarray(i * 16, (i + 1) * 16)),
})) {
  test(`vectors as ${kind} arrive bit by bit`, async () => {
    const vectors = vectorsOf(5, 16);
    const docs = await db.createCollection({ name: "kinds", dimension: 16, similarity: "l2" });
    await docs.insert(range(5), of(vectors));
    const records = await docs.get(range(5));
    assert.deepEqual(
      records.flatMap(({ vector }) => [...vector]),
      [...vectors],
    );
    const [hit] = await docs.search([...vectors.subarray(48, 64)], 1, { vectors: true });
    assert.deepEqual([hit.id, hit.distance, hit.vector], [3n, 0, vectors.slice(48, 64)]);
  });
}

test("numeric ids have 64 bits", async () => {
  const largest = 2n ** 64n - 1n;
  const docs = await db.createCollection({ name: "numbers", dimension: 16, similarity: "l2" });
  const vectors = vectorsOf(4, 16);
  await docs.insert([0, largest, 2n ** 63n, Number.MAX_SAFE_INTEGER], vectors);
  const hits = await docs.search(vectors.subarray(16, 32), 4);
  assert.equal(hits[0].id, largest);
  assert.deepEqual(new Set(hits.map(({ id }) => id)), new Set([0n, largest, 2n ** 63n, 2n ** 53n - 1n]));
  assert.deepEqual((await docs.get(BigUint64Array.of(largest, 5n))).missing, [5n]);
  assert.equal(await docs.delete(hits.map(({ id }) => id)), 4);
  await assert.rejects(docs.insert([1, 2 ** 53], vectors.subarray(0, 32)), {
    name: "RangeError",
    message: "ids[1] is 9007199254740992, expected 0 to 2^53 - 1, or a bigint up to 2^64 - 1",
  });
  await assert.rejects(docs.delete([1, "2"]), { name: "TypeError", message: /ids\[1\] is "2"/ });
  await assert.rejects(docs.delete(-1n), RangeError);
});

test("ids are strings", async () => {
  const docs = await db.createCollection({ name: "names", dimension: 16, similarity: "l2", ids: "string" });
  const vectors = vectorsOf(3, 16);
  await docs.insert(["rot", "grün", "blau"], vectors);
  assert.equal((await docs.search(vectors.subarray(16, 32), 1))[0].id, "grün");
  assert.equal((await docs.searchBatch(vectors, 5))[2][0].id, "blau");
  assert.deepEqual((await docs.get(["rot", "gelb"])).missing, ["gelb"]);
  assert.equal(await docs.delete("rot"), 1);
  await assert.rejects(docs.delete(["\ud800"]), { name: "TypeError", message: /well-formed/ });
});

test("payloads come back as they were given", async () => {
  const docs = await db.createCollection({ name: "payloads", dimension: 16, similarity: "l2" });
  const given = [{ a: [1, null], b: "ü" }, [1, 2], Uint8Array.of(0, 255), "text", null, undefined, Buffer.from("{")];
  await docs.insert(range(7), vectorsOf(7, 16), given);
  const payloads = (await docs.get(range(7))).map(({ payload }) => payload);
  assert.deepEqual(payloads, [
    { a: [1, null], b: "ü" },
    [1, 2],
    Buffer.of(0, 255),
    Buffer.from("text"),
    undefined,
    undefined,
    Buffer.from("{"),
  ]);
});

test("an error names field, value and expectation", async () => {
  const docs = await db.createCollection({ name: "errors", dimension: 16, similarity: "l2" });
  const wrong = await docs.search(new Float32Array(5), 1).catch((error) => error);
  assert.ok(wrong instanceof InvalidArgumentError);
  assert.deepEqual(
    [wrong.name, wrong.code, wrong.reason],
    ["InvalidArgumentError", "INVALID_ARGUMENT", "DIMENSION_MISMATCH"],
  );
  assert.deepEqual([wrong.field, wrong.value, wrong.expected], ["vector_le", "5 components", "16 components"]);
  assert.equal(wrong.violations[0].field, "vector_le");
  assert.equal(wrong.retryAfter, undefined);
  await assert.rejects(docs.insert(1, new Float32Array(16).fill(NaN)), { reason: "NOT_FINITE" });
  const missing = await db
    .collection("nowhere")
    .count()
    .catch((error) => error);
  assert.ok(missing instanceof NotFoundError);
  assert.equal(missing.metadata.collection, "nowhere");
  const again = { name: "errors", dimension: 16, similarity: "l2" };
  await assert.rejects(db.createCollection(again), AlreadyExistsError);
  assert.equal(await (await db.createCollection({ ...again, existOk: true })).count(), 0);
});

test("what does not fit together is not sent", async () => {
  const docs = db.collection("none");
  await assert.rejects(db.createCollection({ name: "x", dimension: 16, similarity: "euclid" }), {
    name: "RangeError",
    message: 'similarity is "euclid", expected one of l2, cosine, inner_product',
  });
  await assert.rejects(docs.insert([1, 2], vectorsOf(1, 5)), {
    message: "vectors has 5 components for 2 ids, expected one row an id",
  });
  await assert.rejects(docs.insert([1, 2], [[1, 2, 3]]), { message: /1 rows for 2 ids/ });
  await assert.rejects(docs.insert([1, 2], [[1, 2], [3]]), { message: /vectors\[1\] has 1 components, expected 2/ });
  await assert.rejects(docs.insert(1, [1, null]), { name: "TypeError", message: "vectors has null, expected numbers" });
  await assert.rejects(docs.insert(1, Buffer.alloc(8)), { name: "TypeError", message: /of type Buffer/ });
  await assert.rejects(docs.insert(1, [1, 2], [{}, {}]), { message: "payloads is 2 long, expected 1: one an id" });
  await assert.rejects(docs.insert(1, [1, 2], [3]), { name: "TypeError", message: /payloads\[0\] is 3/ });
});

test("modes tell conflicts", async () => {
  const docs = await db.createCollection({ name: "modes", dimension: 16, similarity: "l2" });
  await docs.insert([1, 2], vectorsOf(2, 16));
  const result = await docs.insert([2, 3], vectorsOf(2, 16), null, { mode: "insert_only" });
  assert.deepEqual([result.insertedCount, result.conflictCount, result.conflicts], [1, 1, [0]]);
  assert.equal((await docs.insert(4, vectorsOf(1, 16), null, { mode: "update_only" })).conflictCount, 1);
});

test("a call that is aborted rejects with the reason, and the next one is served", async () => {
  const docs = await db.createCollection({ name: "aborted", dimension: 16, similarity: "l2" });
  const controller = new AbortController();
  const search = docs.search(vectorsOf(1, 16), 1, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(search, { message: "enough" });
  await assert.rejects(docs.count({ signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(await docs.count(), 0);
});

test("a deadline holds, with a server and without", async () => {
  const docs = await db.createCollection({ name: "late", dimension: 16, similarity: "l2" });
  const late = await docs.count({ timeout: 0 }).catch((error) => error);
  assert.ok(late instanceof DeadlineExceededError);
  assert.equal(late.code, "DEADLINE_EXCEEDED");

  const nobody = connect("127.0.0.1:1");
  const start = performance.now();
  const error = await nobody.stats({ timeout: 1 }).catch((error) => error);
  assert.ok(error instanceof UnavailableError || error instanceof DeadlineExceededError, String(error));
  assert.ok(performance.now() - start < 30_000);
  const controller = new AbortController();
  const stats = nobody.stats({ timeout: Infinity, signal: controller.signal });
  setImmediate(() => controller.abort());
  await assert.rejects(stats, { name: "AbortError" });
  nobody.close();
});

test("a call waits for a server that starts", async () => {
  const docs = await db.createCollection({ name: "waits", dimension: 16, similarity: "l2" });
  await server.kill();
  const once = connect(server.target, { retry: { enabled: false } });
  await assert.rejects(once.stats(), UnavailableError);
  once.close();
  const started = server.start();
  assert.equal(await docs.count({ timeout: 120 }), 0);
  await started;
});

test("the sample is that of the README and prints what the README says", async () => {
  const sample = new URL("../quickstart.js", import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(sample), server.target]);
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  assert.equal(stdout, readme.match(/```text\n(.*?)```/s)[1]);
  assert.ok(readFileSync(sample, "utf8").endsWith(readme.match(/```js\n(.*?)```/s)[1]));
});
