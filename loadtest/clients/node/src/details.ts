import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** One fault in a request: the path of the field, such as `vectors[17]`, and a sentence. */
export interface Violation {
  field: string;
  description: string;
}

/** What `grpc-status-details-bin` tells. */
export interface Details {
  reason: string;
  metadata: Record<string, string>;
  violations: Violation[];
  /** Seconds. */
  retryAfter?: number;
}

/**
 * Reads a google.rpc.Status with ErrorInfo, BadRequest and RetryInfo. By hand: these five small messages never change,
 * and stubs of them would be longer.
 */
export function readDetails(status: Uint8Array): Details {
  const details: Details = { reason: "", metadata: {}, violations: [] };
  read(status, {
    3: (any) => {
      let type = "";
      let value: Uint8Array = new Uint8Array();
      read(any, { 1: (url) => (type = text(url)), 2: (bytes) => (value = bytes) });
      READERS[type.slice(type.lastIndexOf("/") + 1)]?.(value, details);
    },
  });
  return details;
}

const READERS: Record<string, (message: Uint8Array, details: Details) => void> = {
  "google.rpc.ErrorInfo": (message, details) => {
    read(message, {
      1: (reason) => (details.reason = text(reason)),
      3: (entry) => {
        let key = "";
        let value = "";
        read(entry, { 1: (bytes) => (key = text(bytes)), 2: (bytes) => (value = text(bytes)) });
        details.metadata[key] = value;
      },
    });
  },
  "google.rpc.BadRequest": (message, details) => {
    read(message, {
      1: (bytes) => {
        const violation = { field: "", description: "" };
        read(bytes, {
          1: (field) => (violation.field = text(field)),
          2: (description) => (violation.description = text(description)),
        });
        details.violations.push(violation);
      },
    });
  },
  "google.rpc.RetryInfo": (message, details) => {
    details.retryAfter = 0;
    read(message, { 1: (duration) => (details.retryAfter = seconds(duration)) });
  },
};

function seconds(duration: Uint8Array): number {
  const reader = new BinaryReader(duration);
  let total = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) {
      total += Number(reader.int64());
    } else if (field === 2) {
      total += reader.int32() / 1e9;
    } else {
      reader.skip(type, field);
    }
  }
  return total;
}

/** Hands the fields of a message that have a length to those who want them. */
function read(message: Uint8Array, fields: Record<number, (bytes: Uint8Array) => void>): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const take = fields[field];
    if (take && type === WireType.LengthDelimited) {
      take(reader.bytes());
    } else {
      reader.skip(type, field);
    }
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
