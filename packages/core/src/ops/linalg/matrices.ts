/** What the operations of linear algebra share: checked operands, parts of matrices, and loops over a batch of them. */

import { allocate, isFloat, type TypedArray } from "../../dtype.ts";
import { ShapeError } from "../../errors.ts";
import { operand, operands } from "../../op.ts";
import { formatShape, type Shape } from "../../shape.ts";
import { type TensorType, tensorType } from "../../tensor-type.ts";
import { constant, type Operand, type Value } from "../../value.ts";
import { add, mul, where } from "../elementwise.ts";
import { cast, expandDims, transpose } from "../movement.ts";
import { sum } from "../reduction.ts";
import { slice } from "../slicing.ts";

/** An operand that is a matrix or a batch of them, floating: integers count as float64. */
export function matrix(where: string, x: Operand): Value {
  const input = operand(where, x);
  if (input.rank < 2) {
    throw new ShapeError({
      where,
      expected: "a matrix, or a batch of them",
      received: `shape ${formatShape(input.shape)}`,
    });
  }
  return floating(input);
}

/** An operand that is a square matrix or a batch of them. */
export function squareMatrix(where: string, x: Operand): Value {
  const input = matrix(where, x);
  if (input.shape.at(-1) !== input.shape.at(-2)) {
    throw new ShapeError({
      where,
      expected: "square matrices",
      received: `shape ${formatShape(input.shape)}`,
    });
  }
  return input;
}

/** A matrix and a right-hand side in one floating dtype. */
export function system(where: string, a: Operand, b: Operand): [Value, Value] {
  const [left, right] = operands(where, [a, b]) as [Value, Value];
  return [matrix(where, left), floating(right)];
}

function floating(x: Value): Value {
  return isFloat(x.dtype) ? x : cast(x, "float64");
}

/** Rows and columns. */
export function sizesOf({ shape }: { readonly shape: Shape }): [rows: number, columns: number] {
  return [shape.at(-2) as number, shape.at(-1) as number];
}

/** The last two axes in the other order. */
export function transposed(x: Value): Value {
  const { rank } = x;
  return transpose(x, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
}

/** Ones where `j − i` has the property, zeros elsewhere: bool of shape [n, m]. */
function mask(n: number, m: number, has: (distance: number) => boolean): Value {
  const data = allocate("bool", n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) data[i * m + j] = has(j - i) ? 1 : 0;
  return constant(tensorType([n, m], "bool"), data);
}

/** The elements whose column is in the given relation to their row, zeros elsewhere. */
export function part(x: Value, has: (distance: number) => boolean): Value {
  return where(mask(...sizesOf(x), has), x, 0);
}

/** On and below the diagonal. */
export const lowerPart = (x: Value): Value => part(x, (d) => d <= 0);
/** Below the diagonal. */
export const strictlyLowerPart = (x: Value): Value => part(x, (d) => d < 0);
/** On and above the diagonal. */
export const upperPart = (x: Value): Value => part(x, (d) => d >= 0);

/** The identity of a size, in the dtype of `like`. */
export function identityLike(like: Value, n: number): Value {
  return cast(
    mask(n, n, (d) => d === 0),
    like.dtype,
  );
}

/** (x + xᵀ)/2. */
export function symmetric(x: Value): Value {
  return mul(add(x, transposed(x)), 0.5);
}

/** The same of plain numbers, in place. */
export function symmetrise(a: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const mean = ((a[i * n + j] as number) + (a[j * n + i] as number)) / 2;
      a[i * n + j] = mean;
      a[j * n + i] = mean;
    }
  }
  return a;
}

/** The matrix with a given diagonal. */
export function diagonalMatrix(diagonal: Value): Value {
  const n = diagonal.shape.at(-1) as number;
  return where(
    mask(n, n, (d) => d === 0),
    expandDims(diagonal, -2),
    0,
  );
}

/** The diagonal of a square matrix. */
export function diagonalOf(x: Value): Value {
  return sum(
    part(x, (d) => d === 0),
    -1,
  );
}

/** Rows `from` to `to` of each matrix. */
export function rows(x: Value, from: number, to: number): Value {
  return slice(x, ...leading(x), [from, to]);
}

/** Columns `from` to `to` of each matrix. */
export function columns(x: Value, from: number, to: number): Value {
  return slice(x, ...leading(x), null, [from, to]);
}

/** Whole ranges for all axes but the last two. */
export function leading(x: Value): null[] {
  return new Array<null>(x.rank - 2).fill(null);
}

/** A type with the same batch and dtype. */
export function matrixType(like: TensorType, n: number, m: number): TensorType {
  return tensorType([...like.shape.slice(0, -2), n, m], like.dtype);
}

/**
 * Applies a kernel to every matrix of a batch: it reads a float64 copy, which it may overwrite, and returns the result's
 * elements.
 */
export function mapMatrices(
  x: Value,
  type: TensorType,
  kernel: (a: Float64Array, n: number, m: number, index: number) => ArrayLike<number>,
): number | TypedArray {
  const [n, m] = sizesOf(x);
  const count = x.shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const size = count === 0 ? 0 : type.size / count;
  const out = allocate(type.dtype, type.size);
  for (let k = 0; k < count; k++)
    out.set(kernel(new Float64Array(x.data.subarray(k * n * m, (k + 1) * n * m)), n, m, k), k * size);
  return type.shape.length === 0 ? (out[0] as number) : out;
}
