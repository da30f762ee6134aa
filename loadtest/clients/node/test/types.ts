// What a TypeScript caller writes; compiled only.
import {
  BulkInsertError,
  type BulkResult,
  type Client,
  type Collection,
  connect,
  type Hits,
  InvalidArgumentError,
  OmenDBError,
} from "omendb";
import { type CollectionStats, Similarity } from "omendb/v1";

const db: Client = connect("127.0.0.1:50051", { retry: { maxDelay: 1 } });
const docs: Collection = await db.createCollection({
  name: "docs",
  dimension: 2,
  similarity: "cosine",
  ids: "numeric",
  profile: "speed",
  targetRecall: 0.95,
  m: 16,
  efConstruction: 100,
  existOk: true,
});

await docs.insert([1n, 2], new Float32Array(4), [{ a: 1 }, null], { mode: "insert_only", timeout: 1 });
await docs.insert("a", [1, 2]);
await docs.insert(BigUint64Array.of(1n), [[1, 2]], [new Uint8Array(1)]);
const result: BulkResult = await docs.bulkInsert([1, 2], new Float64Array(4), undefined, {
  streamId: "import",
  visibility: "after_build",
  onProgress: ({ receivedCount, totalCount }) => console.log(receivedCount / (totalCount ?? 1)),
  signal: AbortSignal.timeout(1_000),
});
await docs.bulkInsertBlocks(
  [
    [[1], [1, 2]],
    [[2], [3, 4], [{ b: 2 }]],
  ],
  { stallTimeout: 1 },
);

const hits: Hits = await docs.search(new Float32Array(2), 3, { payloads: true, vectors: true, maxDistance: 0.5 });
const found: { id: bigint | string; distance: number }[] = hits;
const vector: Float32Array | undefined = hits[0]?.vector;
const title: string = hits[0]?.payload.title;
const sequence: bigint = (
  await docs.searchBatch(
    [
      [1, 2],
      [3, 4],
    ],
    3,
  )
).visibleSequence;
const missing: (bigint | string)[] = (await docs.get(hits.map(({ id }) => id))).missing;
const deleted: number = await docs.delete(hits.map(({ id }) => id));
const stats: CollectionStats = await docs.stats();
const cosine: boolean = (await docs.info()).config?.similarity === Similarity.COSINE;
console.log(result.rowCount, found, vector, title, sequence, missing, deleted, stats.liveCount, cosine);

try {
  await docs.drop({ missingOk: true, signal: AbortSignal.timeout(1_000) });
} catch (error) {
  if (error instanceof BulkInsertError) {
    console.log(error.result.refused[0]?.items[0]?.row);
  } else if (error instanceof InvalidArgumentError) {
    console.log(error.field, error.value, error.expected, error.violations[0]?.description);
  } else if (error instanceof OmenDBError && error.code === "UNAVAILABLE") {
    console.log(error.reason, error.retryAfter, error.metadata["collection"]);
  }
}

// @ts-expect-error a silent default would give wrong neighbours
await db.createCollection({ name: "docs", dimension: 2 });
// @ts-expect-error not a similarity
await db.createCollection({ name: "docs", dimension: 2, similarity: "euclid" });
// @ts-expect-error not a code
export const never: boolean = new OmenDBError("").code === "NO_SUCH_CODE";
