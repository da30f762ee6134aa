import type {
  GetResponse,
  Hit as HitMessage,
  InsertResponse,
  SearchBatchResponse,
  SearchExplain,
  SearchResponse,
  VectorRecord as RecordMessage,
} from "./gen/omendb/v1/vector_service_pb.js";
import { decodePayload, decodeVector } from "./wire.js";

/** What an insert did. */
export interface InsertResult {
  /** The collection's log position of this write, for `minVisibleSequence`. */
  commitSequence: bigint;
  /** Rows whose id was not there before. */
  insertedCount: number;
  /** Rows that replaced a record. */
  updatedCount: number;
  /** Rows not applied under `insert_only` or `update_only`. */
  conflictCount: number;
  /** Positions of the first of them, at most 100. */
  conflicts: number[];
}

/** A record that was read. What it holds is the caller's. */
export interface StoredRecord {
  /** bigint in a collection of numeric ids, string in one of string ids. */
  id: bigint | string;
  /** If asked for and there: what JSON.parse makes of an object or array, a Buffer of anything else. */
  payload?: any;
  /** If asked for: as it was sent, bit by bit. */
  vector?: Float32Array;
}

/** A record that was found. */
export interface Hit extends StoredRecord {
  /** From the query by the collection's similarity: smaller is nearer. */
  distance: number;
}

/** The hits of one query by ascending distance. */
export interface Hits extends Array<Hit> {
  /** Every write up to this commitSequence was visible to the search. */
  visibleSequence: bigint;
  /** How the answer was found, if asked for; times in nanoseconds. */
  explain?: SearchExplain;
}

/** The hits of many queries, in the order of the queries. */
export interface BatchHits extends Array<Hits> {
  /** As of Hits, for all queries. */
  visibleSequence: bigint;
}

/** Records in the order asked for, without those that are missing. */
export interface Records extends Array<StoredRecord> {
  /** Ids that are not there, in the order asked for. */
  missing: (bigint | string)[];
}

export function insertResult(response: InsertResponse): InsertResult {
  const { commitSequence, insertedCount, updatedCount, conflictCount, conflicts } = response;
  return {
    commitSequence,
    insertedCount,
    updatedCount,
    conflictCount,
    conflicts: conflicts.map((conflict) => conflict.index),
  };
}

export function hitsOf({ hits, explain }: Pick<SearchResponse, "hits" | "explain">, visibleSequence: bigint): Hits {
  const found = hits.map((hit): Hit => {
    const { id, ...rest } = recordOf(hit);
    return { id, distance: hit.distance, ...rest };
  });
  return Object.assign(found, explain ? { visibleSequence, explain } : { visibleSequence });
}

export function batchHitsOf({ results, visibleSequence }: SearchBatchResponse): BatchHits {
  return Object.assign(
    results.map((result) => hitsOf(result, visibleSequence)),
    { visibleSequence },
  );
}

export function recordsOf({ records, missingNumericIds, missingStringIds }: GetResponse): Records {
  return Object.assign(records.map(recordOf), { missing: [...missingNumericIds, ...missingStringIds] });
}

function recordOf(message: HitMessage | RecordMessage): StoredRecord {
  const record: StoredRecord = { id: message.id.value! };
  if (message.payload.length > 0) {
    record.payload = decodePayload(message.payload);
  }
  if (message.vectorLe.length > 0) {
    record.vector = decodeVector(message.vectorLe);
  }
  return record;
}
