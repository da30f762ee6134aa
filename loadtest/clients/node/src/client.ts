import {
  create,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type BulkResult, BulkStream } from "./bulk.js";
import { type CallOptions, Calls, type ConnectOptions } from "./calls.js";
import { drive } from "./driver.js";
import { OmenDBError } from "./errors.js";
import { AdminService, type CollectionStats, type StatsResponse } from "./gen/omendb/v1/admin_service_pb.js";
import { type CollectionInfo, CollectionService } from "./gen/omendb/v1/collection_service_pb.js";
import { VectorFormat } from "./gen/omendb/v1/types_pb.js";
import {
  DeleteRequestSchema,
  GetRequestSchema,
  SearchBatchRequestSchema,
  SearchRequestSchema,
  VectorService,
} from "./gen/omendb/v1/vector_service_pb.js";
import {
  bulkOpening,
  type BulkOptions,
  createRequest,
  type CreateOptions,
  type DropOptions,
  type GetOptions,
  insertHead,
  type InsertOptions,
  searchHead,
  type SearchOptions,
} from "./requests.js";
import {
  type BatchHits,
  batchHitsOf,
  type Hits,
  hitsOf,
  type InsertResult,
  insertResult,
  type Records,
  recordsOf,
} from "./results.js";
import { Block, encode, idColumn, type Ids, type Payload, type Vectors, vectorParts } from "./wire.js";

/** Rows of a bulk insert that come block by block. */
export type Rows = [ids: Ids, vectors: Vectors, payloads?: readonly Payload[]];

/**
 * A client of a server. It connects with the first call, and again after a break.
 *
 * @param target `host:port`
 */
export function connect(target = "127.0.0.1:50051", options: ConnectOptions = {}): Client {
  return new Client(target, options);
}

/** The collections of a server. Calls may run side by side; those that fail reject with OmenDBError. */
export class Client {
  private readonly calls: Calls;

  /** @internal */
  constructor(target: string, options: ConnectOptions) {
    this.calls = new Calls(target, options);
  }

  /**
   * Makes a collection, durably.
   *
   * @throws AlreadyExistsError there is one of this name, and not `existOk`
   */
  async createCollection(options: CreateOptions): Promise<Collection> {
    try {
      await this.calls.unary(CollectionService.method.createCollection, createRequest(options), options);
    } catch (error) {
      if (!(options.existOk && error instanceof OmenDBError && error.reason === "COLLECTION_EXISTS")) {
        throw error;
      }
    }
    return this.collection(options.name);
  }

  /** A collection by its name; no call is made. */
  collection(name: string): Collection {
    return new Collection(this, this.calls, name);
  }

  /** All collections, by ascending name. */
  async collections(options: CallOptions = {}): Promise<CollectionInfo[]> {
    const found: CollectionInfo[] = [];
    let pageToken = "";
    do {
      const page = await call(this.calls, CollectionService.method.listCollections, { pageToken }, options);
      found.push(...page.collections);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return found;
  }

  /** Removes a collection and its data for good; returns whether it was there. */
  async dropCollection(name: string, options: DropOptions = {}): Promise<boolean> {
    const request = { collection: name, allowMissing: options.missingOk ?? false };
    return (await call(this.calls, CollectionService.method.dropCollection, request, options)).dropped;
  }

  /** How the server and all its collections stand. */
  async stats(options: CallOptions = {}): Promise<StatsResponse> {
    return call(this.calls, AdminService.method.stats, {}, options);
  }

  /** Closes the connection. Await the calls that run before; later ones fail. */
  close(): void {
    this.calls.close();
  }
}

/** The data of a collection. */
export class Collection {
  /** @internal */
  constructor(
    private readonly client: Client,
    private readonly calls: Calls,
    readonly name: string,
  ) {}

  /** Settings, state and count. */
  async info(options: CallOptions = {}): Promise<CollectionInfo> {
    const request = { collection: this.name };
    return (await call(this.calls, CollectionService.method.getCollection, request, options)).collection!;
  }

  /**
   * Writes up to 65,536 rows as one unit, all or none; searches find them when it returns. The rows may be changed as
   * soon as the call is made.
   *
   * @param payloads one an id
   * @throws TypeError, RangeError the columns do not fit together; no call is made
   */
  async insert(
    ids: Ids,
    vectors: Vectors,
    payloads?: readonly Payload[] | null,
    options: InsertOptions = {},
  ): Promise<InsertResult> {
    const { mode = "upsert" } = options;
    const message = Block.of(ids, vectors, payloads).encode(insertHead(this.name, mode));
    return insertResult(await this.calls.unary(VectorService.method.insert, message, options, mode === "upsert"));
  }

  /**
   * Writes any number of rows as a stream, which goes on by itself after a break or a restart of the server. The arrays
   * are read while it runs and must not change before it returns.
   *
   * @param payloads one an id
   * @throws BulkInsertError rows were refused; all others were applied
   */
  async bulkInsert(
    ids: Ids,
    vectors: Vectors,
    payloads?: readonly Payload[] | null,
    options: BulkOptions = {},
  ): Promise<BulkResult> {
    const block = Block.of(ids, vectors, payloads);
    return this.bulk([block], block.length, options);
  }

  /** As `bulkInsert`, of rows that come block by block, as fast as they can be sent. */
  async bulkInsertBlocks(blocks: Iterable<Rows> | AsyncIterable<Rows>, options: BulkOptions = {}): Promise<BulkResult> {
    return this.bulk(blocksOf(blocks), undefined, options);
  }

  private bulk(
    blocks: Iterable<Block> | AsyncIterable<Block>,
    total: number | undefined,
    options: BulkOptions,
  ): Promise<BulkResult> {
    const { frameRows, onProgress, stallTimeout = 60, signal } = options;
    if (frameRows !== undefined && !(Number.isSafeInteger(frameRows) && frameRows > 0)) {
      throw new RangeError(`frameRows is ${frameRows}, expected 1 to 65536`);
    }
    const stream = new BulkStream(bulkOpening(this.name, options), blocks, total, frameRows, onProgress);
    return drive(this.calls, stream, stallTimeout, signal);
  }

  /**
   * The k nearest records.
   *
   * @param query one vector
   * @param k 1 to 1,000
   */
  async search(query: ArrayLike<number>, k = 10, options: SearchOptions = {}): Promise<Hits> {
    const head = searchHead(SearchRequestSchema, this.name, k, options);
    const request = encode(head, { vectors: vectorParts(query, "query") });
    const response = await this.calls.unary(VectorService.method.search, request, options);
    return hitsOf(response, response.visibleSequence);
  }

  /** The k nearest records of each of up to 1,024 queries; one invalid query refuses all. */
  async searchBatch(queries: Vectors, k = 10, options: SearchOptions = {}): Promise<BatchHits> {
    const head = searchHead(SearchBatchRequestSchema, this.name, k, options);
    const request = encode(head, { vectors: vectorParts(queries, "queries") });
    return batchHitsOf(await this.calls.unary(VectorService.method.searchBatch, request, options));
  }

  /** Reads up to 10,000 records; ids that are not there are in `missing`. */
  async get(ids: Ids, options: GetOptions = {}): Promise<Records> {
    const { payloads = true, vectors = true } = options;
    const head = create(GetRequestSchema, {
      collection: this.name,
      includePayloads: payloads,
      includeVectors: vectors,
      vectorFormat: VectorFormat.BYTES_LE,
    });
    const request = encode(toBinary(GetRequestSchema, head), { ids: idColumn(ids) });
    return recordsOf(await this.calls.unary(VectorService.method.get, request, options));
  }

  /** Deletes up to 65,536 records as one unit; returns how many were there. */
  async delete(ids: Ids, options: CallOptions = {}): Promise<number> {
    const head = toBinary(DeleteRequestSchema, create(DeleteRequestSchema, { collection: this.name }));
    const request = encode(head, { ids: idColumn(ids) });
    return (await this.calls.unary(VectorService.method.delete, request, options)).deletedCount;
  }

  /** Live records. */
  async count(options: CallOptions = {}): Promise<number> {
    return Number((await call(this.calls, VectorService.method.count, { collection: this.name }, options)).count);
  }

  /** Counts, sizes in bytes, sequences and quality. */
  async stats(options: CallOptions = {}): Promise<CollectionStats> {
    return (await call(this.calls, AdminService.method.stats, { collection: this.name }, options)).collections[0]!;
  }

  /** Removes the collection and its data for good; returns whether it was there. */
  async drop(options: DropOptions = {}): Promise<boolean> {
    return this.client.dropCollection(this.name, options);
  }
}

/** A call of a request that is no more than its message. */
function call<I extends DescMessage, O extends DescMessage>(
  calls: Calls,
  method: DescMethod & { input: I; output: O },
  request: MessageInitShape<I>,
  options: CallOptions,
): Promise<MessageShape<O>> {
  return calls.unary(method, toBinary(method.input, create(method.input, request)), options);
}

async function* blocksOf(blocks: Iterable<Rows> | AsyncIterable<Rows>): AsyncGenerator<Block> {
  for await (const [ids, vectors, payloads] of blocks) {
    yield Block.of(ids, vectors, payloads);
  }
}
