/** Sorting along an axis, and what follows from it: the largest few, medians and quantiles. */

import { allocate, isFloat } from "../dtype.ts";
import { ArgumentError, describe } from "../errors.ts";
import { apply, define, filled, type Operation, operand, operation } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { type Axes, listOf } from "../shape.ts";
import { type TensorType, tensorType } from "../tensor-type.ts";
import type { Operand, Value } from "../value.ts";
import { add, mul, ne, where } from "./elementwise.ts";
import { takeAlongAxis } from "./indexing.ts";
import { stack } from "./joining.ts";
import { alongAxis, forEachLine, reduceMerged, resized } from "./lines.ts";
import { cast } from "./movement.ts";
import type { ReductionOptions } from "./reduction.ts";
import { lerp } from "./rounding.ts";
import { type Range, slice } from "./slicing.ts";

/** Options of a sort. */
export interface SortOptions {
  /** Largest first. */
  readonly descending?: boolean;
}

const SORT: OptionNames<SortOptions> = { descending: true };

const argsortOperation: Operation<{ readonly axis: number; readonly descending: boolean }> =
  /* @__PURE__ */ operation({
    name: "argsort",
    infer: ([x]) => tensorType((x as TensorType).shape, "int32"),
    evaluate: ([x], { axis, descending }, type) => {
      const { data, shape } = x as Value;
      const n = shape[axis] as number;
      const out = allocate("int32", type.size);
      const line = new Float64Array(n);
      const order = new Int32Array(n);
      const sign = descending ? -1 : 1;
      // NaN is the largest; equals stay in order, whichever way.
      const compare = (i: number, j: number): number => {
        const a = line[i] as number;
        const b = line[j] as number;
        if (a < b) return -sign;
        if (a > b) return sign;
        return a === b ? i - j : sign * (Number(Number.isNaN(a)) - Number(Number.isNaN(b))) || i - j;
      };
      forEachLine(shape, axis, n, (from, _, stride) => {
        for (let k = 0; k < n; k++) {
          line[k] = data[from + k * stride] as number;
          order[k] = k;
        }
        order.sort(compare);
        for (let k = 0; k < n; k++) out[from + k * stride] = order[k] as number;
      });
      return out;
    },
    batch: ([x], _, { axis, descending }) =>
      apply(argsortOperation, [x as Value], { axis: axis + 1, descending }),
  });

/**
 * The indices that sort along an axis, by default the last. Stable; NaN counts as largest, as in PyTorch: last when
 * ascending (as in NumPy), first when descending.
 *
 * Shape: unchanged. dtype: int32. Derivative: none.
 *
 * @example
 * argsort([30, 10, 20]) // [1, 2, 0]
 */
export const argsort = /* @__PURE__ */ define(
  {
    name: "argsort",
    operation: argsortOperation,
    samples: (draw) => [[draw([4])], [draw([3, 2]), 0, { descending: true }], [draw([])], [draw([0, 2])]],
  },
  (x: Operand, axis = -1, options: SortOptions = {}): Value => {
    const { descending = false } = checkOptions("argsort", options, SORT);
    return alongAxis("argsort", x, axis, (input, along) =>
      apply(argsortOperation, [input], { axis: along, descending }),
    );
  },
);

/**
 * Elements in order along an axis, by default the last. Stable; NaN counts as largest, as in PyTorch: last when ascending
 * (as in NumPy), first when descending.
 *
 * Shape: unchanged. Derivative: dy at the places it came from; ties keep their order.
 *
 * @example
 * sort([3, 1, 2]) // [1, 2, 3]
 */
export const sort = /* @__PURE__ */ define(
  {
    name: "sort",
    operation: null,
    samples: (draw) => [
      [draw([5])],
      [draw([3, 2]), 0, { descending: true }],
      [draw([2, 3, 2]), -2],
      [draw([])],
      [draw([0, 2])],
    ],
  },
  (x: Operand, axis = -1, options: SortOptions = {}): Value => {
    checkOptions("sort", options, SORT);
    return alongAxis("sort", x, axis, (input, along) =>
      takeAlongAxis(input, argsort(input, along, options), along),
    );
  },
);

/** What `topK` returns. */
export interface TopK {
  /** The elements, best first. */
  readonly values: Value;
  /** Where they were. */
  readonly indices: Value;
}

/** Options of `topK`. */
export interface TopKOptions {
  /** The largest elements, or the smallest. By default true. */
  readonly largest?: boolean;
}

const TOP_K: OptionNames<TopKOptions> = { largest: true };

/**
 * The `k` largest elements along an axis, by default the last, largest first; or the smallest. Of ties the first; NaN
 * counts as largest.
 *
 * Shape: values and indices (int32) [..., k, ...]. Derivative: dy of the values at the places they came from.
 * Throws: ArgumentError unless k is a whole number from 0 to the size of the axis.
 *
 * @example
 * topK([10, 30, 20], 2).values // [30, 20]
 * topK([10, 30, 20], 2).indices // [1, 2]
 */
export const topK = /* @__PURE__ */ define(
  {
    name: "topK",
    operation: null,
    samples: (draw) => [
      [draw([5]), 2],
      [draw([3, 2]), 2, 0, { largest: false }],
      [draw([2, 3]), 0],
      [draw([]), 1],
    ],
  },
  (x: Operand, k: number, axis = -1, options: TopKOptions = {}): TopK => {
    const { largest = true } = checkOptions("topK", options, TOP_K);
    const best = (input: Value, along: number): Value => {
      const n = input.shape[along] as number;
      if (!Number.isInteger(k) || k < 0 || k > n) {
        throw new ArgumentError({
          where: "topK",
          expected: `k must be a whole number in [0, ${n}]`,
          received: describe(k),
        });
      }
      const all: Range[] = new Array(along).fill(null);
      return slice(argsort(input, along, { descending: largest }), ...all, [0, k]);
    };
    const input = operand("topK", x);
    const indices = alongAxis("topK", input, axis, best);
    return { values: takeAlongAxis(input, indices, axis), indices };
  },
);

/** Reduces axes of x by a function of its sorted lines: of the k-th elements, and of how many there are. */
function reduceSorted(
  call: string,
  x: Operand,
  axes: Axes | null | undefined,
  options: ReductionOptions,
  reduce: (at: (k: number) => Value, n: number) => Value,
): Value {
  const input = operand(call, x);
  const floating = isFloat(input.dtype) ? input : cast(input, "float64");
  return reduceMerged(call, floating, axes, options, (lines, axis) => {
    const n = lines.shape[axis] as number;
    const nothing = filled(tensorType(resized(lines.shape, axis, null), lines.dtype), Number.NaN);
    const all: Range[] = new Array(axis).fill(null);
    const sorted = n === 0 ? lines : sort(lines, axis);
    const at = (k: number) => (n === 0 ? nothing : slice(sorted, ...all, k));
    const last = at(n - 1);
    return where(ne(last, last), last, reduce(at, n));
  });
}

const quantileSamples = [
  { shape: [5], rest: [] },
  { shape: [2, 4], rest: [0] },
  { shape: [2, 3, 2], rest: [[0, -1], { keepDims: true }] },
  { shape: [3, 1], rest: [1] },
  { shape: [], rest: [] },
];

/**
 * The middle of the elements over axes, by default all: of an even number the mean of the two middle ones, as in NumPy
 * (PyTorch's median is the lower one). Integers give float64; the median of nothing is NaN, as of anything with a NaN.
 *
 * Shape: as `sum`. Derivative: dy to the middle element, half to each of two.
 *
 * @example
 * median([7, 1, 3, 4]) // 3.5
 */
export const median = /* @__PURE__ */ define(
  {
    name: "median",
    operation: null,
    samples: (draw) => quantileSamples.map(({ shape, rest }) => [draw(shape), ...rest]),
  },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value =>
    reduceSorted("median", x, axes, options, (at, n) =>
      n % 2 === 1 ? at((n - 1) / 2) : mul(add(at(n / 2 - 1), at(n / 2)), 0.5),
    ),
);

/**
 * Quantiles of the elements over axes, by default all, linear between neighbours: 0 is the smallest, 1 the largest.
 * Integers give float64; of nothing, and of anything with a NaN, NaN; exactly an element where the place is whole.
 *
 * Shape: as `sum`; a list of quantiles comes first. Derivative: dy shared among the two neighbours by their weights.
 * Throws: ArgumentError for a quantile outside [0, 1].
 * Source: Hyndman & Fan, Sample Quantiles in Statistical Packages (1996), definition 7; NumPy's and PyTorch's default.
 *
 * @example
 * quantile([1, 2, 3, 4], [0.25, 1]) // [1.75, 4]
 */
export const quantile = /* @__PURE__ */ define(
  {
    name: "quantile",
    operation: null,
    samples: (draw) => [
      ...quantileSamples.map(({ shape, rest }) => [draw(shape), 0.3, ...rest]),
      [draw([2, 4]), [0, 0.9, 0.5], -1, { keepDims: true }],
    ],
  },
  (x: Operand, q: number | readonly number[], axes?: Axes | null, options: ReductionOptions = {}): Value => {
    for (const one of listOf("quantile", "quantiles", q)) {
      if (!(one >= 0 && one <= 1)) {
        throw new ArgumentError({
          where: "quantile",
          expected: "quantiles must be in [0, 1]",
          received: describe(one),
        });
      }
    }
    return reduceSorted("quantile", x, axes, options, (at, n) => {
      const one = (fraction: number): Value => {
        const place = fraction * (n - 1);
        const k = Math.floor(place);
        const t = place - k;
        return n === 0 || t === 0 ? at(k) : lerp(at(k), at(k + 1), t);
      };
      if (typeof q === "number") return one(q);
      return q.length === 0 ? slice(stack([one(0)]), [0, 0]) : stack(q.map(one));
    });
  },
);
