/** Tests of the IDX reader: every element type, and bytes that are not IDX. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type IdxDType, parseIdx } from "../src/index.ts";
import { saying } from "./saying.ts";

type Write = (view: DataView, at: number, x: number) => void;

/** Type code, bytes and big-endian writer, from the table on LeCun's page. */
const TYPES: Record<IdxDType, [code: number, bytes: number, write: Write]> = {
  uint8: [0x08, 1, (view, at, x) => view.setUint8(at, x)],
  int8: [0x09, 1, (view, at, x) => view.setInt8(at, x)],
  int16: [0x0b, 2, (view, at, x) => view.setInt16(at, x)],
  int32: [0x0c, 4, (view, at, x) => view.setInt32(at, x)],
  float32: [0x0d, 4, (view, at, x) => view.setFloat32(at, x)],
  float64: [0x0e, 8, (view, at, x) => view.setFloat64(at, x)],
};

function idx(dtype: IdxDType, shape: readonly number[], elements: readonly number[]): Uint8Array {
  const [code, bytes, write] = TYPES[dtype];
  const view = new DataView(new ArrayBuffer(4 + 4 * shape.length + bytes * elements.length));
  view.setUint8(2, code);
  view.setUint8(3, shape.length);
  shape.forEach((n, axis) => {
    view.setUint32(4 + 4 * axis, n);
  });
  elements.forEach((x, i) => {
    write(view, 4 + 4 * shape.length + bytes * i, x);
  });
  return new Uint8Array(view.buffer);
}

const element: Record<IdxDType, fc.Arbitrary<number>> = {
  uint8: fc.integer({ min: 0, max: 255 }),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  float32: fc.float(),
  float64: fc.double(),
};

describe("parseIdx", () => {
  test.each(Object.keys(TYPES) as IdxDType[])("reads what was written as %s", (dtype) => {
    const array = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.array(element[dtype], {
          minLength: shape.reduce((a, b) => a * b, 1),
          maxLength: shape.reduce((a, b) => a * b, 1),
        }),
      ),
    );
    fc.assert(
      fc.property(array, fc.integer({ min: 0, max: 7 }), ([shape, elements], offset) => {
        const bytes = idx(dtype, shape, elements);
        // The bytes may lie anywhere in a larger buffer, as those of a file read by Node do.
        const placed = new Uint8Array(offset + bytes.length + 3).subarray(offset, offset + bytes.length);
        placed.set(bytes);
        const read = parseIdx(placed);
        expect(read.dtype).toBe(dtype);
        expect(read.shape).toEqual(shape);
        expect(Array.from(read.data)).toEqual(elements);
      }),
    );
  });

  test("reads a header written out by hand", () => {
    // The first 16 bytes of t10k-images-idx3-ubyte: magic 2051, 10000 images, 28 rows, 28 columns (LeCun's page).
    const bytes = new Uint8Array(16 + 10000 * 784);
    bytes.set([
      0x00, 0x00, 0x08, 0x03, 0x00, 0x00, 0x27, 0x10, 0x00, 0x00, 0x00, 0x1c, 0x00, 0x00, 0x00, 0x1c,
    ]);
    expect(new DataView(bytes.buffer).getInt32(0)).toBe(2051);
    expect(parseIdx(bytes).shape).toEqual([10000, 28, 28]);
  });

  test("does not copy bytes", () => {
    const bytes = idx("uint8", [3], [1, 2, 3]);
    expect(parseIdx(bytes).data.buffer).toBe(bytes.buffer);
  });

  const whole = idx("int16", [2, 2], [1, 2, 3, 4]);
  test.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(0), "parseIdx: an IDX file must begin with a header of 4 bytes, got 0."],
    [
      "gzip",
      Uint8Array.of(0x1f, 0x8b, 8, 0, 0),
      "parseIdx: bytes must not be compressed, got gzip. Decompress them first, or read the file with readIdx from @adjoint/data/node.",
    ],
    [
      "text",
      new TextEncoder().encode("a,b\n1,2\n"),
      "parseIdx: an IDX file must begin with 0x00 0x00 and a type code from 0x08 to 0x0e, got 0x61 0x2c 0x62.",
    ],
    [
      "the type code that is not assigned",
      Uint8Array.of(0, 0, 0x0a, 0),
      "parseIdx: an IDX file must begin with 0x00 0x00 and a type code from 0x08 to 0x0e, got 0x00 0x00 0x0a.",
    ],
    ["a cut header", whole.subarray(0, 11), "parseIdx: the header of 2 axes must have 12 bytes, got 11."],
    [
      "cut elements",
      whole.subarray(0, 19),
      "parseIdx: int16 elements of shape [2, 2] must take 8 bytes after the header, got 7. The file is cut off.",
    ],
    [
      "bytes after the end",
      Uint8Array.of(...whole, 0),
      "parseIdx: int16 elements of shape [2, 2] must take 8 bytes after the header, got 9. The file has more than one array holds.",
    ],
  ])("refuses %s", (_, bytes, message) => {
    expect(() => parseIdx(bytes)).toThrow(saying(message));
  });
});
