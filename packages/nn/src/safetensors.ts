/**
 * Safetensors: tensors by name, with text beside them, as bytes.
 *
 * Source: the format's own description and reference implementation (github.com/huggingface/safetensors).
 */

import { ArgumentError, type DType, DTypeError, type Shape, type Value, value } from "@adjoint/core";

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Value>>;

/** The contents of a safetensors file. */
export interface Safetensors {
  readonly tensors: Record<string, Value>;
  /** Free text by key. */
  readonly metadata: Record<string, string>;
}

/** The header length comes first, in 8 bytes, and data begins at a multiple of them. */
const WORD = 8;
/** The reference implementation's limit. */
const LONGEST_HEADER = 100_000_000;
const METADATA = "__metadata__";

/** The format's name of each dtype. */
const NAMES: Record<DType, string> = { float64: "F64", float32: "F32", int32: "I32", bool: "BOOL" };

type Elements = Float64Array | Float32Array | Int32Array | Uint8Array;

interface Format {
  readonly bytes: number;
  /** The dtype that elements are read into. */
  readonly dtype: DType;
  readonly array: new (size: number) => Elements;
  get(view: DataView, at: number): number;
}

const float64 = { dtype: "float64", array: Float64Array } as const;
const float32 = { dtype: "float32", array: Float32Array } as const;
const int32 = { dtype: "int32", array: Int32Array } as const;

const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ["F64", { ...float64, bytes: 8, get: (view, at) => view.getFloat64(at, true) }],
  ["F32", { ...float32, bytes: 4, get: (view, at) => view.getFloat32(at, true) }],
  ["F16", { ...float32, bytes: 2, get: (view, at) => halfToNumber(view.getUint16(at, true)) }],
  ["BF16", { ...float32, bytes: 2, get: brainFloat }],
  ["I64", { ...float64, bytes: 8, get: (view, at) => exact(view.getBigInt64(at, true)) }],
  ["U64", { ...float64, bytes: 8, get: (view, at) => exact(view.getBigUint64(at, true)) }],
  ["I32", { ...int32, bytes: 4, get: (view, at) => view.getInt32(at, true) }],
  ["U32", { ...float64, bytes: 4, get: (view, at) => view.getUint32(at, true) }],
  ["I16", { ...int32, bytes: 2, get: (view, at) => view.getInt16(at, true) }],
  ["U16", { ...int32, bytes: 2, get: (view, at) => view.getUint16(at, true) }],
  ["I8", { ...int32, bytes: 1, get: (view, at) => view.getInt8(at) }],
  ["U8", { ...int32, bytes: 1, get: (view, at) => view.getUint8(at) }],
  ["BOOL", { dtype: "bool", array: Uint8Array, bytes: 1, get: (view, at) => view.getUint8(at) }],
]);

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** bfloat16: the upper half of a float32. */
const scratch = new DataView(new ArrayBuffer(4));
function brainFloat(view: DataView, at: number): number {
  scratch.setUint16(0, view.getUint16(at, true));
  return scratch.getFloat32(0);
}

function exact(x: bigint): number {
  const n = Number(x);
  if (BigInt(n) === x) return n;
  throw new ArgumentError({
    where: "decodeSafetensors",
    expected: "a 64-bit integer must be exact as a float64",
    received: String(x),
  });
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The bytes of a safetensors file. The same tensors and texts always give the same bytes, in whatever order they come.
 *
 * float64, float32, int32 and bool become F64, F32, I32 and BOOL. Wider types come first, then names in the order of
 * their code units, so that every tensor is aligned.
 * Throws: ArgumentError for a tensor called "__metadata__", a name that the format keeps.
 *
 * @example
 * const bytes = encodeSafetensors({ weight: value([[1, 2]]) }, { epoch: "3" });
 * decodeSafetensors(bytes).tensors["weight"] // [[1, 2]]
 */
export function encodeSafetensors(
  tensors: Tensors,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors)
    .map(([name, x]) => ({ name, x, format: FORMATS.get(NAMES[x.dtype]) as Format }))
    .sort((a, b) => b.format.bytes - a.format.bytes || byName([a.name, null], [b.name, null]));
  const texts = Object.entries(metadata).sort(byName);
  const fields: string[] = [];
  // Written piece by piece, since an object would put names such as "0" first.
  const field = (name: string, content: string) => `${JSON.stringify(name)}:${content}`;
  if (texts.length > 0) {
    const pairs = texts.map(([name, text]) => field(name, JSON.stringify(text)));
    fields.push(field(METADATA, `{${pairs.join(",")}}`));
  }
  let size = 0;
  for (const { name, x, format } of entries) {
    if (name === METADATA) {
      throw new ArgumentError({
        where: "encodeSafetensors",
        expected: `a tensor must not be called ${JSON.stringify(METADATA)}, a name that the format keeps`,
      });
    }
    const end = size + x.size * format.bytes;
    fields.push(
      field(name, JSON.stringify({ dtype: NAMES[x.dtype], shape: x.shape, data_offsets: [size, end] })),
    );
    size = end;
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const header = Math.ceil(json.length / WORD) * WORD;
  const bytes = new Uint8Array(WORD + header + size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(header), true);
  bytes.fill(0x20, WORD + json.length, WORD + header);
  bytes.set(json, WORD);
  let at = WORD + header;
  for (const { x } of entries) {
    const { data, dtype } = x;
    for (let i = 0; i < data.length; i++) {
      const element = data[i] as number;
      if (dtype === "float32") view.setFloat32(at + 4 * i, element, true);
      else if (dtype === "float64") view.setFloat64(at + 8 * i, element, true);
      else if (dtype === "int32") view.setInt32(at + 4 * i, element, true);
      else bytes[at + i] = element;
    }
    at += data.byteLength;
  }
  return bytes;
}

function invalid(expected: string, received: string, advice = "The file is damaged."): ArgumentError {
  return new ArgumentError({ where: "decodeSafetensors", expected, received, advice });
}

function isObject(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (bytes.length < WORD) {
    throw invalid("a safetensors file must begin with a header length of 8 bytes", `${bytes.length} bytes`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > LONGEST_HEADER) {
    throw invalid(
      `the header must have at most ${LONGEST_HEADER} bytes`,
      String(length),
      "This is no safetensors file.",
    );
  }
  const start = WORD + Number(length);
  if (start > bytes.length) {
    throw invalid(
      `the header must have ${length} bytes`,
      String(bytes.length - WORD),
      "The file is cut off.",
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(WORD, start)));
  } catch (error) {
    throw invalid("the header must be JSON in UTF-8", error instanceof Error ? error.message : "other bytes");
  }
  if (!isObject(header)) throw invalid("the header must be a JSON object", JSON.stringify(header));
  return { header, start };
}

function readMetadata(texts: unknown): Record<string, string> {
  if (texts === undefined) return {};
  if (isObject(texts) && Object.values(texts).every((text) => typeof text === "string")) {
    return texts as Record<string, string>;
  }
  throw invalid(`${METADATA} must map names to texts`, JSON.stringify(texts)?.slice(0, 60) ?? "nothing");
}

interface Entry {
  readonly name: string;
  readonly format: Format;
  readonly shape: Shape;
  readonly begin: number;
  readonly end: number;
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

function readEntry(name: string, entry: unknown): Entry {
  const what = `tensor ${JSON.stringify(name)}`;
  const { dtype, shape, data_offsets: offsets } = isObject(entry) ? entry : {};
  const format = typeof dtype === "string" ? FORMATS.get(dtype) : undefined;
  if (format === undefined) {
    throw new DTypeError({
      where: "decodeSafetensors",
      expected: `${what} must be one of ${[...FORMATS.keys()].join(", ")}`,
      received: String(JSON.stringify(dtype)),
    });
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw invalid(`${what} must have a shape of whole numbers`, String(JSON.stringify(shape)));
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw invalid(`${what} must have two data_offsets`, String(JSON.stringify(offsets)));
  }
  const [begin, end] = offsets as [number, number];
  const size = shape.reduce((product: number, n: number) => product * n, format.bytes);
  if (end - begin !== size) {
    throw invalid(
      `${what}, ${dtype} of shape [${shape.join(", ")}], must take ${size} bytes`,
      `${end - begin}`,
    );
  }
  return { name, format, shape, begin, end };
}

/**
 * Reads the bytes of a safetensors file.
 *
 * F64, F32, I32 and BOOL become float64, float32, int32 and bool. F16 and BF16 are read as float32, I8, U8, I16 and U16
 * as int32, U32, I64 and U64 as float64.
 * Throws: ArgumentError for bytes that are cut off, tensors that overlap, leave gaps or reach beyond the end, and a
 * 64-bit integer beyond ±2⁵³ that float64 cannot hold; DTypeError for another type.
 *
 * @example
 * const { metadata } = decodeSafetensors(encodeSafetensors({}, { format: "pt" }));
 * metadata // { format: "pt" }
 */
export function decodeSafetensors(bytes: Uint8Array): Safetensors {
  const { header, start } = readHeader(bytes);
  const { [METADATA]: texts, ...rest } = header;
  const entries = Object.entries(rest)
    .map(([name, entry]) => readEntry(name, entry))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      throw invalid(
        `tensor ${JSON.stringify(name)} must begin where the one before it ends, at ${expected}`,
        String(begin),
      );
    }
    expected = end;
  }
  if (bytes.length - start !== expected) {
    throw invalid(
      `the tensors must take ${expected} bytes`,
      String(bytes.length - start),
      bytes.length - start < expected ? "The file is cut off." : "The file has bytes that no tensor claims.",
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors = entries.map(({ name, format, shape, begin, end }) => {
    const elements = new format.array((end - begin) / format.bytes);
    for (let i = 0; i < elements.length; i++) {
      elements[i] = format.get(view, start + begin + i * format.bytes);
    }
    return [name, value(elements, { shape, dtype: format.dtype })] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata: readMetadata(texts) };
}
