/** Reads IDX, the format that the MNIST database is published in. */

import { ArgumentError, type Shape } from "@adjoint/core";

/** The element types that an IDX file can hold. */
export type IdxDType = "uint8" | "int8" | "int16" | "int32" | "float32" | "float64";

/** Elements of an IDX file, in the file's own type. */
export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The contents of an IDX file. */
export interface IdxArray {
  readonly shape: Shape;
  readonly dtype: IdxDType;
  /** Flat and row-major. */
  readonly data: IdxData;
}

interface ElementType {
  readonly dtype: IdxDType;
  readonly bytes: number;
  /** Decodes `size` elements that begin at `offset`. */
  read(view: DataView, offset: number, size: number): IdxData;
}

function elementType(
  dtype: IdxDType,
  make: new (size: number) => Exclude<IdxData, Uint8Array | Int8Array>,
  bytes: number,
  get: (view: DataView, at: number) => number,
): ElementType {
  return {
    dtype,
    bytes,
    read(view, offset, size) {
      const data = new make(size);
      for (let i = 0; i < size; i++) data[i] = get(view, offset + i * bytes);
      return data;
    },
  };
}

// Bytes need no decoding: they are a view of the file, so that 47 MB of MNIST pixels are not copied.
const TYPES: ReadonlyMap<number, ElementType> = new Map([
  [
    0x08,
    {
      dtype: "uint8",
      bytes: 1,
      read: (view, at, n) => new Uint8Array(view.buffer, view.byteOffset + at, n),
    },
  ],
  [
    0x09,
    {
      dtype: "int8",
      bytes: 1,
      read: (view, at, n) => new Int8Array(view.buffer, view.byteOffset + at, n),
    },
  ],
  [0x0b, elementType("int16", Int16Array, 2, (view, at) => view.getInt16(at))],
  [0x0c, elementType("int32", Int32Array, 4, (view, at) => view.getInt32(at))],
  [0x0d, elementType("float32", Float32Array, 4, (view, at) => view.getFloat32(at))],
  [0x0e, elementType("float64", Float64Array, 8, (view, at) => view.getFloat64(at))],
]);

function invalid(expected: string, received: string, advice?: string): ArgumentError {
  return new ArgumentError({
    where: "parseIdx",
    expected,
    received,
    ...(advice === undefined ? {} : { advice }),
  });
}

const hex = (byte: number) => `0x${byte.toString(16).padStart(2, "0")}`;

/**
 * Reads the bytes of an IDX file: two zero bytes, a type code, the number of axes, their sizes, and the elements,
 * all big-endian.
 *
 * Type codes 0x08 to 0x0e (0x0a is not assigned). uint8 and int8 elements are a view of `bytes`, not a copy.
 * Throws: ArgumentError for bytes that are not IDX, and for too few or too many of them.
 * Source: Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST Database of Handwritten Digits, "the IDX file format"
 * (yann.lecun.com/exdb/mnist).
 *
 * @example
 * const { shape, dtype, data } = parseIdx(Uint8Array.of(0, 0, 0x08, 2, 0, 0, 0, 1, 0, 0, 0, 2, 7, 9));
 * shape // [1, 2]
 * dtype // "uint8"
 * data // [7, 9]
 */
export function parseIdx(bytes: Uint8Array): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4)
    throw invalid("an IDX file must begin with a header of 4 bytes", String(bytes.length));
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    const advice = "Decompress them first, or read the file with readIdx from @adjoint/data/node.";
    throw invalid("bytes must not be compressed", "gzip", advice);
  }
  const type = bytes[0] === 0 && bytes[1] === 0 ? TYPES.get(view.getUint8(2)) : undefined;
  if (type === undefined) {
    const magic = Array.from(bytes.subarray(0, 3), hex).join(" ");
    throw invalid("an IDX file must begin with 0x00 0x00 and a type code from 0x08 to 0x0e", magic);
  }
  const rank = view.getUint8(3);
  const header = 4 + 4 * rank;
  if (bytes.length < header) {
    throw invalid(`the header of ${rank} axes must have ${header} bytes`, String(bytes.length));
  }
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, n) => product * n, 1);
  const wanted = size * type.bytes;
  if (bytes.length - header !== wanted) {
    throw invalid(
      `${type.dtype} elements of shape [${shape.join(", ")}] must take ${wanted} bytes after the header`,
      String(bytes.length - header),
      bytes.length - header < wanted ? "The file is cut off." : "The file has more than one array holds.",
    );
  }
  return { shape, dtype: type.dtype, data: type.read(view, header, size) };
}
