import type { ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import type { BulkResult, BulkStream } from "./bulk.js";
import { type Calls, pause } from "./calls.js";
import { DeadlineExceededError, errorOf, OmenDBError } from "./errors.js";
import { type BulkInsertResponse, VectorService } from "./gen/omendb/v1/vector_service_pb.js";
import { retryDelay } from "./retry.js";

const LEAVE_MILLIS = 1_000;

/** Moves a bulk stream to its end, over as many connections as that takes. Throws the signal's reason. */
export async function drive(
  calls: Calls,
  stream: BulkStream,
  stallTimeout: number,
  signal: AbortSignal | undefined,
): Promise<BulkResult> {
  try {
    return await driveConnections(calls, stream, stallTimeout, signal);
  } finally {
    stream.release();
  }
}

async function driveConnections(
  calls: Calls,
  stream: BulkStream,
  stallTimeout: number,
  signal: AbortSignal | undefined,
): Promise<BulkResult> {
  let attempt = 0;
  let lastWord = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const connection = new Connection(calls, stream, stallTimeout);
    const error = await connection.run(signal);
    if (error === undefined) {
      return stream.finish();
    }
    if (connection.answered) {
      attempt = 0;
      lastWord = performance.now();
    }
    if (error.reason === "STREAM_FINISHED" && stream.closed) {
      return stream.finish(); // the last answer was lost on its way
    }
    attempt++;
    const delay = retryDelay(calls.retry, error, attempt, true);
    if (delay === undefined || performance.now() + delay * 1_000 > lastWord + stallTimeout * 1_000) {
      throw error;
    }
    stream.broke();
    await pause(delay, signal);
  }
}

/** One connection of a bulk stream. */
class Connection {
  answered = false;
  private readonly call: ClientDuplexStream<Uint8Array, BulkInsertResponse>;
  private readonly ended: Promise<OmenDBError | undefined>;
  private end!: (error?: OmenDBError) => void;
  private fail!: (fault: unknown) => void;
  private readonly stall: NodeJS.Timeout;
  private over = false; // for us
  private gone = false; // for the server

  constructor(
    calls: Calls,
    private readonly stream: BulkStream,
    private readonly stallTimeout: number,
  ) {
    this.call = calls.stream(VectorService.method.bulkInsert);
    this.stall = setTimeout(() => this.stalled(), stallTimeout * 1_000);
    this.ended = new Promise((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
  }

  /** To its end: returns why it broke, or undefined; throws what is not the server's fault. */
  async run(signal: AbortSignal | undefined): Promise<OmenDBError | undefined> {
    const { call } = this;
    const abort = () => this.fail(signal!.reason);
    signal?.addEventListener("abort", abort);
    call.on("error", (error) => {
      this.gone = true;
      this.end(errorOf(error as ServiceError));
    });
    call.on("end", () => {
      this.gone = true;
      this.end();
    });
    call.on("drain", () => this.pump());
    call.on("data", (answer: BulkInsertResponse) => {
      if (this.over) {
        return;
      }
      this.stall.refresh();
      this.answered = true;
      this.guard(() => this.stream.answered(answer));
      this.pump();
    });
    try {
      call.write(this.stream.connect());
      return await this.ended;
    } finally {
      this.over = true;
      clearTimeout(this.stall);
      signal?.removeEventListener("abort", abort);
      this.leave();
    }
  }

  /**
   * Cancels the call. Node's HTTP/2 ends the client's side before it resets a stream, which the server would take for
   * the close that finishes a stream for good; an empty frame, which has no number, breaks the stream before that.
   */
  private leave(): void {
    const { call } = this;
    if (this.gone || call.writableEnded) {
      call.cancel();
      return;
    }
    // A frame that flow control holds back holds back the end of the client's side too.
    const timer = setTimeout(() => call.cancel(), LEAVE_MILLIS).unref();
    call.write(new Uint8Array(), () => {
      clearTimeout(timer);
      call.cancel();
    });
  }

  /** Sends what may be sent now. */
  private pump(): void {
    this.guard(() => {
      const { call, stream } = this;
      while (!this.over && !call.writableNeedDrain && !call.writableEnded) {
        switch (stream.step()) {
          case "wait":
            return;
          case "take":
            stream.take().then(() => this.took(), this.fail);
            return;
          case "send":
            call.write(stream.send());
            break;
          case "close":
            stream.close();
            call.end();
            return;
        }
      }
    });
  }

  private took(): void {
    if (!this.over) {
      this.stall.refresh(); // the time until then was the caller's
      this.pump();
    }
  }

  /** A stream has no deadline: one that owes an answer, and gives none for too long, is given up. */
  private stalled(): void {
    if (this.stream.owed) {
      this.end(new DeadlineExceededError(`no word from the server for ${this.stallTimeout} s`, "DEADLINE_EXCEEDED"));
    } else {
      this.stall.refresh();
    }
  }

  /** What goes wrong here is told to the caller, and not to gRPC. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (fault) {
      this.over = true;
      this.fail(fault);
    }
  }
}
