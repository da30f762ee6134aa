import { setTimeout as sleep } from "node:timers/promises";
import { type DescMessage, type DescMethod, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import {
  type ChannelCredentials,
  Client as GrpcClient,
  type ClientDuplexStream,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import { errorOf, OmenDBError } from "./errors.js";
import { DEFAULT_RETRY, retryDelay, type RetryPolicy } from "./retry.js";

/** What every call takes. */
export interface CallOptions {
  /** Seconds that the call may take, repetitions included; Infinity: no limit. Default: 30. */
  timeout?: number | undefined;
  /** Ends the call, which then rejects with the signal's reason. Whether a write was applied is not known then. */
  signal?: AbortSignal | undefined;
}

/** How to connect. */
export interface ConnectOptions {
  /** Of gRPC, such as `credentials.createSsl()` of `@grpc/grpc-js`. Default: no encryption. */
  credentials?: ChannelCredentials;
  /** When calls that failed are made again; `{ enabled: false }`: never. */
  retry?: Partial<RetryPolicy>;
}

const TIMEOUT = 30;

const CHANNEL_OPTIONS = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
};

/** Calls of the server's methods, whose requests are bytes already. */
export class Calls {
  readonly retry: RetryPolicy;
  private readonly client: GrpcClient;

  constructor(target: string, options: ConnectOptions) {
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
    this.client = new GrpcClient(target, options.credentials ?? credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  /** One request, one answer, and repetitions in between; `repeatable` as the contract says, unless given. */
  async unary<R extends DescMessage>(
    method: DescMethod & { output: R },
    request: Uint8Array,
    { timeout = TIMEOUT, signal }: CallOptions,
    repeatable = method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN,
  ): Promise<MessageShape<R>> {
    const deadline = performance.now() + timeout * 1_000;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await this.attempt(method, request, Date.now() + deadline - performance.now(), signal);
      } catch (error) {
        signal?.throwIfAborted();
        const delay = error instanceof OmenDBError ? retryDelay(this.retry, error, attempt, repeatable) : undefined;
        if (delay === undefined || performance.now() + delay * 1_000 >= deadline) {
          throw error;
        }
        await pause(delay, signal);
      }
    }
  }

  /** A stream of requests and answers. */
  stream<R extends DescMessage>(method: DescMethod & { output: R }): ClientDuplexStream<Uint8Array, MessageShape<R>> {
    return this.client.makeBidiStreamRequest(pathOf(method), passed, parserOf(method), new Metadata(), {});
  }

  close(): void {
    this.client.close();
  }

  private attempt<R extends DescMessage>(
    method: DescMethod & { output: R },
    request: Uint8Array,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<MessageShape<R>> {
    return new Promise((resolve, reject) => {
      const call = this.client.makeUnaryRequest(
        pathOf(method),
        passed,
        parserOf(method),
        request,
        new Metadata(),
        { deadline },
        (error, answer) => {
          signal?.removeEventListener("abort", cancel);
          error ? reject(errorOf(error)) : resolve(answer!);
        },
      );
      const cancel = () => call.cancel();
      signal?.addEventListener("abort", cancel);
    });
  }
}

/** Waits some seconds. Throws the signal's reason. */
export async function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(seconds * 1_000, undefined, { signal }).catch(() => signal?.throwIfAborted());
}

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function parserOf<R extends DescMessage>(method: DescMethod & { output: R }): (bytes: Buffer) => MessageShape<R> {
  return (bytes) => fromBinary(method.output, bytes);
}

/** A message that is encoded already. */
function passed(message: Uint8Array): Buffer {
  return Buffer.isBuffer(message) ? message : Buffer.from(message.buffer, message.byteOffset, message.length);
}
