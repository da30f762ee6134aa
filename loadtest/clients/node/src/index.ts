/**
 * OmenDB from Node: Float32Array in, Float32Array out.
 *
 * ```js
 * const db = connect("127.0.0.1:50051");
 * const docs = await db.createCollection({ name: "docs", dimension: 384, similarity: "cosine" });
 * await docs.bulkInsert(ids, vectors, titles.map((title) => ({ title })));
 * const [nearest] = await docs.search(query, 10, { payloads: true });
 * ```
 *
 * @packageDocumentation
 */
export type { BulkProgress, BulkResult, RefusedFrame, RefusedRow } from "./bulk.js";
export type { CallOptions, ConnectOptions } from "./calls.js";
export { type Client, type Collection, connect, type Rows } from "./client.js";
export type { Violation } from "./details.js";
export {
  AlreadyExistsError,
  BulkInsertError,
  type Code,
  DataLossError,
  DeadlineExceededError,
  InvalidArgumentError,
  NotFoundError,
  OmenDBError,
  ResourceExhaustedError,
  UnavailableError,
} from "./errors.js";
export type {
  BulkOptions,
  CreateOptions,
  DropOptions,
  GetOptions,
  InsertOptions,
  Mode,
  SearchOptions,
} from "./requests.js";
export type { BatchHits, Hit, Hits, InsertResult, Records, StoredRecord } from "./results.js";
export type { RetryPolicy } from "./retry.js";
export type { Ids, Payload, Vectors } from "./wire.js";
