import { type DType, value } from "@adjoint/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "../src/safetensors.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

/** A file of any header and any data, without a check. */
function file(header: unknown, data: ArrayLike<number> = []): Uint8Array {
  const json = ascii(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

describe("encodeSafetensors", () => {
  // Expected bytes: safetensors/src/tensor.rs of the reference implementation, test_serialization, test_empty and
  // test_serialization_forced_alignement.
  const floats = [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64];
  const sixes = (shape: number[]) => value(Float32Array.of(0, 1, 2, 3, 4, 5), { shape });

  test("encodeSafetensors writes the reference implementation's bytes", () => {
    expect([...encodeSafetensors({ "attn.0": sixes([1, 2, 3]) })]).toEqual([
      ...[64, 0, 0, 0, 0, 0, 0, 0],
      ...ascii('{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}'),
      ...floats,
    ]);
  });

  test("encodeSafetensors pads the header with spaces to 8 bytes", () => {
    expect([...encodeSafetensors({ attn0: sixes([1, 1, 2, 3]) })]).toEqual([
      ...[72, 0, 0, 0, 0, 0, 0, 0],
      ...ascii('{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       '),
      ...floats,
    ]);
  });

  test("encodeSafetensors writes an empty file and one with metadata alone", () => {
    expect([...encodeSafetensors({})]).toEqual([8, 0, 0, 0, 0, 0, 0, 0, 123, 125, 32, 32, 32, 32, 32, 32]);
    expect([...encodeSafetensors({}, { framework: "pt" })]).toEqual([
      ...[40, 0, 0, 0, 0, 0, 0, 0],
      ...ascii('{"__metadata__":{"framework":"pt"}}     '),
    ]);
  });

  test("encodeSafetensors gives the same bytes in whatever order tensors and texts come", () => {
    const a = value([1, 2]);
    const b = value(true);
    const c = value(Int32Array.of(3));
    const one = encodeSafetensors({ a, b, c, 0: c }, { x: "1", y: "2" });
    expect(encodeSafetensors({ 0: c, c, b, a }, { y: "2", x: "1" })).toEqual(one);
  });

  test("encodeSafetensors refuses the name that the format keeps", () => {
    expect(() => encodeSafetensors({ __metadata__: value(1) })).toThrow(
      'encodeSafetensors: a tensor must not be called "__metadata__", a name that the format keeps.',
    );
  });
});

describe("decodeSafetensors", () => {
  test("decodeSafetensors reads what encodeSafetensors wrote, bit for bit", () => {
    const elements: Record<DType, fc.Arbitrary<number>> = {
      float64: fc.double(),
      float32: fc.float(),
      int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      bool: fc.integer({ min: 0, max: 1 }),
    };
    const arrays = { float64: Float64Array, float32: Float32Array, int32: Int32Array, bool: Uint8Array };
    const tensor = fc
      .tuple(
        fc.constantFrom<DType>("float64", "float32", "int32", "bool"),
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      )
      .chain(([dtype, shape]) => {
        const size = shape.reduce((product, n) => product * n, 1);
        return fc
          .array(elements[dtype], { minLength: size, maxLength: size })
          .map((xs) => value(arrays[dtype].from(xs), { dtype, shape }));
      });
    const names = fc.string({ unit: "binary", maxLength: 8 }).filter((name) => name !== "__metadata__");
    fc.assert(
      fc.property(
        fc.dictionary(names, tensor, { maxKeys: 5 }),
        fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
        (tensors, metadata) => {
          const bytes = encodeSafetensors(tensors, metadata);
          const read = decodeSafetensors(bytes);
          expect(Object.keys(read.tensors).sort()).toEqual(Object.keys(tensors).sort());
          for (const [name, x] of Object.entries(tensors)) {
            const y = read.tensors[name];
            expect([y?.dtype, y?.shape, y?.data]).toEqual([x.dtype, x.shape, x.data]);
          }
          expect({ ...read.metadata }).toEqual({ ...metadata });
          expect(encodeSafetensors(read.tensors, read.metadata)).toEqual(bytes);
        },
      ),
    );
  });

  test("decodeSafetensors throws its own error for any file that is cut off", () => {
    const bytes = encodeSafetensors({ a: value([[1, 2]]), b: value([true, false]) }, { note: "x" });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.slice(0, length))).toThrow(/^decodeSafetensors: /);
    }
  });

  test("decodeSafetensors throws its own error, or reads, where any byte of the header is changed", () => {
    const bytes = encodeSafetensors({ a: value([[1, 2]]), b: value(3) });
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 25 }), fc.nat({ max: 255 }), (at, byte) => {
        const changed = bytes.slice();
        changed[at] = byte;
        try {
          decodeSafetensors(changed);
        } catch (error) {
          expect(String(error)).toMatch(/^(Argument|DType)Error: decodeSafetensors: /);
        }
      }),
    );
  });

  test("decodeSafetensors reads a view into a larger buffer", () => {
    const bytes = encodeSafetensors({ a: value([1.5]) });
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(decodeSafetensors(larger.subarray(3)).tensors["a"]?.toArray()).toEqual([1.5]);
  });

  // Halves: IEEE 754-2019 table of binary16 values; bfloat16 is the upper half of a float32.
  test.each([
    ["F16", [0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x01, 0x00, 0x00, 0x7c], [1, -2, 65504, 2 ** -24, Infinity]],
    ["BF16", [0x80, 0x3f, 0x00, 0xc0, 0x80, 0x7f], [1, -2, Infinity]],
    ["U8", [0, 255], [0, 255]],
    ["I8", [255], [-1]],
    ["I16", [0xfe, 0xff], [-2]],
    ["U16", [0xfe, 0xff], [65534]],
    ["U32", [255, 255, 255, 255], [4294967295]],
    ["I64", [254, 255, 255, 255, 255, 255, 255, 255], [-2]],
    ["U64", [1, 0, 0, 0, 0, 1, 0, 0], [2 ** 40 + 1]],
  ])("decodeSafetensors reads %s", (dtype, data, expected) => {
    const header = { x: { dtype, shape: [expected.length], data_offsets: [0, data.length] } };
    expect(decodeSafetensors(file(header, data)).tensors["x"]?.toArray()).toEqual(expected);
  });

  const one = { dtype: "F32", shape: [1], data_offsets: [0, 4] };
  test.each([
    [file("{"), /^decodeSafetensors: the header must be JSON in UTF-8, got .*\. The file is damaged\.$/],
    [file("[]"), "decodeSafetensors: the header must be a JSON object, got []. The file is damaged."],
    [
      Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0),
      "decodeSafetensors: the header must have at most 100000000 bytes, got 4294967296. This is no safetensors file.",
    ],
    [
      file({ x: { ...one, dtype: "C64" } }),
      'decodeSafetensors: tensor "x" must be one of F64, F32, F16, BF16, I64, U64, I32, U32, I16, U16, I8, U8, BOOL, got "C64".',
    ],
    [
      file({ x: { ...one, shape: [-1] } }),
      'decodeSafetensors: tensor "x" must have a shape of whole numbers, got [-1]. The file is damaged.',
    ],
    [
      file({ x: { ...one, shape: [2] } }, [0, 0, 0, 0]),
      'decodeSafetensors: tensor "x", F32 of shape [2], must take 8 bytes, got 4. The file is damaged.',
    ],
    [
      file({ x: { dtype: "F32", shape: [1] } }),
      'decodeSafetensors: tensor "x" must have two data_offsets, got undefined. The file is damaged.',
    ],
    [
      file({ x: one, y: one }, [0, 0, 0, 0]),
      'decodeSafetensors: tensor "y" must begin where the one before it ends, at 4, got 0. The file is damaged.',
    ],
    [
      file({ x: { ...one, data_offsets: [4, 8] } }, [0, 0, 0, 0, 0, 0, 0, 0]),
      'decodeSafetensors: tensor "x" must begin where the one before it ends, at 0, got 4. The file is damaged.',
    ],
    [
      file({ x: one }, [0, 0, 0]),
      "decodeSafetensors: the tensors must take 4 bytes, got 3. The file is cut off.",
    ],
    [
      file({ x: one }, [0, 0, 0, 0, 0]),
      "decodeSafetensors: the tensors must take 4 bytes, got 5. The file has bytes that no tensor claims.",
    ],
    [
      file({ __metadata__: { a: 1 } }),
      'decodeSafetensors: __metadata__ must map names to texts, got {"a":1}. The file is damaged.',
    ],
    [
      file({ x: { dtype: "I64", shape: [], data_offsets: [0, 8] } }, [1, 0, 0, 0, 0, 0, 32, 0]),
      "decodeSafetensors: a 64-bit integer must be exact as a float64, got 9007199254740993.",
    ],
  ])("decodeSafetensors refuses a bad file (case %#)", (bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrow(message);
  });
});
