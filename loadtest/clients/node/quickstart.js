// One task from Node: create, load, read what was written, search, delete; and what can go wrong.
import { connect, DeadlineExceededError, InvalidArgumentError } from "omendb";

// Repeatable random vectors, all in one array: row by row.
const dimension = 64;
const vectors = new Float32Array(10_000 * dimension);
for (let i = 0, state = 1; i < vectors.length; i++) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  vectors[i] = state / 2 ** 31 - 1;
}
const row = (i) => vectors.subarray(i * dimension, (i + 1) * dimension);
const ids = Array.from({ length: 10_000 }, (_, i) => i);
const payloads = ids.map((i) => ({ row: i }));

const db = connect(process.argv[2] ?? "127.0.0.1:50051");
await db.dropCollection("docs", { missingOk: true });
const docs = await db.createCollection({ name: "docs", dimension, similarity: "cosine" });

// Goes on by itself after a break, or a restart of the server.
const loaded = await docs.bulkInsert(ids, vectors, payloads);
console.log("loaded", loaded.rowCount);

// Ids come back as bigint: they have 64 bits. What was inserted is found at once.
const near = row(8).map((component, i) => component + row(7)[i] / 10);
await docs.insert(2n ** 64n - 1n, near, [{ row: "the last" }]);
for (const { id, payload } of await docs.search(row(8), 2, { payloads: true })) {
  console.log("found", id, payload);
}
console.log("deleted", await docs.delete([7, 8]), "left", await docs.count());

try {
  await docs.search([1, 2, 3], 10);
} catch (error) {
  if (!(error instanceof InvalidArgumentError)) throw error;
  console.log(`${error.reason}: ${error.field} has ${error.value}, expected ${error.expected}`);
}

// A deadline in seconds, repetitions included: none is left here.
await docs.search(row(9), 10, { timeout: 0 }).catch((error) => {
  if (!(error instanceof DeadlineExceededError)) throw error;
  console.log(error.code);
});

const controller = new AbortController();
const search = docs.search(row(9), 10, { signal: controller.signal });
controller.abort();
await search.catch((error) => console.log(error.name));

db.close();
