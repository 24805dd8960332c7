/** What operations along one axis share: the lines of elements along it, and several axes taken as one. */

import { ShapeError } from "../errors.ts";
import { operand } from "../op.ts";
import { checkOptions } from "../options.ts";
import { type Axes, formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../shape.ts";
import type { Operand, Value } from "../value.ts";
import { broadcastTo, reshape, transpose } from "./movement.ts";
import { REDUCTION, type ReductionOptions } from "./reduction.ts";

/**
 * Visits the lines along an axis of row-major data: where each begins, where it begins in a result that has `m`
 * elements along the axis, and the distance between neighbours in both.
 */
export function forEachLine(
  shape: Shape,
  axis: number,
  m: number,
  visit: (from: number, to: number, stride: number) => void,
): void {
  const n = shape[axis] as number;
  const stride = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    for (let l = 0; l < stride; l++) visit(o * n * stride + l, o * m * stride + l, stride);
  }
}

/** Refuses axes that are empty: an extreme of nothing is not there. */
export function checkNotEmpty(where: string, shape: Shape, axes: readonly number[]): void {
  const empty = axes.find((axis) => shape[axis] === 0);
  if (empty === undefined) return;
  throw new ShapeError({ where, expected: `axis ${empty} must not be empty`, received: formatShape(shape) });
}

/** A shape with another size along an axis, or without the axis (null). */
export function resized(shape: Shape, axis: number, size: number | null): number[] {
  return [...shape.slice(0, axis), ...(size === null ? [] : [size]), ...shape.slice(axis + 1)];
}

/**
 * Reduces axes by a function that reduces one: they are merged in row-major order, neighbours without a copy. The
 * function returns its input's shape without the axis, perhaps after axes of its own.
 */
export function reduceMerged(
  where: string,
  x: Operand,
  axes: Axes | null | undefined,
  options: ReductionOptions,
  reduce: (merged: Value, axis: number) => Value,
): Value {
  const { keepDims = false } = checkOptions(where, options, REDUCTION);
  const input = operand(where, x);
  const { shape } = input;
  const gone = normalizeAxes(where, axes, input.rank);
  const kept = shape.flatMap((_, i) => (gone.includes(i) ? [] : [i]));
  const first = gone[0] ?? input.rank;
  const neighbours = gone.every((axis, i) => axis === first + i);
  const order = neighbours ? shape.map((_, i) => i) : [...kept, ...gone];
  const at = neighbours ? first : kept.length;
  const sizes = order.map((i) => shape[i] as number);
  const size = sizeOf(sizes.slice(at, at + gone.length));
  const merged = reshape(transpose(input, order), [
    ...sizes.slice(0, at),
    size,
    ...sizes.slice(at + gone.length),
  ]);
  const y = reduce(merged, at);
  if (!keepDims) return y;
  const own = y.shape.slice(0, y.rank - kept.length);
  return reshape(y, [...own, ...shape.map((n, i) => (gone.includes(i) ? 1 : n))]);
}

/** Applies a function along an axis; a scalar is a line of one element, and without an axis the value is flattened. */
export function alongAxis(
  where: string,
  x: Operand,
  axis: number | undefined,
  f: (x: Value, axis: number) => Value,
): Value {
  const input = operand(where, x);
  if (axis === undefined) return f(reshape(input, [input.size]), 0);
  if (input.rank > 0) return f(input, normalizeAxis(where, axis, input.rank));
  normalizeAxis(where, axis, 1);
  const y = f(reshape(input, [1]), 0);
  return y.size === 1 ? reshape(y, []) : y;
}

/** Inputs of a batched operation, those that are the same for all examples repeated. */
export function batchAll(inputs: readonly Value[], batched: readonly boolean[], size: number): Value[] {
  return inputs.map((x, i) => (batched[i] ? x : broadcastTo(x, [size, ...x.shape])));
}
