// The bytes that are sent and received, and what they cost.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mock, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { BulkInsertRequestSchema, InsertRequestSchema, WriteMode } from "omendb/v1";
import { readDetails } from "../dist/details.js";
import { Block } from "../dist/wire.js";
import { range, vectorsOf } from "./server.js";

const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

test("the bytes are those of the protobuf library", () => {
  const vectors = vectorsOf(200, 16);
  const fields = { collection: "c", mode: WriteMode.INSERT_ONLY };
  const head = toBinary(InsertRequestSchema, create(InsertRequestSchema, fields));
  const expected = (more) =>
    Buffer.from(toBinary(InsertRequestSchema, create(InsertRequestSchema, { ...fields, ...more })));

  const numericIds = range(200).map((i) => 2n ** 64n - 1n - BigInt(i));
  assert.deepEqual(Block.of(numericIds, vectors).encode(head), expected({ numericIds, vectorsLe: bytesOf(vectors) }));

  const stringIds = range(200).map((i) => `grün ${"x".repeat(i)}`);
  const payloads = range(200).map((i) =>
    i % 3 === 0 ? null : i % 3 === 1 ? { i, ü: "x".repeat(i) } : Buffer.alloc(i),
  );
  const json = payloads.map((payload) =>
    payload === null ? Buffer.alloc(0) : Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)),
  );
  assert.deepEqual(
    Block.of(stringIds, vectors, payloads).encode(head),
    expected({ stringIds, vectorsLe: bytesOf(vectors), payloads: json }),
  );

  const frame = Block.of(stringIds, vectors, payloads).slice(150, 153).encode(head);
  const read = fromBinary(InsertRequestSchema, frame);
  assert.deepEqual(read.stringIds, stringIds.slice(150, 153));
  assert.deepEqual(Buffer.from(read.vectorsLe), Buffer.from(bytesOf(vectors.subarray(150 * 16, 153 * 16))));
  assert.deepEqual(
    read.payloads.map((payload) => Buffer.from(payload)),
    json.slice(150, 153),
  );
});

test("the bytes are those that the server was shown", () => {
  const golden = (name, message) => {
    const file = new URL(`../../golden/node-${name}.bin`, import.meta.url);
    if (process.env.OMENDB_WRITE_GOLDEN) {
      writeFileSync(file, message);
    }
    assert.deepEqual(message, readFileSync(file));
  };
  const vectors = Float32Array.of(1.5, -2, 0.25, 3, 4, 5);
  const insert = create(InsertRequestSchema, { collection: "golden", mode: WriteMode.INSERT_ONLY });
  golden("insert", Block.of(["a", "é"], vectors, [{ k: 1 }, null]).encode(toBinary(InsertRequestSchema, insert)));
  const frame = create(BulkInsertRequestSchema, { frameSequence: 2n });
  golden("frame", Block.of([0n, 2n ** 64n - 1n], vectors).encode(toBinary(BulkInsertRequestSchema, frame)));
});

test("other numbers become the same bytes as float32", () => {
  const vectors = vectorsOf(3, 5);
  const expected = Block.of([1, 2, 3], vectors).encode(Buffer.alloc(0));
  for (const other of [
    Float64Array.from(vectors),
    [...vectors],
    range(3).map((i) => [...vectors.subarray(i * 5, i * 5 + 5)]),
  ]) {
    assert.deepEqual(Block.of([1, 2, 3], other).encode(Buffer.alloc(0)), expected);
  }
});

test("a frame is one copy: what is allocated is the message", () => {
  const vectors = vectorsOf(8_192, 128);
  const frames = range(16).map((i) =>
    Block.of(BigUint64Array.from(range(8_192), BigInt), vectors).slice(i * 512, i * 512 + 512),
  );
  const allocate = mock.method(Buffer, "allocUnsafe");
  const before = process.memoryUsage().arrayBuffers;
  const messages = frames.map((frame) => frame.encode(Buffer.of(0x40, 1)));
  const allocated = process.memoryUsage().arrayBuffers - before;
  const sizes = allocate.mock.calls.map((call) => call.arguments[0]);
  mock.reset();
  assert.deepEqual(
    sizes,
    messages.map((message) => message.length),
  );
  assert.ok(messages.every((message) => message.buffer.byteLength === message.length));
  const total = messages.reduce((sum, message) => sum + message.length, 0);
  // Less where a collection came in between.
  assert.ok(allocated <= total, `${allocated} bytes for messages of ${total}`);
});

test("details of an error are read, and what is not known is skipped", () => {
  const message = (write) => {
    const writer = new BinaryWriter();
    write(writer);
    return writer.finish();
  };
  const field = (writer, number, value) =>
    typeof value === "string"
      ? writer.tag(number, WireType.LengthDelimited).string(value)
      : writer.tag(number, WireType.LengthDelimited).bytes(value);
  const any = (type, value) => message((w) => field(field(w, 1, `type.googleapis.com/${type}`), 2, value));
  const status = message((w) => {
    w.tag(1, WireType.Varint).int32(8);
    field(w, 2, "full");
    field(
      w,
      3,
      any(
        "google.rpc.ErrorInfo",
        message((info) => {
          field(field(info, 1, "QUEUE_FULL"), 2, "omendb.io");
          field(
            info,
            3,
            message((entry) => field(field(entry, 1, "field"), 2, "k")),
          );
        }),
      ),
    );
    field(
      w,
      3,
      any(
        "google.rpc.BadRequest",
        message((bad) => {
          field(
            bad,
            1,
            message((violation) => field(field(violation, 1, "vectors[17]"), 2, "is wrong")),
          );
        }),
      ),
    );
    field(
      w,
      3,
      any(
        "google.rpc.RetryInfo",
        message((retry) => {
          field(
            retry,
            1,
            message((d) => d.tag(1, WireType.Varint).int64(2).tag(2, WireType.Varint).int32(500_000_000)),
          );
        }),
      ),
    );
    field(
      w,
      3,
      any(
        "google.rpc.Help",
        message((help) => field(help, 1, "x")),
      ),
    );
  });
  assert.deepEqual(readDetails(status), {
    reason: "QUEUE_FULL",
    metadata: { field: "k" },
    violations: [{ field: "vectors[17]", description: "is wrong" }],
    retryAfter: 2.5,
  });
});
