/** Operations that pick elements by index. */

import { allocate, convert, type DType } from "../dtype.ts";
import { ArgumentError, DTypeError, describe, ShapeError } from "../errors.ts";
import { extremesOf } from "../extremes.ts";
import { apply, define, type Operation, operand, operation } from "../op.ts";
import { normalizeAxis, sizeOf } from "../shape.ts";
import { movement } from "../spread.ts";
import { current } from "../state.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { add, eq, lt, where } from "./elementwise.ts";
import { broadcastTo, cast, expandDims, reshape, transpose } from "./movement.ts";

/** The axis that is indexed. */
interface Taking {
  readonly axis: number;
}

const takeOperation: Operation<Taking> = /* @__PURE__ */ operation({
  name: "take",
  lowering: ({ axis }) => ({ kind: "take", axis }),
  spread: movement((xs, attributes, type) => takeOperation.evaluate(xs, attributes, type), 1),
  infer: ([x, indices], { axis }) => {
    const { shape, dtype } = x as TensorType;
    return tensorType(
      [...shape.slice(0, axis), ...(indices as TensorType).shape, ...shape.slice(axis + 1)],
      dtype,
    );
  },
  evaluate: ([x, indices], { axis }, type) => {
    const { data, shape } = x as Value;
    const picks = (indices as Value).data;
    const out = allocate(type.dtype, type.size);
    const n = shape[axis] as number;
    const inner = sizeOf(shape.slice(axis + 1));
    const outer = sizeOf(shape.slice(0, axis));
    let o = 0;
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < picks.length; j++, o += inner) {
        const from = (i * n + wrap(picks[j] as number, n)) * inner;
        for (let l = 0; l < inner; l++) out[o + l] = data[from + l] as number;
      }
    }
    return type.shape.length === 0 ? (out[0] as number) : out;
  },
  vjp: [
    (dy, { inputs: [x, indices], attributes: { axis } }) =>
      apply(untakeOperation, [dy, indices as Value], { axis, size: (x as Value).shape[axis] as number }),
    null,
  ],
  jvp: ([tx], { inputs: [, indices], attributes }) =>
    apply(takeOperation, [tx as Value, indices as Value], attributes),
  batch: ([x, indices], [batched, picked], { axis }, size) => {
    if (!picked) return apply(takeOperation, [x as Value, indices as Value], { axis: axis + 1 });
    // Each example's slices one after the other, the indices moved on to their example's.
    const { shape } = x as Value;
    const examples = batched ? size : 1;
    const from = batched ? axis + 1 : axis;
    const n = shape[from] as number;
    const rows = moved(x as Value, from, batched ? 1 : 0);
    const flat = reshape(rows, [examples * n, ...rows.shape.slice(batched ? 2 : 1)]);
    const y = apply(takeOperation, [flat, offset(indices as Value, n, batched === true)], { axis: 0 });
    // The axes of the indices go back to where the axis was.
    const { rank } = indices as Value;
    const order = y.shape.map((_, i) => i);
    return transpose(y, [
      0,
      ...order.slice(rank, rank + axis),
      ...order.slice(1, rank),
      ...order.slice(rank + axis),
    ]);
  },
});

/** Zeros with `size` along the axis, to which each slice of the input is added at its index: the transpose of take. */
export const untakeOperation: Operation<Taking & { readonly size: number }> = /* @__PURE__ */ operation({
  name: "untake",
  lowering: ({ axis }) => ({ kind: "untake", axis }),
  infer: ([dy, indices], { axis, size }) => {
    const { shape, dtype } = dy as TensorType;
    return tensorType(
      [...shape.slice(0, axis), size, ...shape.slice(axis + (indices as TensorType).shape.length)],
      dtype,
    );
  },
  evaluate: ([dy, indices], { axis, size }, type) => {
    const { data } = dy as Value;
    const picks = (indices as Value).data;
    const out = allocate(type.dtype === "float32" ? "float64" : type.dtype, type.size);
    const inner = sizeOf(type.shape.slice(axis + 1));
    const outer = sizeOf(type.shape.slice(0, axis));
    let from = 0;
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < picks.length; j++, from += inner) {
        const o = (i * size + wrap(picks[j] as number, size)) * inner;
        for (let l = 0; l < inner; l++) out[o + l] = (out[o + l] as number) + (data[from + l] as number);
      }
    }
    return type.dtype === "float32" ? convert(out, "float32") : out;
  },
  vjp: [
    (dy, { inputs: [, indices], attributes: { axis } }) =>
      apply(takeOperation, [dy, indices as Value], { axis }),
    null,
  ],
  jvp: ([tx], { inputs: [, indices], attributes }) =>
    apply(untakeOperation, [tx as Value, indices as Value], attributes),
  batch: ([dy, indices], [batched, picked], { axis, size: n }, size) => {
    if (!picked) return apply(untakeOperation, [dy as Value, indices as Value], { axis: axis + 1, size: n });
    const x = batched ? (dy as Value) : broadcastTo(dy as Value, [size, ...(dy as Value).shape]);
    const { rank } = indices as Value;
    const order = x.shape.map((_, i) => i);
    const at = axis + 1;
    const end = axis + rank;
    const rows = transpose(x, [0, ...order.slice(at, end), ...order.slice(1, at), ...order.slice(end)]);
    const sums = apply(untakeOperation, [rows, offset(indices as Value, n, true)], {
      axis: 0,
      size: size * n,
    });
    return moved(reshape(sums, [size, n, ...sums.shape.slice(1)]), 1, at);
  },
});

/** An axis moved to another place. */
function moved(x: Value, from: number, to: number): Value {
  const order = x.shape.flatMap((_, i) => (i === from ? [] : [i]));
  order.splice(to, 0, from);
  return transpose(x, order);
}

/** The int32 that is outside of every axis. */
export const FARTHEST = -(2 ** 31);

/** A batch of indices into axes of n as indices into the examples' axes one after the other. */
function offset(indices: Value, n: number, examples: boolean): Value {
  const positive = where(lt(indices, 0), add(indices, n), indices);
  if (!examples) return positive;
  const [size, ...rest] = indices.shape as [number, ...number[]];
  const starts = Int32Array.from({ length: size }, (_, i) => i * n);
  const moved = add(positive, constant(tensorType([size, ...rest.map(() => 1)], "int32"), starts));
  // What is outside of its example's axis must not come to lie in another's.
  return where(lt(positive, 0), FARTHEST, where(lt(positive, n), moved, FARTHEST));
}

/** A place in no array: what is read there is NaN, or 0 of integers, and what is written there is dropped. */
const NOWHERE = -(2 ** 40);

/**
 * An index that may count from the end, as one ≥ 0; nowhere, if it is outside of the axis. Indices of a captured function
 * can be: they were not there to be checked.
 */
export function wrap(index: number, n: number): number {
  const place = index < 0 ? index + n : index;
  return place >= 0 && place < n ? place : NOWHERE;
}

/**
 * Elements, or whole slices along an axis, at given indices; without an axis, of the flattened value.
 *
 * Shape: x [..., n, ...], indices s → [..., s, ...]. Indices are whole numbers in [−n, n − 1], negative ones count from
 * the end, and may repeat. Derivative: dy added up at the places it came from. Indices that only data tells, while a
 * function is captured or mapped, cannot be checked: outside the axis NaN is taken (0 of integers), and nothing flows back.
 * Throws: ShapeError for an index outside, DTypeError for fractional indices.
 *
 * @example
 * take([[1, 2], [3, 4], [5, 6]], [2, 0], 0) // [[5, 6], [1, 2]]
 */
export const take = /* @__PURE__ */ define(
  {
    name: "take",
    operation: takeOperation,
    samples: (draw) => [
      [draw([3, 2]), [2, 0, 2], 0],
      [
        draw([3, 2]),
        [
          [0, 1],
          [-1, 0],
        ],
        1,
      ],
      [draw([2, 3]), 4],
      [draw([4]), 1, 0],
    ],
  },
  (x: Operand, indices: Operand, axis?: number): Value => {
    const input = operand("take", x);
    if (axis === undefined) return take(reshape(input, [input.size]), indices, 0);
    const along = normalizeAxis("take", axis, input.rank);
    const picks = indicesWithin("take", indices, input.shape[along] as number);
    return apply(takeOperation, [input, picks], { axis: along });
  },
);

/** Indices from a user as int32, checked to be in [−n, n − 1] where they are known. */
export function indicesWithin(where: string, indices: Operand, n: number): Value {
  const picks = wholeNumbers(where, indices);
  if (picks.storage === null) return picks;
  const { least, most } = extremesOf(picks);
  if (least >= -n && most < n) return picks;
  const expected =
    n === 0 ? "nothing can be taken from an empty axis" : `indices must be in [${-n}, ${n - 1}]`;
  const outside = picks.data.find((pick) => pick < -n || pick >= n);
  throw new ShapeError({ where, expected, received: String(outside) });
}

/** Indices from a user as int32. */
function wholeNumbers(where: string, indices: Operand): Value {
  const picks = current(operand(where, indices));
  if (picks.dtype === "int32") return picks;
  const known = picks.dtype !== "bool" && picks.storage !== null;
  if (!known || picks.data.some((i) => i !== (i | 0))) {
    throw new DTypeError({
      where,
      expected: "indices must be whole numbers of 32 bits",
      received: known ? String(picks.data.find((i) => i !== (i | 0))) : picks.dtype,
      ...(known || picks.dtype === "bool" ? {} : { advice: "Cast them to int32." }),
    });
  }
  return cast(picks, "int32");
}

/**
 * Rows of the identity matrix: 1 at each index, 0 elsewhere.
 *
 * Shape: indices s → [...s, count]. dtype: float32 unless said. An index outside [0, count) gives zeros.
 * Derivative: none.
 *
 * @example
 * oneHot([2, 0], 3) // [[0, 0, 1], [1, 0, 0]]
 */
export const oneHot = /* @__PURE__ */ define(
  { name: "oneHot", operation: null, samples: () => [[[2, 0], 3]] },
  (indices: Operand, count: number, dtype: DType = "float32"): Value => {
    if (!Number.isInteger(count) || count < 0) {
      throw new ArgumentError({
        where: "oneHot",
        expected: "count must be a whole number ≥ 0",
        received: describe(count),
      });
    }
    const classes = constant(
      tensorType([count], "int32"),
      Int32Array.from({ length: count }, (_, i) => i),
    );
    return cast(eq(expandDims(wholeNumbers("oneHot", indices), -1), classes), dtype);
  },
);
