/** Tensor types: shape and dtype, what is known of a value before its data. */

import type { DType } from "./dtype.ts";
import { type Shape, sizeOf } from "./shape.ts";

/** Shape and dtype: all that is known of a value before its data. */
export class TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly size: number;

  constructor(shape: Shape, dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
    this.size = sizeOf(shape);
  }
}

const SCALARS: Record<DType, TensorType> = {
  float64: new TensorType([], "float64"),
  float32: new TensorType([], "float32"),
  int32: new TensorType([], "int32"),
  bool: new TensorType([], "bool"),
};

/** The type of a float64 scalar. Scalars share their types, so that the fast path is one comparison. */
export const SCALAR = SCALARS.float64;

/** The type of a shape and a dtype. */
export function tensorType(shape: Shape, dtype: DType): TensorType {
  return shape.length === 0 ? SCALARS[dtype] : new TensorType(shape, dtype);
}
