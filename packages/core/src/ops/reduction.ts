/** Reductions over axes: sums, extremes, and the softmax family written with them. */

import { allocate, type TypedArray } from "../dtype.ts";
import { ShapeError } from "../errors.ts";
import { apply, type Definition, type Draw, define, type Operation, operand, operation } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { type Axes, formatShape, normalizeAxes, normalizeAxis, type Shape, sizeOf } from "../shape.ts";
import { reduction } from "../spread.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import { constant, type Operand, type Value } from "../value.ts";
import { div, eq, exp, log, mul, ne, sub, where } from "./elementwise.ts";
import { broadcastTo, reshape, stopGradient } from "./movement.ts";

/** Options of a reduction. */
export interface ReductionOptions {
  /** Keep the reduced axes with size 1, so that the result broadcasts against the input. */
  readonly keepDims?: boolean;
}

/** Their names. */
export const REDUCTION: OptionNames<ReductionOptions> = { keepDims: true };

interface Reduced {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** A shape after reduction of `axes`. */
function reducedShape(shape: Shape, { axes, keepDims }: Reduced): Shape {
  return keepDims
    ? shape.map((n, i) => (axes.includes(i) ? 1 : n))
    : shape.filter((_, i) => !axes.includes(i));
}

/** A reduction's output, or its cotangent, with the reduced axes back at size 1. */
function restoreAxes(y: Value, x: Value, { axes }: Reduced): Value {
  return reshape(y, reducedShape(x.shape, { axes, keepDims: true }));
}

/** The axes of an example as axes of a batch of them. */
function shiftAxes(axes: readonly number[]): number[] {
  return axes.map((axis) => axis + 1);
}

const SAMPLE_SHAPES = [[2, 3], [2, 3, 2], []] as const;
const reductionSamples = (draw: Draw) => [
  ...SAMPLE_SHAPES.map((shape) => [draw(shape)]),
  [draw([2, 3]), 0],
  [draw([2, 3, 2]), [0, -1], { keepDims: true }],
  [draw([3, 1]), 1],
  [draw([2, 3]), []],
];

/** How a reduction folds `n` neighbours into a number, and `n` rows of neighbours into one row that begins as 0. */
interface Fold {
  run(data: TypedArray, start: number, n: number): number;
  rows(data: TypedArray, start: number, n: number, into: Float64Array, at: number, width: number): void;
}

/** Folds axes of row-major data, in float64. */
function foldAxes(
  data: TypedArray,
  shape: Shape,
  axes: readonly number[],
  out: TypedArray,
  fold: Fold,
): TypedArray {
  // Axes that neighbour each other and are reduced alike act as one.
  const groups: { size: number; reduced: boolean }[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const reduced = axes.includes(axis);
    const last = groups.at(-1);
    if (last !== undefined && last.reduced === reduced) last.size *= size;
    else groups.push({ size, reduced });
  });
  let current: TypedArray = data;
  for (let at = groups.length - 1; at >= 0; at--) {
    const group = groups[at] as { size: number; reduced: boolean };
    if (!group.reduced) continue;
    const outer = groups.slice(0, at).reduce((n, { size }) => n * size, 1);
    const inner = groups.slice(at + 1).reduce((n, { size, reduced }) => (reduced ? n : n * size), 1);
    const folded = new Float64Array(outer * inner);
    for (let i = 0; i < outer; i++) {
      const start = i * group.size * inner;
      if (inner === 1) folded[i] = fold.run(current, start, group.size);
      else fold.rows(current, start, group.size, folded, i * inner, inner);
    }
    current = folded;
  }
  out.set(current);
  return out;
}

/** Sums along axes of row-major data, in float64 and pairwise, so that the error grows with the logarithm of the count. */
export function sumAxes(
  data: TypedArray,
  shape: Shape,
  axes: readonly number[],
  out: TypedArray,
): TypedArray {
  return foldAxes(data, shape, axes, out, SUM);
}

const SUM: Fold = { run: pairwiseSum, rows: sumRows };

/** The sum of `n` neighbours. Source: Higham, The Accuracy of Floating Point Summation (1993), §2. */
function pairwiseSum(data: TypedArray, start: number, n: number): number {
  if (n > 256) {
    const half = n >> 1;
    return pairwiseSum(data, start, half) + pairwiseSum(data, start + half, n - half);
  }
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  const end = start + n;
  let i = start;
  for (; i + 3 < end; i += 4) {
    s0 += data[i] as number;
    s1 += data[i + 1] as number;
    s2 += data[i + 2] as number;
    s3 += data[i + 3] as number;
  }
  for (; i < end; i++) s0 += data[i] as number;
  return s0 + s1 + (s2 + s3);
}

/** Adds `n` rows of `width` neighbours into `sums`, pairwise from a block of rows on. */
function sumRows(
  data: TypedArray,
  start: number,
  n: number,
  sums: Float64Array,
  at: number,
  width: number,
): void {
  if (n > 128) {
    const half = n >> 1;
    const rest = new Float64Array(width);
    sumRows(data, start, half, sums, at, width);
    sumRows(data, start + half * width, n - half, rest, 0, width);
    for (let j = 0; j < width; j++) sums[at + j] = (sums[at + j] as number) + (rest[j] as number);
    return;
  }
  let from = start;
  for (let row = 0; row < n; row++) {
    for (let j = 0; j < width; j++) sums[at + j] = (sums[at + j] as number) + (data[from++] as number);
  }
}

const sumOperation: Operation<Reduced> = /* @__PURE__ */ operation({
  name: "sum",
  lowering: ({ axes }) => ({ kind: "fold", fold: "sum", axes }),
  spread: reduction,
  linear: true,
  infer: ([x], reduced) => {
    const { shape, dtype } = x as TensorType;
    return tensorType(reducedShape(shape, reduced), dtype === "bool" ? "int32" : dtype);
  },
  evaluate: ([x], { axes }, type) => {
    const input = x as Value;
    if (typeof input.storage === "number") return input.storage;
    const out = sumAxes(input.data, input.shape, axes, allocate(type.dtype, type.size));
    return type.shape.length === 0 ? (out[0] as number) : out;
  },
  vjp: [
    (dy, { inputs: [x], attributes }) =>
      broadcastTo(restoreAxes(dy, x as Value, attributes), (x as Value).shape),
  ],
  batch: ([x], _, { axes, keepDims }) => sum(x as Value, shiftAxes(axes), { keepDims }),
});

/**
 * Sum over axes, by default all.
 *
 * Shape: the axes go, or stay with size 1 (`keepDims`); an empty sum is 0. dtype: bool sums to int32. Accumulated in
 * float64, pairwise. Derivative: dy repeated along the axes.
 *
 * @example
 * sum([[1, 2], [3, 4]], 0) // [4, 6]
 */
export const sum = /* @__PURE__ */ define(
  { name: "sum", operation: sumOperation, samples: (draw) => [...reductionSamples(draw), [draw([0, 2]), 0]] },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    const input = operand("sum", x);
    return apply(sumOperation, [input], reducedBy("sum", input, axes, options));
  },
);

function reducedBy(
  where: string,
  x: Value,
  axes: Axes | null | undefined,
  options: ReductionOptions,
): Reduced {
  const { keepDims = false } = checkOptions(where, options, REDUCTION);
  return { axes: normalizeAxes(where, axes, x.rank), keepDims };
}

/**
 * Arithmetic mean over axes, by default all. Integers give float64; the mean of nothing is NaN.
 *
 * Shape: as `sum`. Derivative: dy/n repeated along the axes.
 *
 * @example
 * mean([[1, 2], [3, 4]], 1) // [1.5, 3.5]
 */
export const mean = /* @__PURE__ */ define(
  { name: "mean", operation: null, samples: reductionSamples },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    const input = operand("mean", x);
    checkOptions("mean", options, REDUCTION);
    const total = sum(input, normalizeAxes("mean", axes, input.rank), options);
    return div(total, total.size === 0 ? 1 : input.size / total.size);
  },
);

/** The record and public function of an extreme: `better(a, b)` is whether a beats b. */
function extreme(name: "max" | "min", pick: (a: number, b: number) => number) {
  const fold: Fold = {
    run(data, start, n) {
      let best = data[start] as number;
      for (let i = start + 1; i < start + n; i++) best = pick(best, data[i] as number);
      return best;
    },
    rows(data, start, n, into, at, width) {
      into.set(data.subarray(start, start + width), at);
      let from = start + width;
      for (let row = 1; row < n; row++) {
        for (let j = at; j < at + width; j++) into[j] = pick(into[j] as number, data[from++] as number);
      }
    },
  };
  const record: Operation<Reduced> = operation({
    name,
    lowering: ({ axes }) => ({ kind: "fold", fold: name, axes }),
    infer: ([x], reduced) => {
      const { shape, dtype } = x as TensorType;
      const empty = reduced.axes.find((axis) => shape[axis] === 0);
      if (empty !== undefined) {
        throw new ShapeError({
          where: name,
          expected: `axis ${empty} must not be empty`,
          received: formatShape(shape),
        });
      }
      return tensorType(reducedShape(shape, reduced), dtype);
    },
    evaluate: ([x], { axes }, type) => {
      const input = x as Value;
      if (typeof input.storage === "number") return input.storage;
      const out = foldAxes(input.data, input.shape, axes, allocate(type.dtype, type.size), fold);
      return type.shape.length === 0 ? (out[0] as number) : out;
    },
    vjp: [
      (dy, { inputs: [x], output, attributes }) => {
        const { mask, count } = ties(x as Value, output, attributes);
        return where(mask, div(restoreAxes(dy, x as Value, attributes), count), 0);
      },
    ],
    jvp: ([tx], { inputs: [x], output, attributes }) => {
      const { mask, count } = ties(x as Value, output, attributes);
      return sum(where(mask, div(tx as Value, count), 0), attributes.axes, { keepDims: attributes.keepDims });
    },
    batch: ([x], _, { axes, keepDims }) => f(x as Value, shiftAxes(axes), { keepDims }),
  });
  const f = (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    const input = operand(name, x);
    return apply(record, [input], reducedBy(name, input, axes, options));
  };
  const definition: Definition = {
    name,
    operation: record as Definition["operation"],
    samples: reductionSamples,
  };
  return define(definition, f);
}

/** Which elements are the extreme, and how many of them share it. */
function ties(x: Value, y: Value, reduced: Reduced): { mask: Value; count: Value } {
  const mask = eq(x, restoreAxes(stopGradient(y), x, reduced));
  return { mask, count: sum(mask, reduced.axes, { keepDims: true }) };
}

/**
 * The largest element over axes, by default all; NaN if any is.
 *
 * Shape: as `sum`; the axes must not be empty. Derivative: dy to the largest, shared equally among ties.
 *
 * @example
 * max([[1, 5], [7, 2]], 1) // [5, 7]
 */
export const max = /* @__PURE__ */ extreme("max", Math.max);

/**
 * The smallest element over axes, by default all; NaN if any is.
 *
 * Shape: as `sum`; the axes must not be empty. Derivative: dy to the smallest, shared equally among ties.
 *
 * @example
 * min([[1, 5], [7, 2]], 1) // [1, 2]
 */
export const min = /* @__PURE__ */ extreme("min", Math.min);

/** The maximum along axes as a constant to shift by; 0 where it is infinite or NaN, and for an empty axis. */
function shiftOf(x: Value, axes: readonly number[]): Value {
  if (axes.some((axis) => x.shape[axis] === 0)) return stopGradient(sum(x, axes, { keepDims: true }));
  const top = max(stopGradient(x), axes, { keepDims: true });
  return where(eq(sub(top, top), 0), top, 0);
}

/**
 * ln Σ e^x over axes, by default all, without overflow.
 *
 * Shape: as `sum`; over an empty axis −Infinity. Derivative: softmax of x, times dy.
 *
 * @example
 * logSumExp([1000, 1000]) // 1000.6931471805599
 */
export const logSumExp = /* @__PURE__ */ define(
  { name: "logSumExp", operation: null, samples: reductionSamples },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    checkOptions("logSumExp", options, REDUCTION);
    const input = operand("logSumExp", x);
    const over = normalizeAxes("logSumExp", axes, input.rank);
    const shift = shiftOf(input, over);
    const total = log(sum(exp(sub(input, shift)), over, options));
    return addShift(total, shift);
  },
);

function addShift(total: Value, shift: Value): Value {
  return sub(total, reshape(mul(shift, -1), total.shape));
}

/**
 * e^x / Σ e^x along an axis, by default the last.
 *
 * Shape: unchanged. Derivative: y·(dy − Σ y·dy).
 *
 * @example
 * softmax([0, 0]) // [0.5, 0.5]
 */
export const softmax = /* @__PURE__ */ define(
  { name: "softmax", operation: null, samples: axisSamples },
  (x: Operand, axis = -1): Value => {
    const { input, along } = alongAxis("softmax", x, axis);
    const e = exp(sub(input, shiftOf(input, along)));
    return div(e, sum(e, along, { keepDims: true }));
  },
);

/**
 * The logarithm of softmax along an axis, by default the last: x − ln Σ e^x without overflow.
 *
 * Shape: unchanged. Derivative: dy − softmax(x)·Σ dy.
 *
 * @example
 * logSoftmax([1000, 1000]) // [-0.6931471805599453, -0.6931471805599453]
 */
export const logSoftmax = /* @__PURE__ */ define(
  { name: "logSoftmax", operation: null, samples: axisSamples },
  (x: Operand, axis = -1): Value => {
    const { input, along } = alongAxis("logSoftmax", x, axis);
    const shifted = sub(input, shiftOf(input, along));
    return sub(shifted, log(sum(exp(shifted), along, { keepDims: true })));
  },
);

function axisSamples(draw: Draw) {
  return [[draw([2, 3])], [draw([2, 3]), 0], [draw([3, 1])], [draw([0, 2])]];
}

function alongAxis(where: string, x: Operand, axis: number): { input: Value; along: number[] } {
  const input = operand(where, x);
  const along = normalizeAxis(where, axis, input.rank || 1);
  return { input, along: input.rank === 0 ? [] : [along] };
}

/** Where along an axis an extreme is. */
type Placing = Operation<{ readonly axis: number }>;

/** The record of where an extreme is: `beats(a, b)` is whether a is further out than b, and `extreme` the furthest. */
export function placing(
  name: string,
  beats: (a: number, b: number) => boolean,
  extreme: (x: Value, axis: number, options: ReductionOptions) => Value,
): Placing {
  const record: Placing = operation({
    name,
    // Folds have no masks. Nothing equals an extreme that is NaN.
    lowering: ({ axis }, [type]) => {
      if (type?.dtype === "bool") return null;
      return {
        kind: "rewrite",
        rewrite: ([given]) => {
          const x = given as Value;
          const n = x.shape[axis] as number;
          const places = constant(
            tensorType(
              x.shape.map((_, i) => (i === axis ? n : 1)),
              "int32",
            ),
            Int32Array.from({ length: n }, (_, i) => i),
          );
          const isFurthest = eq(x, extreme(x, axis, { keepDims: true }));
          return min(where(ne(x, x), places, where(isFurthest, places, n)), axis);
        },
      };
    },
    infer: ([x], { axis }) => {
      const { shape } = x as TensorType;
      if (shape[axis] === 0) {
        throw new ShapeError({
          where: name,
          expected: `axis ${axis} must not be empty`,
          received: formatShape(shape),
        });
      }
      return tensorType(
        shape.filter((_, i) => i !== axis),
        "int32",
      );
    },
    evaluate: ([x], { axis }, type) => {
      const { data, shape } = x as Value;
      const n = shape[axis] as number;
      const inner = sizeOf(shape.slice(axis + 1));
      const out = allocate("int32", type.size);
      for (let o = 0; o < out.length; o++) {
        const start = Math.floor(o / inner) * n * inner + (o % inner);
        let best = 0;
        let top = data[start] as number;
        for (let i = 1; i < n && !Number.isNaN(top); i++) {
          const candidate = data[start + i * inner] as number;
          if (beats(candidate, top) || Number.isNaN(candidate)) {
            top = candidate;
            best = i;
          }
        }
        out[o] = best;
      }
      return type.shape.length === 0 ? (out[0] as number) : out;
    },
    batch: ([x], _, { axis }) => apply(record, [x as Value], { axis: axis + 1 }),
  });
  return record;
}

/** Where an extreme is along an axis, or in the flattened value. */
export function placeOf(record: Placing, x: Operand, axis: number | undefined): Value {
  const input = operand(record.name, x);
  if (axis === undefined) return apply(record, [reshape(input, [input.size])], { axis: 0 });
  return apply(record, [input], { axis: normalizeAxis(record.name, axis, input.rank) });
}

const argmaxOperation = /* @__PURE__ */ placing("argmax", (a, b) => a > b, max);

/**
 * Index of the largest element along an axis, or in the flattened value when none is given. Ties: the first; NaN
 * counts as largest.
 *
 * Shape: `axis` goes. dtype: int32. Derivative: none. Throws: ShapeError for an empty axis or a scalar.
 *
 * @example
 * argmax([[1, 5], [7, 2]], 1) // [1, 0]
 */
export const argmax = /* @__PURE__ */ define(
  { name: "argmax", operation: argmaxOperation, samples: (draw) => [[draw([2, 3]), 1], [draw([4])]] },
  (x: Operand, axis?: number): Value => placeOf(argmaxOperation, x, axis),
);
