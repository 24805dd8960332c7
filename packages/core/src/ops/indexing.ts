/** Reading at places that values hold: along an axis, at masks, at an index an axis. */

import { allocate, convert } from "../dtype.ts";
import { ArgumentError, ShapeError } from "../errors.ts";
import { apply, define, type Operation, operand, operation } from "../op.ts";
import {
  broadcastShapes,
  checkList,
  formatShape,
  normalizeAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import { movement } from "../spread.ts";
import { current } from "../state.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { add, lt, mul, where } from "./elementwise.ts";
import { batchAll, forEachLine, resized } from "./lines.ts";
import { broadcastTo, reshape } from "./movement.ts";
import { FARTHEST, indicesWithin, take, untakeOperation, wrap } from "./selection.ts";
import { type Range, slice } from "./slicing.ts";

/** The axis that is indexed. */
export interface Along {
  readonly axis: number;
}

/** The same with the size of the axis in the result. */
export interface Into extends Along {
  readonly size: number;
}

/** Whether int32 has an index for each of so many elements. */
const isCountable = (size: number): boolean => size <= 2 ** 31;

/**
 * Indices along an axis of a tensor, in lines of their own, as indices into all of its elements; those outside of the
 * axis are outside of these.
 */
function intoAll(indices: Value, axis: number, whole: Shape): Value {
  const n = whole[axis] as number;
  const strides = stridesOf(whole);
  const starts = indices.shape.flatMap((size, i): Value[] => {
    if (i === axis || size === 1) return [];
    const places = Int32Array.from({ length: size }, (_, k) => k * (strides[i] as number));
    const along = indices.shape.map((_, j) => (j === i ? size : 1));
    return [constant(tensorType(along, "int32"), places)];
  });
  const positive = where(lt(indices, 0), add(indices, n), indices);
  const flat = starts.reduce((sum, start) => add(sum, start), mul(positive, strides[axis] as number));
  return where(lt(positive, 0), FARTHEST, where(lt(positive, n), flat, FARTHEST));
}

/** From each line of x the elements that the same line of the indices names. */
export const gatherOperation: Operation<Along> = /* @__PURE__ */ operation({
  name: "gather",
  lowering: ({ axis }, [type]) => {
    if (!isCountable((type as TensorType).size)) return null;
    return {
      kind: "rewrite",
      rewrite: ([given, indices]) => {
        const x = given as Value;
        return take(reshape(x, [x.size]), intoAll(indices as Value, axis, x.shape), 0);
      },
    };
  },
  spread: movement((xs, attributes, type) => gatherOperation.evaluate(xs, attributes, type), 1),
  infer: ([x, indices]) => tensorType((indices as TensorType).shape, (x as TensorType).dtype),
  evaluate: ([x, indices], { axis }, type) => {
    const { data, shape } = x as Value;
    const picks = (indices as Value).data;
    const out = allocate(type.dtype, type.size);
    const n = shape[axis] as number;
    const m = type.shape[axis] as number;
    forEachLine(shape, axis, m, (from, to, stride) => {
      for (let k = 0, o = to; k < m; k++, o += stride)
        out[o] = data[from + wrap(picks[o] as number, n) * stride] as number;
    });
    return out;
  },
  vjp: [
    (dy, { inputs: [x, indices], attributes: { axis } }) =>
      apply(ungatherOperation, [dy, indices as Value], { axis, size: (x as Value).shape[axis] as number }),
    null,
  ],
  jvp: ([tx], { inputs: [, indices], attributes }) =>
    apply(gatherOperation, [tx as Value, indices as Value], attributes),
  batch: (inputs, batched, { axis }, size) =>
    apply(gatherOperation, batchAll(inputs, batched, size), { axis: axis + 1 }),
});

/** Zeros of `size` along the axis, to which each element is added in its line at its index: the transpose of gather. */
export const ungatherOperation: Operation<Into> = /* @__PURE__ */ operation({
  name: "ungather",
  lowering: ({ axis }, [type], { shape, size: count }) => {
    if (type?.dtype === "bool" || !isCountable(count)) return null;
    return {
      kind: "rewrite",
      rewrite: ([dy, indices]) => {
        const [rows, picks] = [dy, intoAll(indices as Value, axis, shape)].map((x) =>
          reshape(x as Value, [(dy as Value).size]),
        ) as [Value, Value];
        return reshape(apply(untakeOperation, [rows, picks], { axis: 0, size: count }), shape);
      },
    };
  },
  infer: ([x], { axis, size }) => {
    const { shape, dtype } = x as TensorType;
    return tensorType(resized(shape, axis, size), dtype === "bool" ? "int32" : dtype);
  },
  evaluate: ([x, indices], { axis, size }, type) => {
    const { data, shape } = x as Value;
    const picks = (indices as Value).data;
    const sums = allocate(type.dtype === "float32" ? "float64" : type.dtype, type.size);
    const n = shape[axis] as number;
    forEachLine(shape, axis, size, (from, to, stride) => {
      for (let k = 0, i = from; k < n; k++, i += stride) {
        const o = to + wrap(picks[i] as number, size) * stride;
        sums[o] = (sums[o] as number) + (data[i] as number);
      }
    });
    return type.dtype === "float32" ? convert(sums, "float32") : sums;
  },
  vjp: [
    (dy, { inputs: [, indices], attributes: { axis } }) =>
      apply(gatherOperation, [dy, indices as Value], { axis }),
    null,
  ],
  jvp: ([tx], { inputs: [, indices], attributes }) =>
    apply(ungatherOperation, [tx as Value, indices as Value], attributes),
  batch: (inputs, batched, { axis, size: n }, size) =>
    apply(ungatherOperation, batchAll(inputs, batched, size), { axis: axis + 1, size: n }),
});

/** x and indices of one rank, both ready to be indexed along an axis; scalars count as lines of one element. */
export function indexed(call: string, x: Operand, axis: number, indices: Operand) {
  const input = operand(call, x);
  const scalar = input.rank === 0;
  const line = scalar ? reshape(input, [1]) : input;
  const along = normalizeAxis(call, axis, line.rank);
  let picks = indicesWithin(call, indices, line.shape[along] as number);
  const restore = (y: Value): Value => (scalar && picks.size === 1 ? reshape(y, []) : y);
  if (scalar && picks.rank === 0) picks = reshape(picks, [1]);
  if (picks.rank !== line.rank) {
    throw new ShapeError({
      where: call,
      expected: `indices must have the rank ${line.rank} of x`,
      received: formatShape(picks.shape),
    });
  }
  return { input: line, picks, along, restore };
}

/**
 * From each line along an axis the elements at that line's own indices, as argsort and argmax give them.
 *
 * Shape: x [..., n, ...], indices [..., k, ...] of the same rank → [..., k, ...]; the other axes broadcast. Indices are
 * whole numbers in [−n, n − 1]. Derivative: dy added up at the places it came from.
 * Throws: ShapeError for another rank or an index outside.
 *
 * @example
 * takeAlongAxis([[10, 30, 20]], [[2, 0]], 1) // [[20, 10]]
 */
export const takeAlongAxis = /* @__PURE__ */ define(
  {
    name: "takeAlongAxis",
    operation: gatherOperation,
    samples: (draw) => [
      [draw([2, 3]), [[2, 0, 2, 1]], -1],
      [draw([3, 2]), [[1, -1]], 0],
      [draw([1, 3]), [[0], [2]], 1],
      [draw([2, 0]), constant(tensorType([2, 0], "int32"), new Int32Array(0))],
      [draw([]), 0],
    ],
  },
  (x: Operand, indices: Operand, axis = -1): Value => {
    const { input, picks, along, restore } = indexed("takeAlongAxis", x, axis, indices);
    const rest = broadcastShapes("takeAlongAxis", [
      resized(input.shape, along, 1),
      resized(picks.shape, along, 1),
    ]);
    const lines = broadcastTo(input, resized(rest, along, input.shape[along] as number));
    const at = broadcastTo(picks, resized(rest, along, picks.shape[along] as number));
    return restore(apply(gatherOperation, [lines, at], { axis: along }));
  },
);

/** Checks that indices reach no further than a shape, along the axes but one. */
export function checkReach(call: string, name: string, indices: Shape, shape: Shape, except: number): void {
  if (indices.length === shape.length && indices.every((n, i) => i === except || n <= (shape[i] as number)))
    return;
  throw new ShapeError({
    where: call,
    expected: `indices must not reach beyond ${name}${except < 0 ? "" : `, but along axis ${except}`}`,
    received: `${formatShape(indices)} for ${formatShape(shape)}`,
  });
}

/** The leading part of x that has a shape, `except` along one axis. */
export function leading(x: Value, shape: Shape, except: number): Value {
  return slice(x, ...shape.map((n, i): Range => (i === except ? null : [0, n])));
}

/**
 * PyTorch's gather: y[i][j] = x[indices[i][j]][j] along axis 0, and so on.
 *
 * Shape: that of the indices, which have x's rank and are nowhere larger than x but along the axis; nothing broadcasts.
 * Derivative: dy added up at the places it came from. Throws: ShapeError for other shapes or an index outside.
 *
 * @example
 * gather([[1, 2], [3, 4]], 1, [[0, 0], [1, 0]]) // [[1, 1], [4, 3]]
 */
export const gather = /* @__PURE__ */ define(
  {
    name: "gather",
    operation: gatherOperation,
    samples: (draw) => [
      [
        draw([2, 2]),
        1,
        [
          [0, 0],
          [1, 0],
        ],
      ],
      [draw([3, 2]), 0, [[2], [0], [2], [-1]]],
      [draw([2, 3, 2]), -2, [[[2, 0]]]],
      [draw([]), 0, 0],
    ],
  },
  (x: Operand, axis: number, indices: Operand): Value => {
    const { input, picks, along, restore } = indexed("gather", x, axis, indices);
    checkReach("gather", "x", picks.shape, input.shape, along);
    return restore(apply(gatherOperation, [leading(input, picks.shape, along), picks], { axis: along }));
  },
);

/** The flat places at which a value is not 0; its data must be known, since their number is a shape. */
function places(call: string, x: Value): number[] {
  if (current(x).storage === null) {
    throw new ArgumentError({
      where: call,
      expected: "data that is known, since the result's shape depends on it",
      received: `a captured value of shape ${formatShape(x.shape)}`,
      advice: "Keep the shape with where() instead.",
    });
  }
  const out: number[] = [];
  x.data.forEach((entry, i) => {
    if (entry !== 0) out.push(i);
  });
  return out;
}

/**
 * The elements, or slices along the leading axes, where a mask holds (is not 0): NumPy's `x[mask]`.
 *
 * Shape: x [...m, ...s], mask m → [count, ...s]: it depends on data, so that the mask cannot be captured; `where` keeps
 * the shape. Derivative: dy at the places it came from, 0 elsewhere.
 * Throws: ShapeError unless the mask has x's leading sizes, ArgumentError while captured.
 *
 * @example
 * booleanMask([1, 2, 3], [true, false, true]) // [1, 3]
 */
export const booleanMask = /* @__PURE__ */ define(
  {
    name: "booleanMask",
    operation: null,
    samples: (draw) => [
      [draw([3]), [true, false, true]],
      [draw([2, 3]), [false, true]],
      [
        draw([2, 2]),
        [
          [true, false],
          [true, true],
        ],
      ],
      [draw([2]), [false, false]],
      [draw([]), true],
    ],
  },
  (x: Operand, mask: Operand): Value => {
    const input = operand("booleanMask", x);
    const at = operand("booleanMask", mask);
    if (!sameShape(input.shape.slice(0, at.rank), at.shape)) {
      throw new ShapeError({
        where: "booleanMask",
        expected: `the mask must have the leading sizes of ${formatShape(input.shape)}`,
        received: formatShape(at.shape),
      });
    }
    const picks = Int32Array.from(places("booleanMask", at));
    return take(reshape(input, [at.size, ...input.shape.slice(at.rank)]), picks, 0);
  },
);

/**
 * Where a value is not 0: its indices along each axis, one list an axis, row by row. NaN counts as not 0.
 *
 * Shape: as many lists as x has axes (one for a scalar), each [count]: it depends on data, so that x cannot be captured.
 * dtype: int32. Derivative: none. Throws: ArgumentError while captured.
 *
 * @example
 * nonzero([[0, 5], [7, 0]])[1] // [1, 0]
 */
export const nonzero = /* @__PURE__ */ define(
  {
    name: "nonzero",
    operation: null,
    samples: () => [
      [
        [
          [0, 5, 0],
          [7, 0, 1],
        ],
      ],
      [[0, 0]],
      [3],
    ],
  },
  (x: Operand): Value[] => {
    const input = operand("nonzero", x);
    const flat = places("nonzero", input);
    const shape = input.rank === 0 ? [1] : input.shape;
    const strides = stridesOf(shape);
    return shape.map((n, axis) => {
      const indices = Int32Array.from(flat, (i) => Math.floor(i / (strides[axis] as number)) % n);
      return constant(tensorType([flat.length], "int32"), indices);
    });
  },
);

/**
 * Elements, or slices, at one index an axis: NumPy's `x[rows, columns]`, written `takeAt(x, [rows, columns])`.
 *
 * Shape: x [n0, …, nk, ...s], k + 1 indices that broadcast to t → [...t, ...s]. Negative indices count from the end.
 * Derivative: dy added up at the places it came from.
 * Throws: ShapeError for more indices than axes or an index outside.
 *
 * @example
 * takeAt([[1, 2], [3, 4], [5, 6]], [[0, 2], [1, -2]]) // [2, 5]
 */
export const takeAt = /* @__PURE__ */ define(
  {
    name: "takeAt",
    operation: null,
    samples: (draw) => [
      [
        draw([3, 2]),
        [
          [0, 2, 0],
          [1, -2, 1],
        ],
      ],
      [
        draw([3, 2, 2]),
        [
          [[0], [2]],
          [1, 0],
        ],
      ],
      [draw([3, 2]), [[2, 2]]],
      [draw([3, 2]), [1, 1]],
    ],
  },
  (x: Operand, indices: readonly Operand[]): Value => {
    const input = operand("takeAt", x);
    const axes = checkList("takeAt", "indices must be a list, one an axis", indices).length;
    if (axes === 0 || axes > input.rank) {
      throw new ShapeError({
        where: "takeAt",
        expected: `between one index and one an axis (rank ${input.rank})`,
        received: String(axes),
      });
    }
    const lead = input.shape.slice(0, axes);
    const flat = indices
      .map((index, axis) => {
        const n = lead[axis] as number;
        const at = indicesWithin("takeAt", index, n);
        return where(lt(at, 0), add(at, n), at);
      })
      .reduce((rows, at, axis) => add(mul(rows, lead[axis] as number), at));
    const rows = reshape(input, [sizeOf(lead), ...input.shape.slice(axes)]);
    return take(rows, flat, 0);
  },
);
