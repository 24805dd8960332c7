/** Storage in arrays: what holds a dtype, and data in and out as `Value` stores it. */

import type { TypedArray } from "@adjoint/core";
import type { TensorType } from "@adjoint/core/operations";
import type { Storage } from "./program.ts";

/** The typed array of each dtype. */
export const ARRAYS = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

/** Puts data into an array. */
export function writeStorage(array: TypedArray, data: Storage): void {
  if (typeof data === "number") array[0] = data;
  else array.set(data);
}

/** The data of an array as a copy. */
export function readStorage(array: TypedArray, { shape }: TensorType): Storage {
  return shape.length === 0 ? (array[0] as number) : array.slice();
}
