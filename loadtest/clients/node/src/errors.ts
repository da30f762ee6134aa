import { type ServiceError, status } from "@grpc/grpc-js";
import type { BulkResult } from "./bulk.js";
import { type Details, readDetails, type Violation } from "./details.js";

/** The name of a gRPC status code, such as `INVALID_ARGUMENT`. */
export type Code = keyof typeof status;

/** A call that failed. Nothing of it was applied, unless `reason` is `OUTCOME_UNKNOWN`. */
export class OmenDBError extends Error {
  /** The gRPC status code. */
  readonly code: Code;
  /** The name of an ErrorReason, such as `DIMENSION_MISMATCH`; empty where gRPC itself failed the call. */
  readonly reason: string;
  /** What the reason tells besides, such as field, value and expected. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Faults of the request, at most ten. */
  readonly violations: readonly Violation[];
  /** Seconds after which the server says that it may be tried again; undefined: it does not say so. */
  readonly retryAfter: number | undefined;

  /** @internal */
  constructor(message: string, code: Code = "UNKNOWN", details?: Details) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.reason = details?.reason ?? "";
    this.metadata = details?.metadata ?? {};
    this.violations = details?.violations ?? [];
    this.retryAfter = details?.retryAfter;
  }

  /** Path of the first field that is wrong; empty where none is. */
  get field(): string {
    return this.violations[0]?.field ?? this.metadata["field"] ?? "";
  }

  /** What was there. */
  get value(): string {
    return this.metadata["value"] ?? "";
  }

  /** What should be there. */
  get expected(): string {
    return this.metadata["expected"] ?? "";
  }
}

/** The request is wrong: see `field`, `value` and `expected`. */
export class InvalidArgumentError extends OmenDBError {}

/** There is no such collection. */
export class NotFoundError extends OmenDBError {}

/** There is a collection, or a stream, of this name. */
export class AlreadyExistsError extends OmenDBError {}

/** Memory, disk, a queue or a limit is full; `retryAfter` is set where waiting helps. */
export class ResourceExhaustedError extends OmenDBError {}

/** The server is not there, recovers, or is about to stop. */
export class UnavailableError extends OmenDBError {}

/** The time given did not suffice. Whether a write was applied is not known; an upsert may be repeated. */
export class DeadlineExceededError extends OmenDBError {}

/** The collection's files are damaged; `metadata` has file and offset. */
export class DataLossError extends OmenDBError {}

/** Frames of a bulk insert were refused; all others were applied. `result.refused` says which rows and why. */
export class BulkInsertError extends OmenDBError {
  readonly result: BulkResult;

  /** @internal */
  constructor(message: string, result: BulkResult) {
    super(message, "INVALID_ARGUMENT");
    this.result = result;
  }
}

const BY_CODE: Partial<Record<Code, typeof OmenDBError>> = {
  INVALID_ARGUMENT: InvalidArgumentError,
  NOT_FOUND: NotFoundError,
  ALREADY_EXISTS: AlreadyExistsError,
  RESOURCE_EXHAUSTED: ResourceExhaustedError,
  UNAVAILABLE: UnavailableError,
  DEADLINE_EXCEEDED: DeadlineExceededError,
  DATA_LOSS: DataLossError,
};

/** The error that stands for a failed call. */
export function errorOf(error: ServiceError): OmenDBError {
  const code = (status[error.code] ?? "UNKNOWN") as Code;
  return new (BY_CODE[code] ?? OmenDBError)(error.details || code, code, detailsOf(error));
}

function detailsOf(error: ServiceError): Details | undefined {
  const bytes = error.metadata?.get("grpc-status-details-bin")[0];
  if (!(bytes instanceof Uint8Array)) {
    return undefined;
  }
  try {
    return readDetails(bytes);
  } catch {
    return undefined; // not ours: a proxy's
  }
}
