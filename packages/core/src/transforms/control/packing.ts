/** Several results of one operation as one value: how they are packed, and taken out again. */

import { allocate, type DType, type TypedArray } from "../../dtype.ts";
import { type AnyOperation, filled } from "../../op.ts";
import { add } from "../../ops/elementwise.ts";
import { concat } from "../../ops/joining.ts";
import { broadcastTo, cast, reshape } from "../../ops/movement.ts";
import { type Slicing, slice, unsliceOperation } from "../../ops/slicing.ts";
import { type TensorType, tensorType } from "../../tensor-type.ts";
import type { Value } from "../../value.ts";

/**
 * The type of values of these types packed in one: a single value's own; otherwise a vector of all their elements, one
 * value after the other, in the dtype that they share, or float64 where they differ.
 */
export function packedType(types: readonly TensorType[]): TensorType {
  const [first] = types;
  if (types.length === 1 && first !== undefined) return first;
  const size = types.reduce((sum, type) => sum + type.size, 0);
  const dtypes = new Set<DType>(types.map((type) => type.dtype));
  return tensorType([size], dtypes.size === 1 ? (first as TensorType).dtype : "float64");
}

/** Values packed in one. Those that are null count as zeros. */
export function pack(xs: readonly (Value | null)[], types: readonly TensorType[]): Value {
  const { dtype } = packedType(types);
  if (types.length === 1) return xs[0] ?? filled(types[0] as TensorType, 0);
  const flat = types.map((type, i) => {
    const x = xs[i] ?? null;
    return x === null ? filled(tensorType([type.size], dtype), 0) : reshape(cast(x, dtype), [type.size]);
  });
  return flat.length === 0 ? filled(tensorType([0], dtype), 0) : concat(flat);
}

/** The data of values packed in one. */
export function packData(xs: readonly Value[], types: readonly TensorType[]): number | TypedArray {
  if (types.length === 1) return (xs[0] as Value).storage as number | TypedArray;
  const { dtype, size } = packedType(types);
  const out = allocate(dtype, size);
  let at = 0;
  for (const { storage, size: n } of xs) {
    if (typeof storage === "number") out[at] = storage;
    else out.set(storage as TypedArray, at);
    at += n;
  }
  return out;
}

/** The values that one packs, by their types. */
export function unpack(packed: Value, types: readonly TensorType[]): Value[] {
  if (types.length === 1) return [packed];
  let at = 0;
  return types.map((type) => {
    const part = slice(packed, [at, at + type.size]);
    at += type.size;
    return cast(reshape(part, type.shape), type.dtype);
  });
}

/**
 * The parts of the cotangent of an output of several values; null for those that no path carries, as far as the
 * operations that it was added up with tell. While a function is captured, what is known to be 0 is absent as well: a
 * cotangent that is the same whatever the arguments are is made at once, and does not tell how.
 */
export function unpackCotangent(
  packed: Value,
  types: readonly TensorType[],
  output: Value,
): (Value | null)[] {
  if (types.length === 1) return [packed];
  const fixed = output.storage === null && packed.storage !== null;
  let at = 0;
  return types.map((type) => {
    const part = type.size === 0 ? null : partOf(packed, at, type.size);
    at += type.size;
    if (part === null || (fixed && part.data.every((d: number) => d === 0))) return null;
    return cast(reshape(part, type.shape), type.dtype);
  });
}

/** Elements `start` to `start + size − 1` of a vector, or null where they are known to be made of nothing. */
function partOf(x: Value, start: number, size: number): Value | null {
  const [a, b] = x.inputs;
  const op: AnyOperation | null = x.op;
  if (op === add.definition.operation && a?.size === x.size && b?.size === x.size) {
    const [p, q] = [partOf(a, start, size), partOf(b, start, size)];
    return p === null || q === null ? (p ?? q) : add(p, q);
  }
  if (op === (unsliceOperation as unknown) && a !== undefined) {
    const { starts, steps } = x.attributes as Slicing;
    const from = starts[0] as number;
    if (steps[0] === 1) {
      if (start + size <= from || from + a.size <= start) return null;
      if (from <= start && start + size <= from + a.size) return partOf(a, start - from, size);
    }
  }
  return start === 0 && size === x.size ? x : slice(x, [start, start + size]);
}

/** Packs values of a batch: each of `size` examples, those that are not `batched` repeated. */
export function packBatch(
  xs: readonly Value[],
  batched: readonly boolean[],
  types: readonly TensorType[],
  size: number,
): Value {
  const { dtype } = packedType(types);
  const all = xs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape])));
  if (types.length === 1) return all[0] as Value;
  const rows = all.map((x, i) => reshape(cast(x, dtype), [size, (types[i] as TensorType).size]));
  return rows.length === 0 ? filled(tensorType([size, 0], dtype), 0) : concat(rows, 1);
}
