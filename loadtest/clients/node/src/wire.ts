/**
 * Rows, and their bytes on the wire.
 *
 * A block is not put into a protobuf message, whose bytes would be copied once more when it is serialized: its columns
 * are written behind the message's other fields, straight from where they lie. Fields may stand in any order.
 */

/** One id or many. Numbers are safe integers, larger ones are `bigint`; or all are strings. */
export type Ids = bigint | number | string | ArrayLike<bigint | number | string>;

/**
 * Vectors: all components in one array, row by row, or an array of rows. `Float32Array` is copied as it is, anything
 * else is converted while it is written. The caller must not change it before the call ends.
 */
export type Vectors = ArrayLike<number> | readonly ArrayLike<number>[];

/** What becomes a payload: an object or array as JSON, text, or bytes as they are; null and undefined: none. */
export type Payload = object | string | Uint8Array | null | undefined;

/** Ids as they are sent. */
export type IdColumn = BigUint64Array | readonly string[];

/** Columns of a message; those of n rows, where the message has rows. */
export interface Columns {
  ids?: IdColumn;
  vectors?: readonly ArrayLike<number>[];
  payloads?: readonly Payload[] | undefined;
}

// Field numbers of every message that has such columns, with wire type 2.
const NUMERIC_IDS = 0x1a;
const STRING_IDS = 0x22;
const VECTORS_LE = 0x32;
const PAYLOADS = 0x3a;

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Rows to be written. */
export class Block {
  private constructor(
    readonly ids: IdColumn,
    private readonly vectors: ArrayLike<number> | readonly ArrayLike<number>[],
    private readonly payloads: readonly Payload[] | undefined,
    readonly dimension: number,
  ) {}

  /** The rows of a caller. Throws TypeError or RangeError where they are not one vector, and one payload, an id. */
  static of(ids: Ids, vectors: Vectors, payloads?: readonly Payload[] | null): Block {
    const column = idColumn(ids);
    const parts = vectorParts(vectors, "vectors");
    const rows = isRows(vectors) ? parts : undefined;
    const components = componentCount(parts);
    const count = column.length;
    const fits = rows ? rows.length === count : count === 0 ? components === 0 : components % count === 0;
    if (!fits) {
      const found = rows ? `${rows.length} rows` : `${components} components`;
      throw new RangeError(`vectors has ${found} for ${count} ids, expected one row an id`);
    }
    if (payloads && payloads.length !== count) {
      throw new RangeError(`payloads is ${payloads.length} long, expected ${count}: one an id`);
    }
    return new Block(column, rows ?? parts[0]!, payloads ?? undefined, count === 0 ? 0 : components / count);
  }

  get length(): number {
    return this.ids.length;
  }

  /** Some of its rows; views, where the columns are typed arrays. */
  slice(start: number, end: number): Block {
    const vectors = isRows(this.vectors)
      ? this.vectors.slice(start, end)
      : cut(this.vectors, start * this.dimension, end * this.dimension);
    const ids = isStrings(this.ids) ? this.ids.slice(start, end) : this.ids.subarray(start, end);
    return new Block(ids, vectors, this.payloads?.slice(start, end), this.dimension);
  }

  /** Rows from `start` on: as many as `rows`, and fewer, but one, where their payloads have more bytes than these. */
  frame(start: number, rows: number, payloadBytes: number): Block {
    const payloads = this.payloads?.slice(start, start + rows).map(payloadContent);
    let count = Math.min(rows, this.length - start);
    if (payloads) {
      let bytes = 0;
      count = payloads.findIndex((payload, i) => (bytes += byteLength(payload)) > payloadBytes && i > 0);
      count = count < 0 ? payloads.length : count;
    }
    const { ids, vectors } = this.slice(start, start + count);
    return new Block(ids, vectors, payloads?.slice(0, count), this.dimension);
  }

  /** The message: its other fields, then the columns. */
  encode(head: Uint8Array): Buffer {
    const vectors = isRows(this.vectors) ? this.vectors : [this.vectors];
    return encode(head, { ids: this.ids, vectors, payloads: this.payloads });
  }
}

/** A message: its other fields, then columns, in one buffer of just its size. */
export function encode(head: Uint8Array, { ids = [], vectors = [], payloads = [] }: Columns): Buffer {
  const contents = payloads.map(payloadContent);
  const vectorBytes = 4 * componentCount(vectors);
  const numbers = isStrings(ids) ? undefined : ids;
  const strings = isStrings(ids) ? ids : [];

  let size = head.length + fieldSize(vectorBytes) + fieldSize(numbers?.byteLength ?? 0);
  for (const text of strings) {
    size += itemSize(Buffer.byteLength(text));
  }
  for (const content of contents) {
    size += itemSize(byteLength(content));
  }

  const writer = new Writer(size);
  writer.bytes(head);
  for (const text of strings) {
    writer.tag(STRING_IDS, Buffer.byteLength(text));
    writer.text(text);
  }
  if (numbers && numbers.length > 0) {
    writer.tag(NUMERIC_IDS, numbers.byteLength);
    writer.numbers(numbers);
  }
  if (vectorBytes > 0) {
    writer.tag(VECTORS_LE, vectorBytes);
    for (const part of vectors) {
      writer.floats(part);
    }
  }
  for (const content of contents) {
    writer.tag(PAYLOADS, byteLength(content));
    typeof content === "string" ? writer.text(content) : writer.bytes(content);
  }
  return writer.message;
}

/** Vectors as arrays that follow one another: one of all components, or one a row. */
export function vectorParts(vectors: Vectors, field: string): readonly ArrayLike<number>[] {
  if (!isRows(vectors)) {
    return [numbersOf(vectors, field)];
  }
  const dimension = vectors[0]!.length;
  vectors.forEach((row, index) => {
    if (numbersOf(row, `${field}[${index}]`).length !== dimension) {
      throw new RangeError(`${field}[${index}] has ${row.length} components, expected ${dimension}, as ${field}[0]`);
    }
  });
  return vectors;
}

/** Ids of one kind. Throws TypeError or RangeError, which name the id. */
export function idColumn(ids: Ids): IdColumn {
  if (ids instanceof BigUint64Array) {
    return ids;
  }
  const many = typeof ids === "object" ? ids : [ids];
  return typeof many[0] === "string" ? stringColumn(many) : numericColumn(many);
}

function stringColumn(ids: ArrayLike<unknown>): readonly string[] {
  return Array.from(ids, (id, index) => {
    if (typeof id !== "string") {
      throw new TypeError(`ids[${index}] is ${told(id)}, expected a string, as ids[0]`);
    }
    // Half a surrogate pair would become U+FFFD, and two ids one.
    if (!id.isWellFormed()) {
      throw new TypeError(`ids[${index}] is ${told(id)}, expected well-formed Unicode`);
    }
    return id;
  });
}

function numericColumn(ids: ArrayLike<unknown>): BigUint64Array {
  const column = new BigUint64Array(ids.length);
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index];
    if (typeof id !== "number" && typeof id !== "bigint") {
      throw new TypeError(`ids[${index}] is ${told(id)}, expected a number or a bigint, or strings only`);
    }
    if (id < 0 || (typeof id === "bigint" ? id >= 1n << 64n : !Number.isSafeInteger(id))) {
      throw new RangeError(`ids[${index}] is ${id}, expected 0 to 2^53 - 1, or a bigint up to 2^64 - 1`);
    }
    column[index] = BigInt(id);
  }
  return column;
}

/** What a payload was: JSON objects and arrays are parsed, anything else is bytes; undefined where there is none. */
export function decodePayload(payload: Uint8Array): any {
  if (payload.length === 0) {
    return undefined;
  }
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes[0] === 0x7b || bytes[0] === 0x5b) {
    try {
      return JSON.parse(bytes.toString());
    } catch {
      return bytes;
    }
  }
  return bytes;
}

/** Components of little-endian float32, in memory of their own: a message's bytes lie at any address. */
export function decodeVector(bytes: Uint8Array): Float32Array {
  const vector = new Float32Array(bytes.length / 4);
  if (LITTLE_ENDIAN) {
    new Uint8Array(vector.buffer).set(bytes);
  } else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    vector.forEach((_, index) => (vector[index] = view.getFloat32(4 * index, true)));
  }
  return vector;
}

class Writer {
  readonly message: Buffer;
  private readonly view: DataView;
  private position = 0;

  constructor(size: number) {
    this.message = Buffer.allocUnsafe(size);
    this.view = new DataView(this.message.buffer, this.message.byteOffset, size);
  }

  tag(tag: number, length: number): void {
    this.message[this.position++] = tag;
    for (; length > 127; length >>>= 7) {
      this.message[this.position++] = (length & 127) | 128;
    }
    this.message[this.position++] = length;
  }

  bytes(bytes: Uint8Array): void {
    this.message.set(bytes, this.position);
    this.position += bytes.length;
  }

  text(text: string): void {
    this.position += this.message.write(text, this.position);
  }

  numbers(ids: BigUint64Array): void {
    if (LITTLE_ENDIAN) {
      this.bytes(bytesOf(ids));
    } else {
      for (const id of ids) {
        this.view.setBigUint64(this.position, id, true);
        this.position += 8;
      }
    }
  }

  floats(values: ArrayLike<number>): void {
    if (LITTLE_ENDIAN && values instanceof Float32Array) {
      this.bytes(bytesOf(values));
      return;
    }
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (typeof value !== "number") {
        throw new TypeError(`vectors has ${told(value)}, expected numbers`); // a view would make 0 of null
      }
      this.view.setFloat32(this.position, value, true);
      this.position += 4;
    }
  }
}

function payloadContent(payload: Payload, index: number): string | Uint8Array {
  if (payload === null || payload === undefined) {
    return "";
  }
  if (typeof payload === "string" || payload instanceof Uint8Array) {
    return payload;
  }
  const json =
    typeof payload === "object" && !ArrayBuffer.isView(payload) && !(payload instanceof ArrayBuffer)
      ? JSON.stringify(payload)
      : undefined;
  if (json === undefined) {
    throw new TypeError(`payloads[${index}] is ${told(payload)}, expected an object, text or Uint8Array`);
  }
  return json;
}

function byteLength(content: string | Uint8Array): number {
  return typeof content === "string" ? Buffer.byteLength(content) : content.length;
}

function bytesOf(array: NodeJS.TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Bytes of a field that is left out when it is empty. */
function fieldSize(length: number): number {
  return length === 0 ? 0 : itemSize(length);
}

function itemSize(length: number): number {
  let size = 2 + length;
  for (let rest = length; rest > 127; rest >>>= 7) {
    size++;
  }
  return size;
}

function componentCount(parts: readonly ArrayLike<number>[]): number {
  return parts.length === 0 ? 0 : parts.length * parts[0]!.length;
}

function cut(values: ArrayLike<number>, start: number, end: number): ArrayLike<number> {
  const array = values as Float32Array | number[];
  return Array.isArray(array) ? array.slice(start, end) : array.subarray(start, end);
}

function isRows(vectors: Vectors): vectors is readonly ArrayLike<number>[] {
  return Array.isArray(vectors) && typeof vectors[0] === "object" && vectors[0] !== null;
}

function isStrings(ids: IdColumn): ids is readonly string[] {
  return Array.isArray(ids);
}

/** The array itself, if it is one of numbers: a Buffer most likely holds their bytes instead. */
function numbersOf(values: ArrayLike<number>, field: string): ArrayLike<number> {
  if (
    !(Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView))) ||
    Buffer.isBuffer(values)
  ) {
    throw new TypeError(`${field} is ${told(values)}, expected an array of numbers`);
  }
  return values;
}

function told(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return `of type ${value.constructor?.name ?? "object"}`;
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
