import { create, toBinary } from "@bufbuild/protobuf";
import type { CallOptions } from "./calls.js";
import { CreateCollectionRequestSchema } from "./gen/omendb/v1/collection_service_pb.js";
import { IdKind, Profile, Similarity, VectorFormat } from "./gen/omendb/v1/types_pb.js";
import {
  type BulkInsertRequest,
  BulkInsertRequestSchema,
  InsertRequestSchema,
  SearchBatchRequestSchema,
  SearchRequestSchema,
  Visibility,
  WriteMode,
} from "./gen/omendb/v1/vector_service_pb.js";
import type { BulkProgress } from "./bulk.js";

/** A collection to make. */
export interface CreateOptions extends CallOptions {
  /** Letters, digits, `_` and `-`, at most 64. */
  name: string;
  /** Components of a vector, 2 to 8192. */
  dimension: number;
  /** How near two vectors are. */
  similarity: "l2" | "cosine" | "inner_product";
  /** What its ids are. Default: `numeric`. */
  ids?: "numeric" | "string";
  /** `speed`: some twice the memory for searches in half the time. Default: `memory`. */
  profile?: "memory" | "speed";
  /** Recall for which the default search is calibrated. Default: 0.99. */
  targetRecall?: number;
  /** Neighbours a node, of HNSW. Default: 16. */
  m?: number;
  /** Width of the beam while building, of HNSW. Default: 100. */
  efConstruction?: number;
  /** Take one that is there, whatever its settings. Default: no. */
  existOk?: boolean;
}

/** How to drop a collection. */
export interface DropOptions extends CallOptions {
  /** It may be missing. Default: NotFoundError. */
  missingOk?: boolean;
}

/** What a write does with an id that is there: replace the record, or apply only those that are not, or are, there. */
export type Mode = "upsert" | "insert_only" | "update_only";

/** How to insert. */
export interface InsertOptions extends CallOptions {
  /** Default: `upsert`, which alone may be repeated, and is where no server was found. */
  mode?: Mode;
}

/** How to insert many. */
export interface BulkOptions {
  /** Default: `upsert`. */
  mode?: Mode;
  /**
   * A name under which a later call with the same rows goes on where this one stopped. Default: a name by chance, for
   * this call alone.
   */
  streamId?: string;
  /**
   * `immediate`: rows are found as they come; `after_build`: they are built at once at the end, which is faster.
   * Default: the server's choice.
   */
  visibility?: "immediate" | "after_build";
  /** Return when searches find all rows, and not already when they are durable. Default: yes. */
  waitSearchable?: boolean;
  /** Rows a frame; must be the same where a stream is resumed. Default: 256 KiB of vectors. */
  frameRows?: number;
  /** Told how far it has got, with each answer of the server. */
  onProgress?: (progress: BulkProgress) => void;
  /** Seconds without a word from the server after which it is given up. Default: 60. */
  stallTimeout?: number;
  /** Ends the insert, which then rejects with the signal's reason; the rows acknowledged stay. */
  signal?: AbortSignal;
}

/** How to search. */
export interface SearchOptions extends CallOptions {
  /** Width of the beam. Default: what was calibrated for the collection's target recall. */
  ef?: number;
  /** Compare all records. Default: no. */
  exact?: boolean;
  /** Only hits as near as this. */
  maxDistance?: number;
  /** Return payloads. Default: no. */
  payloads?: boolean;
  /** Return vectors. Default: no. */
  vectors?: boolean;
  /** Return how the answer was found. Default: no. */
  explain?: boolean;
  /** Wait until every write up to this commitSequence is visible. */
  minVisibleSequence?: bigint;
}

/** How to read records. */
export interface GetOptions extends CallOptions {
  /** Return payloads. Default: yes. */
  payloads?: boolean;
  /** Return vectors. Default: yes. */
  vectors?: boolean;
}

export function createRequest(options: CreateOptions): Uint8Array {
  const { name, dimension, similarity, ids = "numeric", profile = "memory" } = options;
  const { targetRecall = 0, m = 0, efConstruction = 0 } = options;
  const config = {
    name,
    dimension,
    similarity: choice(Similarity, "similarity", similarity),
    idKind: choice(IdKind, "ids", ids),
    profile: choice(Profile, "profile", profile),
    targetRecall,
    m,
    efConstruction,
  };
  return toBinary(CreateCollectionRequestSchema, create(CreateCollectionRequestSchema, { config }));
}

export function insertHead(collection: string, mode: Mode): Uint8Array {
  const request = create(InsertRequestSchema, { collection, mode: choice(WriteMode, "mode", mode) });
  return toBinary(InsertRequestSchema, request);
}

export function bulkOpening(collection: string, options: BulkOptions): BulkInsertRequest {
  const { mode = "upsert", streamId = "", visibility, waitSearchable = true } = options;
  return create(BulkInsertRequestSchema, {
    collection,
    mode: choice(WriteMode, "mode", mode),
    streamId,
    visibility: visibility === undefined ? Visibility.UNSPECIFIED : choice(Visibility, "visibility", visibility),
    waitSearchable,
  });
}

export function searchHead(
  schema: typeof SearchRequestSchema | typeof SearchBatchRequestSchema,
  collection: string,
  k: number,
  options: SearchOptions,
): Uint8Array {
  const { ef = 0, exact = false, maxDistance, explain = false, minVisibleSequence = 0n } = options;
  const fields = {
    collection,
    k,
    ef,
    exact,
    maxDistance,
    includePayloads: options.payloads ?? false,
    includeVectors: options.vectors ?? false,
    vectorFormat: VectorFormat.BYTES_LE,
    explain,
    minVisibleSequence,
  };
  return schema === SearchRequestSchema
    ? toBinary(SearchRequestSchema, create(SearchRequestSchema, fields as object))
    : toBinary(SearchBatchRequestSchema, create(SearchBatchRequestSchema, fields as object));
}

/** The value of an enum by its name in lower case. */
function choice<E extends Record<string, string | number>>(values: E, field: string, name: string): number {
  const names = Object.keys(values).filter((key) => Number.isNaN(Number(key)) && key !== "UNSPECIFIED");
  const found = names.find((key) => key.toLowerCase() === name);
  if (found === undefined) {
    throw new RangeError(`${field} is ${JSON.stringify(name)}, expected one of ${names.join(", ").toLowerCase()}`);
  }
  return values[found] as number;
}
