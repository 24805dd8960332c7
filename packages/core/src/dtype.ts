/** Number types: how they are stored, rounded and promoted. */

import { DTypeError } from "./errors.ts";

/** The number types of a value. `bool` reads as 0 and 1. */
export type DType = "float64" | "float32" | "int32" | "bool";

/** Flat row-major storage of a tensor. */
export type TypedArray = Float64Array | Float32Array | Int32Array | Uint8Array;

const CONSTRUCTORS = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

const KIND: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 2 };

/** All dtypes, narrowest first. */
export const dtypes: readonly DType[] = ["bool", "int32", "float32", "float64"];

/** Whether a dtype carries derivatives. */
export function isFloat(dtype: DType): boolean {
  return KIND[dtype] === 2;
}

/** A new zero-filled array of `size` elements. */
export function allocate(dtype: DType, size: number): TypedArray {
  return new CONSTRUCTORS[dtype](size);
}

/** The dtype that stores a typed array as it is, or `null` where a conversion is needed. */
export function dtypeOf(array: ArrayBufferView): DType | null {
  if (array instanceof Float64Array) return "float64";
  if (array instanceof Float32Array) return "float32";
  if (array instanceof Int32Array) return "int32";
  return null;
}

/** Rounds a number to what `dtype` can hold, as storing it in a typed array would. */
export function roundTo(dtype: DType, x: number): number {
  if (dtype === "float64") return x;
  if (dtype === "float32") return Math.fround(x);
  if (dtype === "int32") return x | 0;
  return x === 0 ? 0 : 1;
}

/** Copies an array into another dtype. */
export function convert(array: TypedArray, dtype: DType): TypedArray {
  const out = allocate(dtype, array.length);
  if (dtype === "bool") for (let i = 0; i < array.length; i++) out[i] = array[i] === 0 ? 0 : 1;
  else out.set(array);
  return out;
}

/** NumPy's promotion of two tensor dtypes. int32 with float32 is float64, since float32 cannot hold every int32. */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const [low, high] = KIND[a] <= KIND[b] ? [a, b] : [b, a];
  if (KIND[low] === KIND[high]) return "float64";
  return low === "int32" && high === "float32" ? "float64" : high;
}

/** What promotion needs to know of an operand. */
interface Operand {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/**
 * The dtype in which operands meet. Tensors promote as in NumPy; a rank-0 operand never widens a tensor of its own
 * kind (bool, integer, floating) or of a higher one.
 */
export function commonDType(operands: readonly Operand[]): DType {
  const first = operands[0] as Operand;
  if (operands.every((x) => x.dtype === first.dtype)) return first.dtype;
  const tensors = operands.filter((x) => x.shape.length > 0);
  const scalars = operands.filter((x) => x.shape.length === 0);
  const joinAll = (xs: readonly Operand[]) => xs.map((x) => x.dtype).reduce(promote);
  if (tensors.length === 0) return joinAll(scalars);
  const tensor = joinAll(tensors);
  if (scalars.length === 0) return tensor;
  const scalar = joinAll(scalars);
  return KIND[scalar] > KIND[tensor] ? scalar : tensor;
}

/** The dtype that a plain number takes beside an operand of `dtype`: its own, unless the number does not fit there. */
export function dtypeBeside(dtype: DType, x: number): DType {
  if (isFloat(dtype)) return dtype;
  return x === (x | 0) ? "int32" : "float64";
}

/** Checks a dtype that came from a user. */
export function checkDType(where: string, dtype: string): DType {
  if (dtype in CONSTRUCTORS) return dtype as DType;
  throw new DTypeError({
    where,
    expected: `dtype must be one of ${dtypes.join(", ")}`,
    received: JSON.stringify(dtype),
  });
}
