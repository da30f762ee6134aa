/**
 * A bulk insert: what was sent, how far the server has got, and what is to be sent again after a break. This is its
 * state; `driver.ts` moves it.
 */
import { randomUUID } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { BulkInsertError, OmenDBError } from "./errors.js";
import { DurabilityMode, ErrorReason } from "./gen/omendb/v1/types_pb.js";
import {
  type BulkInsertOpening,
  type BulkInsertRequest,
  BulkInsertRequestSchema,
  type BulkInsertResponse,
  type BulkInsertSummary,
  Pressure,
  type RefusedFrame as RefusedFrameMessage,
} from "./gen/omendb/v1/vector_service_pb.js";
import type { Block } from "./wire.js";

/** A frame of which nothing was applied. */
export interface RefusedFrame {
  /** Position of its first row in what the caller gave. */
  start: number;
  /** Its rows. */
  count: number;
  /** The name of an ErrorReason. */
  reason: string;
  message: string;
  /** The first invalid rows; empty where the fault is of the frame as a whole. */
  items: RefusedRow[];
}

/** A row that is not valid. */
export interface RefusedRow {
  /** Position in what the caller gave. */
  row: number;
  /** Path in the frame. */
  field: string;
  value: string;
  expected: string;
}

/** How far a bulk insert has got, in rows. */
export interface BulkProgress {
  /** Rows that the server has. */
  receivedCount: number;
  /** Rows that searches find. */
  searchableCount: number;
  /** Rows in all; undefined where they come block by block. */
  totalCount: number | undefined;
}

/** What a bulk insert did. */
export interface BulkResult {
  /** Under which it may be resumed. */
  streamId: string;
  /** Rows that the server has settled, refused ones included. */
  rowCount: number;
  /** Of them, rows that an earlier call with this streamId had written. */
  skippedCount: number;
  /** Rows whose id was not there before; undefined where a break lost the count. */
  insertedCount: number | undefined;
  /** Rows that replaced a record; undefined where a break lost the count. */
  updatedCount: number | undefined;
  /** Rows not applied under `insert_only` or `update_only`; undefined where a break lost the count. */
  conflictCount: number | undefined;
  /** How often the stream broke and was resumed. */
  reconnects: number;
  /** Frames of which nothing was applied. */
  refused: RefusedFrame[];
}

// Bytes of vectors in a frame: larger ones gain nothing.
const FRAME_BYTES = 256 << 10;
const FRAME_ROWS = 65_536;

// Bytes of payloads in it: with the vectors far below what a server takes as one message.
const FRAME_PAYLOAD_BYTES = 1 << 20;

// Frames under way that the server has not read, by its pressure. One that drains breaks the stream by itself.
const WINDOW = 64;
const WINDOWS: Partial<Record<Pressure, number>> = {
  [Pressure.THROTTLED]: 8,
  [Pressure.MEMORY]: 2,
  [Pressure.DISK]: 2,
  [Pressure.DRAINING]: 0,
};

// Frames kept to be sent again: views of the caller's arrays, or the blocks of an iterator.
const KEPT_FRAMES = 4_096;

/** What a stream wants next: a frame of the caller's rows, to send one, an answer, or to end its side. */
export type Step = "take" | "send" | "wait" | "close";

/** Frames with their numbers, and the server's marks. */
export class BulkStream {
  readonly result: BulkResult;
  /** All was sent, on this connection or an earlier one. */
  closed = false;

  private readonly opening: BulkInsertRequest;
  private readonly frames: AsyncGenerator<Block, void>;
  private readonly rows = new Rows();
  private readonly kept: Block[] = []; // frames settled + 1 to taken
  private taken = 0; // frames that were taken from the caller
  private taking: Promise<void> | undefined;
  private exhausted = false;
  private settled = 0; // the greatest frame that is not kept
  private next = 1; // to be sent on this connection
  private received = 0;
  private searchable = 0;
  private opened = false; // this connection
  private resumed = false; // the first connection was opened
  private window = WINDOW;
  private keepsDurable = true;

  constructor(
    opening: BulkInsertRequest,
    blocks: Iterable<Block> | AsyncIterable<Block>,
    private readonly totalCount: number | undefined,
    frameRows: number | undefined,
    private readonly onProgress: ((progress: BulkProgress) => void) | undefined,
  ) {
    opening.streamId ||= randomUUID();
    opening.resume = true;
    opening.expectedCount = BigInt(totalCount ?? 0);
    this.opening = opening;
    this.frames = framesOf(blocks, frameRows);
    this.result = {
      streamId: opening.streamId,
      rowCount: 0,
      skippedCount: 0,
      insertedCount: undefined,
      updatedCount: undefined,
      conflictCount: undefined,
      reconnects: 0,
      refused: [],
    };
  }

  /** Begins a connection; returns the message that opens it. */
  connect(): Uint8Array {
    this.opened = false;
    this.window = WINDOW;
    return toBinary(BulkInsertRequestSchema, this.opening);
  }

  /** The connection is gone. */
  broke(): void {
    this.result.reconnects++;
  }

  /** What to do next. */
  step(): Step {
    if (!this.opened || this.next - 1 - this.received >= this.window) {
      return "wait";
    }
    if (this.next <= this.taken) {
      return "send";
    }
    if (this.exhausted) {
      return "close";
    }
    return this.kept.length < KEPT_FRAMES ? "take" : "wait";
  }

  /** The server has something to say, and is not just waiting for the caller's rows. */
  get owed(): boolean {
    return !this.opened || this.received < this.next - 1 || this.closed;
  }

  /**
   * Takes a frame from the caller; one at a time, whichever connection asks. Rejects with the caller's own error, and
   * does so again on a later connection: the iterator itself would say that it has ended.
   */
  take(): Promise<void> {
    this.taking ??= this.takeOne();
    return this.taking;
  }

  private async takeOne(): Promise<void> {
    const { done, value: block } = await this.frames.next();
    this.taking = undefined;
    if (done) {
      this.exhausted = true;
      return;
    }
    this.taken++;
    this.rows.took(this.taken, block.length);
    if (this.taken > this.settled) {
      this.kept.push(block);
    } else {
      this.result.skippedCount = this.rows.upTo(this.taken); // written by an earlier call
    }
  }

  /** The frame to send, encoded. */
  send(): Buffer {
    const head = create(BulkInsertRequestSchema, { frameSequence: BigInt(this.next) });
    const block = this.kept[this.next - this.settled - 1]!;
    this.next++;
    return block.encode(toBinary(BulkInsertRequestSchema, head));
  }

  /** All frames were sent. */
  close(): void {
    this.closed = true;
  }

  /** Takes in an answer of the server. */
  answered(answer: BulkInsertResponse): void {
    for (const refused of answer.refusedFrames) {
      this.result.refused.push(this.refused(refused));
    }
    if (answer.opening) {
      this.open(answer.opening);
    }
    this.received = Math.max(this.received, Number(answer.receivedFrameSequence));
    this.searchable = Math.max(this.searchable, Number(answer.searchableFrameSequence));
    this.settle(this.keepsDurable ? Number(answer.durableFrameSequence) : this.received);
    if (answer.pressure !== Pressure.UNSPECIFIED) {
      this.window = WINDOWS[answer.pressure] ?? WINDOW;
    }
    if (answer.summary) {
      this.sumUp(answer.summary);
    }
    this.onProgress?.({
      receivedCount: this.rows.upTo(Math.min(this.received, this.taken)),
      searchableCount: this.rows.upTo(Math.min(this.searchable, this.taken)),
      totalCount: this.totalCount,
    });
  }

  private open(opening: BulkInsertOpening): void {
    const mark = Number(opening.durableFrameSequence);
    if (mark < this.settled) {
      throw new OmenDBError(
        `frames ${mark + 1} to ${this.settled} of stream ${this.result.streamId} were acknowledged and are lost, as a` +
          " power cut may do in durability mode OS: insert these rows again",
      );
    }
    // In mode OS the durable mark follows when a checkpoint syncs: what is kept would grow without end.
    this.keepsDurable = opening.durabilityMode !== DurabilityMode.OS;
    if (!this.resumed) {
      this.settled = mark;
      this.resumed = true;
    }
    this.received = mark;
    this.settle(mark);
    this.next = mark + 1;
    this.opened = true;
  }

  private settle(mark: number): void {
    const count = Math.min(mark - this.settled, this.kept.length);
    if (count > 0) {
      this.kept.splice(0, count);
      this.settled += count;
    }
  }

  private refused(frame: RefusedFrameMessage): RefusedFrame {
    const start = this.rows.upTo(Number(frame.frameSequence) - 1);
    return {
      start,
      count: this.rows.upTo(Number(frame.frameSequence)) - start,
      reason: ErrorReason[frame.reason] ?? String(frame.reason),
      message: frame.message,
      items: frame.items.map(({ index, field, value, expected }) => ({ row: start + index, field, value, expected })),
    };
  }

  private sumUp(summary: BulkInsertSummary): void {
    if (this.result.reconnects === 0) {
      this.result.insertedCount = Number(summary.insertedCount);
      this.result.updatedCount = Number(summary.updatedCount);
      this.result.conflictCount = Number(summary.conflictCount);
    }
  }

  /** The result, after the server has ended the stream. Throws BulkInsertError where frames were refused. */
  finish(): BulkResult {
    const { result } = this;
    result.rowCount = this.rows.upTo(this.taken);
    const first = result.refused[0];
    if (first) {
      const rows = result.refused.reduce((sum, frame) => sum + frame.count, 0);
      throw new BulkInsertError(
        `${rows} of ${result.rowCount} rows, in ${result.refused.length} frames, were refused;` +
          ` rows ${first.start} to ${first.start + first.count - 1}: ${first.message}`,
        result,
      );
    }
    return result;
  }

  /** Ends the caller's iterator, which may hold a file. */
  release(): void {
    this.frames.return().catch(() => {}); // the insert's own outcome counts
  }
}

/** How many rows the first so many frames hold; runs of frames of one length are one entry. */
class Rows {
  private readonly runs: { first: number; before: number; rows: number }[] = [];

  took(frame: number, rows: number): void {
    if (this.runs.at(-1)?.rows !== rows) {
      this.runs.push({ first: frame, before: this.upTo(frame - 1), rows });
    }
  }

  upTo(frame: number): number {
    const run = this.runs.findLast(({ first }) => first <= frame);
    return run ? run.before + (frame - run.first + 1) * run.rows : 0;
  }
}

async function* framesOf(
  blocks: Iterable<Block> | AsyncIterable<Block>,
  frameRows: number | undefined,
): AsyncGenerator<Block, void> {
  for await (const block of blocks) {
    const rows =
      frameRows ?? Math.min(FRAME_ROWS, Math.max(1, Math.floor(FRAME_BYTES / Math.max(1, 4 * block.dimension))));
    const payloadBytes = frameRows ? Infinity : FRAME_PAYLOAD_BYTES;
    for (let start = 0; start < block.length; ) {
      const frame = block.frame(start, rows, payloadBytes);
      yield frame;
      start += frame.length;
    }
  }
}
