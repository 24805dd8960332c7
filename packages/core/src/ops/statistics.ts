/** Statistics over axes: variances and norms, where something holds, where the smallest element lies. */

import { isFloat } from "../dtype.ts";
import { ArgumentError, describe } from "../errors.ts";
import { type Draw, define, operand } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import { type Axes, normalizeAxes } from "../shape.ts";
import type { Operand, Value } from "../value.ts";
import { abs, div, eq, mul, ne, pow, sqrt, square, sub, where } from "./elementwise.ts";
import { checkNotEmpty } from "./lines.ts";
import { cast, reshape, stopGradient } from "./movement.ts";
import { max, mean, min, placeOf, placing, REDUCTION, type ReductionOptions, sum } from "./reduction.ts";

/** Options of `variance` and `std`. */
export interface VarianceOptions extends ReductionOptions {
  /** Degrees of freedom that the count is lessened by; 0 by default, as in NumPy. PyTorch's default is 1. */
  readonly correction?: number;
}

const VARIANCE: OptionNames<VarianceOptions> = { correction: true, keepDims: true };

const varianceSamples = (draw: Draw) => [
  [draw([2, 3])],
  [draw([3, 2]), 0, { correction: 1 }],
  [draw([2, 3, 2]), [0, -1], { keepDims: true, correction: 0.5 }],
  [draw([0, 2]), 1],
];

/** Checks the axes under the caller's name. */
function over(call: string, x: Operand, axes: Axes | null | undefined): { input: Value; along: number[] } {
  const input = operand(call, x);
  return { input, along: normalizeAxes(call, axes, input.rank) };
}

/**
 * Variance over axes, by default all: Σ(x − mean)²/(n − correction). Integers give float64; where n ≤ correction, and of
 * nothing, it is NaN or Infinity.
 *
 * Shape: as `sum`. Derivative: 2(x − mean)/(n − correction), times dy.
 *
 * @example
 * variance([1, 2, 3, 4]) // 1.25
 * variance([1, 2, 3, 4], null, { correction: 1 }) // 1.6666666666666667
 */
export const variance = /* @__PURE__ */ define(
  { name: "variance", operation: null, samples: varianceSamples },
  (x: Operand, axes?: Axes | null, options: VarianceOptions = {}): Value =>
    varianceOver("variance", x, axes, options),
);

function varianceOver(
  call: string,
  x: Operand,
  axes: Axes | null | undefined,
  options: VarianceOptions,
): Value {
  const { correction = 0, keepDims = false } = checkOptions(call, options, VARIANCE);
  const { input, along } = over(call, x, axes);
  const count = along.reduce((n, axis) => n * (input.shape[axis] as number), 1);
  const centred = sub(input, mean(input, along, { keepDims: true }));
  return div(sum(square(centred), along, { keepDims }), Math.max(0, count - correction));
}

/**
 * Standard deviation over axes, by default all: the square root of the variance.
 *
 * Shape: as `sum`. Derivative: (x − mean)/((n − correction)·y), times dy; 0 where y is 0, by convention.
 *
 * @example
 * std([1, 2, 3, 4]) // 1.118033988749895
 */
export const std = /* @__PURE__ */ define(
  { name: "std", operation: null, samples: varianceSamples },
  (x: Operand, axes?: Axes | null, options: VarianceOptions = {}): Value =>
    rootOf(varianceOver("std", x, axes, options), 0, sqrt),
);

/** A root of x, flat (0, with derivatives 0) where x is `flat`. */
function rootOf(x: Value, flat: number, root: (x: Value) => Value): Value {
  const held = eq(x, flat);
  return where(held, 0, root(where(held, 1, x)));
}

/**
 * Vector norm over axes, by default all: (Σ|x|^order)^(1/order); 2 is Euclidean, Infinity the largest |x|, −Infinity the
 * smallest, 0 the number of elements that are not 0. Computed without overflow. Integers give float64.
 *
 * Shape: as `sum`; over an empty axis 0, but for ±Infinity an error.
 * Derivative: sign(x)·(|x|/y)^(order − 1), times dy. By convention 0 where y is 0, and for elements that are 0 at every
 * order; equally shared among ties at ±Infinity; none at order 0.
 * Throws: ArgumentError for an order of NaN.
 *
 * @example
 * norm([3, 4]) // 5
 * norm([[1, -2], [3, 4]], 1, 0) // [4, 6]
 */
export const norm = /* @__PURE__ */ define(
  {
    name: "norm",
    operation: null,
    samples: (draw) => [
      [draw([2, 3])],
      [draw([2, 3]), 1, 0],
      [draw([2, 3, 2]), 3, [0, -1], { keepDims: true }],
      [draw([4]), 1.5],
      [draw([2, 3]), 0.5, 1],
      [draw([2, 3], [0.5, 2]), -1.5, 1],
      [draw([2, 3]), Infinity, 1],
      [draw([2, 3], [0.5, 2]), -Infinity],
      [draw([0, 2]), 2, 0],
      [draw([])],
    ],
  },
  (x: Operand, order = 2, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    checkOptions("norm", options, REDUCTION);
    const { input, along } = over("norm", x, axes);
    if (Number.isNaN(order)) {
      throw new ArgumentError({
        where: "norm",
        expected: "order must be a number",
        received: describe(order),
      });
    }
    const real = isFloat(input.dtype) ? input : cast(input, "float64");
    if (order === 0) return sum(cast(ne(real, 0), real.dtype), along, options);
    const sizes = abs(real);
    if (order === 1) return sum(sizes, along, options);
    if (Math.abs(order) === Infinity) checkNotEmpty("norm", input.shape, along);
    if (order === Infinity) return max(sizes, along, options);
    if (order === -Infinity) return min(sizes, along, options);
    if (along.some((axis) => input.shape[axis] === 0)) return sum(sizes, along, options);
    // The norm of x/s, times s, is the norm whatever constant s is.
    const top = max(stopGradient(sizes), along, { keepDims: true });
    const scale = where(eq(mul(top, 0), 0), where(eq(top, 0), 1, top), 1);
    const lost = order < 0 ? Infinity : 0;
    const power = (): Value => {
      const zero = eq(real, 0);
      return where(zero, lost, pow(where(zero, 1, div(sizes, scale)), order));
    };
    const total = sum(order === 2 ? square(div(real, scale)) : power(), along, options);
    const y = rootOf(total, lost, order === 2 ? sqrt : (x) => pow(x, 1 / order));
    return mul(y, reshape(scale, y.shape));
  },
);

const holdSamples = () => [
  [
    [
      [1, 0],
      [0, 0],
    ],
    1,
  ],
  [[0, 0]],
  [[[1, 2]], [0, 1], { keepDims: true }],
];

/**
 * How many elements are not 0 over axes, by default all. NaN counts.
 *
 * Shape: as `sum`. dtype: int32. Derivative: none.
 *
 * @example
 * countNonzero([0, 5, 7]) // 2
 */
export const countNonzero = /* @__PURE__ */ define(
  { name: "countNonzero", operation: null, samples: holdSamples },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    checkOptions("countNonzero", options, REDUCTION);
    const { input, along } = over("countNonzero", x, axes);
    return sum(ne(input, 0), along, options);
  },
);

/**
 * Whether any element over axes, by default all, is not 0; false for none. NaN is not 0.
 *
 * Shape: as `sum`. dtype: bool. Derivative: none.
 *
 * @example
 * any([[0, 5], [0, 0]], 1) // [1, 0]
 */
export const any = /* @__PURE__ */ define(
  { name: "any", operation: null, samples: holdSamples },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    checkOptions("any", options, REDUCTION);
    const { input, along } = over("any", x, axes);
    return ne(sum(ne(input, 0), along, options), 0);
  },
);

/**
 * Whether all elements over axes, by default all, are not 0; true for none. NaN is not 0.
 *
 * Shape: as `sum`. dtype: bool. Derivative: none.
 *
 * @example
 * all([[1, 5], [0, 2]], 1) // [1, 0]
 */
export const all = /* @__PURE__ */ define(
  { name: "all", operation: null, samples: holdSamples },
  (x: Operand, axes?: Axes | null, options: ReductionOptions = {}): Value => {
    checkOptions("all", options, REDUCTION);
    const { input, along } = over("all", x, axes);
    return eq(sum(eq(input, 0), along, options), 0);
  },
);

const argminOperation = /* @__PURE__ */ placing("argmin", (a, b) => a < b, min);

/**
 * Index of the smallest element along an axis, or in the flattened value when none is given. Ties: the first; NaN counts
 * as smallest, as in NumPy.
 *
 * Shape: `axis` goes. dtype: int32. Derivative: none. Throws: ShapeError for an empty axis or a scalar.
 *
 * @example
 * argmin([[1, 5], [7, 2]], 1) // [0, 1]
 */
export const argmin = /* @__PURE__ */ define(
  { name: "argmin", operation: argminOperation, samples: (draw) => [[draw([2, 3]), 1], [draw([4])]] },
  (x: Operand, axis?: number): Value => placeOf(argminOperation, x, axis),
);
