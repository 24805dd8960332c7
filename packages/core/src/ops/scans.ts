/** Running sums, products and extremes along an axis, products over axes, and the linear recurrence in their rules. */

import { allocate, type DType, isFloat, type TypedArray } from "../dtype.ts";
import { ArgumentError, describe } from "../errors.ts";
import { apply, type Defined, type Draw, define, filled, type Operation, operand, operation } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { type Axes, normalizeAxis } from "../shape.ts";
import { reduction } from "../spread.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";
import { add, eq, exp, mul, sub, where } from "./elementwise.ts";
import { takeAlongAxis } from "./indexing.ts";
import { concat } from "./joining.ts";
import { alongAxis, batchAll, forEachLine, reduceMerged, resized } from "./lines.ts";
import { expandDims, pack } from "./movement.ts";
import { type ReductionOptions, sum } from "./reduction.ts";
import { type Range, slice } from "./slicing.ts";

/** Options of a running sum or the like. */
export interface RunOptions {
  /** Run from the end of the axis to its start. */
  readonly reverse?: boolean;
}

const RUN: OptionNames<RunOptions> = { reverse: true };

/** The axis to run along, and which way. */
interface Run {
  readonly axis: number;
  readonly reverse: boolean;
}

/** Sums and products of bool are int32, as those of int32 are. */
function counted({ shape, dtype }: TensorType): TensorType {
  return tensorType(shape, dtype === "bool" ? "int32" : dtype);
}

/** Visits the lines of a run with where each begins, in its direction, and the step to the next element. */
function forEachRun(
  x: Value,
  { axis, reverse }: Run,
  visit: (start: number, step: number, n: number) => void,
) {
  const n = x.shape[axis] as number;
  forEachLine(x.shape, axis, n, (from, _, stride) =>
    reverse ? visit(from + (n - 1) * stride, -stride, n) : visit(from, stride, n),
  );
}

/** The record of a run over one input. */
function runOperation(parts: {
  readonly name: string;
  readonly infer: (type: TensorType) => TensorType;
  readonly line: (
    data: TypedArray,
    out: TypedArray,
    start: number,
    step: number,
    n: number,
    dtype: DType,
  ) => void;
  readonly linear?: boolean;
  readonly vjp?: (dy: Value, x: Value, y: Value, run: Run) => Value;
  readonly jvp?: (tx: Value, x: Value, y: Value, run: Run) => Value;
}): Operation<Run> {
  const { name, infer, line, linear = false, vjp, jvp } = parts;
  const record: Operation<Run> = operation({
    name,
    linear,
    infer: ([x]) => infer(x as TensorType),
    evaluate: ([x], run, type) => {
      const { data } = x as Value;
      const out = allocate(type.dtype, type.size);
      forEachRun(x as Value, run, (start, step, n) => line(data, out, start, step, n, type.dtype));
      return out;
    },
    vjp: vjp ? [(dy, { inputs: [x], output, attributes }) => vjp(dy, x as Value, output, attributes)] : null,
    ...(jvp
      ? {
          jvp: ([tx], { inputs: [x], output, attributes }) =>
            jvp(tx as Value, x as Value, output, attributes),
        }
      : {}),
    batch: ([x], _, { axis, reverse }) => apply(record, [x as Value], { axis: axis + 1, reverse }),
  });
  return record;
}

/** The public function of such a record. */
function runner(
  name: string,
  record: Operation<Run>,
  f = (x: Value, run: Run): Value => apply(record, [x], run),
): Defined<(x: Operand, axis?: number, options?: RunOptions) => Value> {
  const samples = (draw: Draw) => [
    [draw([4])],
    [draw([2, 3]), 0],
    [draw([2, 3, 2]), -2, { reverse: true }],
    [draw([2, 1]), 1],
    [draw([2, 2])],
    [draw([0, 2]), 0],
    [draw([]), -1],
  ];
  const operationOrNull = record.vjp === null ? null : record;
  return define(
    { name, operation: operationOrNull, samples },
    (x: Operand, axis?: number, options: RunOptions = {}): Value => {
      const { reverse = false } = checkOptions(name, options, RUN);
      return alongAxis(name, x, axis, (input, along) => f(input, { axis: along, reverse }));
    },
  );
}

/** For each element the one before it in the run; `first` for the first. */
function before(x: Value, { axis, reverse }: Run, first: number): Value {
  if (x.shape[axis] === 0) return x;
  const edge = filled(tensorType(resized(x.shape, axis, 1), x.dtype), first);
  const ranges: Range[] = new Array(axis).fill(null);
  const rest = slice(x, ...ranges, reverse ? [1] : [0, -1]);
  return concat(reverse ? [rest, edge] : [edge, rest], axis);
}

function backward({ axis, reverse }: Run): Run {
  return { axis, reverse: !reverse };
}

/**
 * h₀ = b₀, hₖ = aₖ·hₖ₋₁ + bₖ along an axis. The cotangents of b follow the same recurrence backward, with a moved on by
 * one, so that running products differentiate to any order, through zeros, in linear time.
 */
const recurrenceOperation: Operation<Run> = /* @__PURE__ */ operation({
  name: "recurrence",
  infer: ([, b]) => b as TensorType,
  evaluate: ([a, b], run, type) => {
    const factors = (a as Value).data;
    const terms = (b as Value).data;
    const out = allocate(type.dtype, type.size);
    forEachRun(b as Value, run, (start, step, n) => {
      let h = 0;
      for (let k = 0, i = start; k < n; k++, i += step) {
        h = k === 0 ? (terms[i] as number) : (factors[i] as number) * h + (terms[i] as number);
        out[i] = h;
      }
    });
    return out;
  },
  vjp: [
    (dy, { inputs: [a], output, attributes }) =>
      mul(carryBack(a as Value, dy, attributes), before(output, attributes, 0)),
    (dy, { inputs: [a], attributes }) => carryBack(a as Value, dy, attributes),
  ],
  jvp: ([ta, tb], { inputs: [a], output, attributes }) => {
    const change = ta ? mul(ta, before(output, attributes, 0)) : null;
    const terms = change && tb ? add(change, tb) : (change ?? tb);
    return recurrence(a as Value, terms as Value, attributes);
  },
  batch: (inputs, batched, { axis, reverse }, size) =>
    apply(recurrenceOperation, batchAll(inputs, batched, size), { axis: axis + 1, reverse }),
});

function recurrence(a: Value, b: Value, run: Run): Value {
  return apply(recurrenceOperation, [a, b], run);
}

/** The cotangents of a recurrence's terms from those of its results. */
function carryBack(a: Value, dy: Value, run: Run): Value {
  const back = backward(run);
  return recurrence(before(a, back, 0), dy, back);
}

const cumsumOperation = /* @__PURE__ */ runOperation({
  name: "cumsum",
  linear: true,
  infer: counted,
  line: (data, out, start, step, n) => {
    let total = 0;
    for (let k = 0, i = start; k < n; k++, i += step) {
      total += data[i] as number;
      out[i] = total;
    }
  },
  vjp: (dy, _x, _y, run) => apply(cumsumOperation, [dy], backward(run)),
});

/**
 * Running sum along an axis; without one, of the flattened value.
 *
 * Shape: unchanged, or [size]. dtype: bool gives int32, which wraps. Accumulated in float64.
 * Derivative: the running sum of dy the other way.
 *
 * @example
 * cumsum([1, 2, 3]) // [1, 3, 6]
 */
export const cumsum = /* @__PURE__ */ runner("cumsum", cumsumOperation);

const cumprodOperation = /* @__PURE__ */ runOperation({
  name: "cumprod",
  infer: counted,
  line: (data, out, start, step, n, dtype) => {
    let product = 1;
    for (let k = 0, i = start; k < n; k++, i += step) {
      product = times(dtype, product, data[i] as number);
      out[i] = product;
    }
  },
  vjp: (dy, x, y, run) => mul(carryBack(x, dy, run), before(y, run, 1)),
  jvp: (tx, x, y, run) => recurrence(x, mul(tx, before(y, run, 1)), run),
});

function times(dtype: DType, a: number, b: number): number {
  return dtype === "int32" ? Math.imul(a, b) : a * b;
}

/**
 * Running product along an axis; without one, of the flattened value.
 *
 * Shape: unchanged, or [size]. dtype: bool gives int32, which wraps.
 * Derivative: with y₋₁ = 1, x̄ₖ = ȳₖ-and-later, carried back by the factors in between, times yₖ₋₁; no division, so that
 * zeros do no harm, at any order.
 *
 * @example
 * cumprod([1, 2, 3]) // [1, 2, 6]
 */
export const cumprod = /* @__PURE__ */ runner("cumprod", cumprodOperation);

/** For each element of a line the product of the others. */
function productOfOthers(x: Value, axis: number): Value {
  const [left, right] = [false, true].map((reverse) => {
    const run = { axis, reverse };
    return before(apply(cumprodOperation, [x], run), run, 1);
  }) as [Value, Value];
  return mul(left, right);
}

const prodOperation: Operation<{ readonly axis: number }> = /* @__PURE__ */ operation({
  name: "prod",
  spread: (xs, { axis }) => reduction(xs, { axes: [axis] }),
  infer: ([x], { axis }) => {
    const { shape, dtype } = counted(x as TensorType);
    return tensorType(resized(shape, axis, null), dtype);
  },
  evaluate: ([x], { axis }, type) => {
    const { data, shape } = x as Value;
    const n = shape[axis] as number;
    const out = allocate(type.dtype, type.size);
    forEachLine(shape, axis, 1, (from, to, stride) => {
      let product = 1;
      for (let k = 0, i = from; k < n; k++, i += stride)
        product = times(type.dtype, product, data[i] as number);
      out[to] = product;
    });
    return pack(type, out);
  },
  vjp: [
    (dy, { inputs: [x], attributes: { axis } }) =>
      mul(expandDims(dy, axis), productOfOthers(x as Value, axis)),
  ],
  jvp: ([tx], { inputs: [x], attributes: { axis } }) =>
    sum(mul(tx as Value, productOfOthers(x as Value, axis)), axis),
  batch: ([x], _, { axis }) => apply(prodOperation, [x as Value], { axis: axis + 1 }),
});

/**
 * Product over axes, by default all.
 *
 * Shape: as `sum`; an empty product is 1. dtype: bool gives int32, which wraps.
 * Derivative: dy times the product of the other elements, without a division, so that zeros do no harm, at any order.
 *
 * @example
 * prod([[1, 2], [3, 4]], 0) // [3, 8]
 */
export const prod = /* @__PURE__ */ define(
  {
    name: "prod",
    operation: prodOperation,
    samples: (draw) => [
      [draw([2, 3])],
      [draw([2, 3]), 0],
      [draw([2, 3, 2]), [0, -1], { keepDims: true }],
      [draw([3, 1]), 1],
      [draw([2, 2]), []],
      [draw([0, 2]), 0],
      [draw([])],
    ],
  },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value =>
    reduceMerged("prod", x, axes, options, (input, axis) => apply(prodOperation, [input], { axis })),
);

/** The record of where a running extreme lies: `beats(a, b)` is whether a takes the place of b. */
function runningPlace(name: string, beats: (a: number, b: number) => boolean): Operation<Run> {
  return runOperation({
    name,
    infer: ({ shape }) => tensorType(shape, "int32"),
    line: (data, out, start, step, n) => {
      let best = 0;
      let top = 0;
      const reverse = step < 0;
      for (let k = 0, i = start; k < n; k++, i += step) {
        const x = data[i] as number;
        if (k === 0 || Number.isNaN(x) || beats(x, top)) {
          top = x;
          best = reverse ? n - 1 - k : k;
        }
        out[i] = best;
      }
    },
  });
}

const cummaxPlaces = /* @__PURE__ */ runningPlace("cummaxPlaces", (a, b) => a >= b);
const cumminPlaces = /* @__PURE__ */ runningPlace("cumminPlaces", (a, b) => a <= b);

function runningExtreme(name: string, places: Operation<Run>) {
  return runner(name, places, (x, run) => takeAlongAxis(x, apply(places, [x], run), run.axis));
}

/**
 * Running maximum along an axis; without one, of the flattened value. NaN from the first NaN on.
 *
 * Shape: unchanged, or [size]. Derivative: dy to the largest so far; of ties, to the one met last, as in PyTorch.
 *
 * @example
 * cummax([1, 3, 2, 5]) // [1, 3, 3, 5]
 */
export const cummax = /* @__PURE__ */ runningExtreme("cummax", cummaxPlaces);

/**
 * Running minimum along an axis; without one, of the flattened value. NaN from the first NaN on.
 *
 * Shape: unchanged, or [size]. Derivative: dy to the smallest so far; of ties, to the one met last, as in PyTorch.
 *
 * @example
 * cummin([5, 3, 4, 1]) // [5, 3, 3, 1]
 */
export const cummin = /* @__PURE__ */ runningExtreme("cummin", cumminPlaces);

/** e^(u − y) for u ≤ y; 0 for −Infinity, and 1 where both are Infinity. */
function weight(u: Value, y: Value): Value {
  return where(eq(u, y), where(eq(u, -Infinity), 0, 1), exp(sub(u, y)));
}

const logCumSumExpOperation = /* @__PURE__ */ runOperation({
  name: "logCumSumExp",
  infer: ({ shape, dtype }) => tensorType(shape, isFloat(dtype) ? dtype : "float64"),
  line: (data, out, start, step, n) => {
    // The largest so far, and the sum of e^(x − top).
    let top = -Infinity;
    let total = 0;
    for (let k = 0, i = start; k < n; k++, i += step) {
      const x = data[i] as number;
      if (x > top) {
        total = total * Math.exp(top - x) + 1;
        top = x;
      } else if (x === top) total += x === -Infinity ? 0 : 1;
      else total += Math.exp(x - top);
      out[i] = top + Math.log(total);
    }
  },
  vjp: (dy, x, y, run) => mul(weight(x, y), carryBack(weight(before(y, run, -Infinity), y), dy, run)),
  jvp: (tx, x, y, run) => recurrence(weight(before(y, run, -Infinity), y), mul(weight(x, y), tx), run),
});

/**
 * Running ln Σ e^x along an axis, without overflow; without an axis, of the flattened value. Integers give float64.
 *
 * Shape: unchanged, or [size]. Derivative: x̄ₖ = Σ ȳⱼ·e^(xₖ − yⱼ) over j from k on, by factors that are at most 1; nothing
 * flows to −Infinity.
 *
 * @example
 * logCumSumExp([1000, 1000]) // [1000, 1000.6931471805599]
 */
export const logCumSumExp = /* @__PURE__ */ runner("logCumSumExp", logCumSumExpOperation);

/**
 * Differences of neighbours along an axis, by default the last, `order` times.
 *
 * Shape: [..., n, ...] → [..., n − order, ...], at least 0. dtype: bool gives int32. Derivative: dy's differences, the
 * other way. Throws: ArgumentError unless order is a whole number ≥ 0, ShapeError for a scalar.
 *
 * @example
 * diff([1, 4, 9, 16]) // [3, 5, 7]
 */
export const diff = /* @__PURE__ */ define(
  {
    name: "diff",
    operation: null,
    samples: (draw) => [
      [draw([4])],
      [draw([2, 3]), 2],
      [draw([3, 2]), 1, 0],
      [draw([2, 1]), 1],
      [draw([3]), 0],
    ],
  },
  (x: Operand, order = 1, axis = -1): Value => {
    const input = operand("diff", x);
    const along = normalizeAxis("diff", axis, input.rank);
    if (!Number.isInteger(order) || order < 0) {
      throw new ArgumentError({
        where: "diff",
        expected: "order must be a whole number ≥ 0",
        received: describe(order),
      });
    }
    const all: Range[] = new Array(along).fill(null);
    let y = input;
    for (let i = 0; i < order && (y.shape[along] as number) > 0; i++)
      y = sub(slice(y, ...all, [1]), slice(y, ...all, [0, -1]));
    return y;
  },
);
