/** Slices: parts of a value by ranges along its axes, and the transpose of that. */

import { allocate } from "../dtype.ts";
import { ArgumentError, describe, ShapeError } from "../errors.ts";
import { type Box, readBox, writeBox } from "../loops.ts";
import { apply, define, type Operation, operand, operation } from "../op.ts";
import { checkList, type Shape, stridesOf } from "../shape.ts";
import { movement } from "../spread.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";

import { pack, reshape } from "./movement.ts";

/** One axis of a slice: a whole number picks an index and drops the axis, `[start, end, step]` a range, null all. */
export type Range = number | readonly [start?: number | null, end?: number | null, step?: number] | null;

/** Where a slice begins, its steps along each axis, and the shape of what it is taken from. */
export interface Slicing {
  readonly starts: readonly number[];
  readonly steps: readonly number[];
  /** The shape of the slice for `slice`, that of the whole for `unslice`. */
  readonly shape: Shape;
}

function boxOf(whole: Shape, part: Shape, { starts, steps }: Slicing): Box {
  const strides = stridesOf(whole);
  const start = starts.reduce((sum, s, i) => sum + s * (strides[i] as number), 0);
  return { shape: part, start, strides: steps.map((step, i) => step * (strides[i] as number)) };
}

/** The same slicing of every example of a batch. */
function batchSlicing({ starts, steps, shape }: Slicing, size: number): Slicing {
  return { starts: [0, ...starts], steps: [1, ...steps], shape: [size, ...shape] };
}

const sliceOperation: Operation<Slicing> = /* @__PURE__ */ operation({
  name: "slice",
  lowering: (slicing, [x], { shape }) => ({
    kind: "view",
    box: boxOf((x as TensorType).shape, shape, slicing),
  }),
  spread: movement((xs, attributes, type) => sliceOperation.evaluate(xs, attributes, type)),
  linear: true,
  infer: ([x], { shape }) => tensorType(shape, (x as TensorType).dtype),
  evaluate: ([x], slicing, type) => {
    const out = allocate(type.dtype, type.size);
    readBox((x as Value).data, boxOf((x as Value).shape, type.shape, slicing), out);
    return pack(type, out);
  },
  vjp: [
    (dy, { inputs: [x], attributes }) =>
      apply(unsliceOperation, [dy], { ...attributes, shape: (x as Value).shape }),
  ],
  batch: ([x], _, slicing, size) => apply(sliceOperation, [x as Value], batchSlicing(slicing, size)),
});

/** Zeros of `shape` that hold the input where a slice would read: the transpose of slice. */
export const unsliceOperation: Operation<Slicing> = /* @__PURE__ */ operation({
  name: "unslice",
  lowering: (slicing, [x], { shape }) => ({
    kind: "unview",
    box: boxOf(shape, (x as TensorType).shape, slicing),
    fill: 0,
  }),
  spread: movement((xs, attributes, type) => unsliceOperation.evaluate(xs, attributes, type)),
  linear: true,
  infer: ([x], { shape }) => tensorType(shape, (x as TensorType).dtype),
  evaluate: ([x], slicing, type) => {
    const out = allocate(type.dtype, type.size);
    writeBox((x as Value).data, out, boxOf(type.shape, (x as Value).shape, slicing));
    return out;
  },
  vjp: [
    (dy, { inputs: [x], attributes }) =>
      apply(sliceOperation, [dy], { ...attributes, shape: (x as Value).shape }),
  ],
  batch: ([x], _, slicing, size) => apply(unsliceOperation, [x as Value], batchSlicing(slicing, size)),
});

/**
 * Part of a value, one range an axis as in NumPy's `x[1:3, :, 0]`, written `slice(x, [1, 3], null, 0)`.
 *
 * A number picks an index and drops the axis; `[start, end, step]` is a range, negative places count from the end,
 * ends outside are clamped, a step may be negative; null, or a range left out, takes the whole axis.
 * Derivative: dy where the slice read, 0 elsewhere.
 * Throws: ShapeError for an index outside the axis, ArgumentError for a step of 0.
 *
 * @example
 * slice([[1, 2, 3], [4, 5, 6]], 1, [0, -1]) // [4, 5]
 */
export const slice = /* @__PURE__ */ define(
  {
    name: "slice",
    operation: sliceOperation,
    samples: (draw) => [
      [draw([4, 3]), [1, 3]],
      [draw([4, 3]), -1, [null, null, 2]],
      [draw([5]), [null, null, -2]],
      [draw([2, 3]), 1, 2],
      [draw([3, 2]), [2, 1]],
      [draw([2, 3, 2]), null, 0],
    ],
  },
  (x: Operand, ...ranges: readonly Range[]): Value => {
    const input = operand("slice", x);
    if (ranges.length > input.rank) {
      throw new ShapeError({
        where: "slice",
        expected: `at most one range an axis (rank ${input.rank})`,
        received: String(ranges.length),
      });
    }
    const parts = input.shape.map((n, axis) => resolveRange("slice", ranges[axis] ?? null, n, axis));
    const shape = parts.map((part) => part.count);
    const sliced = parts.every((part, i) => part.step === 1 && part.count === input.shape[i])
      ? input
      : apply(sliceOperation, [input], {
          starts: parts.map((part) => part.start),
          steps: parts.map((part) => part.step),
          shape,
        });
    return reshape(
      sliced,
      shape.filter((_, axis) => typeof ranges[axis] !== "number"),
    );
  },
);

/** A range along an axis of size n as the places it reads: `count` of them from `start` on, `step` apart. */
export function resolveRange(
  where: string,
  range: Range,
  n: number,
  axis: number,
): { start: number; step: number; count: number } {
  if (range === null) return { start: 0, step: 1, count: n };
  if (typeof range === "number") {
    if (!Number.isInteger(range) || range < -n || range >= n) {
      const expected = `index along axis ${axis} must be a whole number in [${-n}, ${n - 1}]`;
      throw new ShapeError({ where, expected, received: String(range) });
    }
    return { start: range < 0 ? range + n : range, step: 1, count: 1 };
  }
  const ends = `range along axis ${axis} must be a whole number, [start, end, step] or null`;
  const [from, to, step = 1] = checkList(where, ends, range) as typeof range;
  if (!Number.isInteger(step) || step === 0) {
    throw new ArgumentError({
      where,
      expected: "step must be a whole number other than 0",
      received: describe(step),
    });
  }
  for (const bound of [from, to]) {
    if (bound !== null && bound !== undefined && !Number.isInteger(bound) && Math.abs(bound) !== Infinity) {
      throw new ArgumentError({
        where,
        expected: "a range's ends must be whole numbers or null",
        received: describe(bound),
      });
    }
  }
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + n : i, low), high);
  const start = from === null || from === undefined ? (step > 0 ? low : high) : clamp(from);
  const end = to === null || to === undefined ? (step > 0 ? high : low) : clamp(to);
  const count = Math.max(0, Math.ceil((end - start) / step));
  return { start: count === 0 ? 0 : start, step, count };
}
