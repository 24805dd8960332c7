/** Rounding, remainders and interpolation, and what replaces NaN and infinities. */

import { type Arithmetic, fromMath, type ScalarFunction } from "../arithmetic.ts";
import { isFloat } from "../dtype.ts";
import { binary, elementwise, unary } from "../elementwise.ts";
import { ArgumentError, describe } from "../errors.ts";
import { apply, type Draw, define, operand, operands } from "../op.ts";
import { checkOptions, type OptionNames } from "../options.ts";
import type { Operand, Value } from "../value.ts";
import { div, eq, mul, where } from "./elementwise.ts";
import { isNaN } from "./logical.ts";
import { cast } from "./movement.ts";

const floorFunction = /* @__PURE__ */ fromMath("floor", () => floor);
const ceilFunction = /* @__PURE__ */ fromMath("ceil", () => ceil);
const truncFunction = /* @__PURE__ */ fromMath("trunc", () => trunc);

/** To the nearest whole number, ties to even: adding 2⁵² leaves no room for a fraction, so the sum itself is rounded. */
const nearestFunction: ScalarFunction = {
  name: "nearest",
  compute: (x) => {
    const size = Math.abs(x);
    return size < 2 ** 52 ? Math.sign(x) * (size + 2 ** 52 - 2 ** 52) : x;
  },
  operation: () => roundOf,
};

/**
 * The largest whole number that is not greater.
 *
 * dtype: integers stay. Derivative: none; nothing flows through it.
 *
 * @example
 * floor([1.7, -1.2]) // [1, -2]
 */
export const floor = /* @__PURE__ */ unary({
  name: "floor",
  dtypes: "number",
  expression: (x, m) => m.call(floorFunction, x),
  domain: [0.1, 0.9],
});

/**
 * The smallest whole number that is not less.
 *
 * dtype: integers stay. Derivative: none; nothing flows through it.
 *
 * @example
 * ceil([1.2, -1.7]) // [2, -1]
 */
export const ceil = /* @__PURE__ */ unary({
  name: "ceil",
  dtypes: "number",
  expression: (x, m) => m.call(ceilFunction, x),
  domain: [0.1, 0.9],
});

/**
 * The whole part: towards zero.
 *
 * dtype: integers stay. Derivative: none; nothing flows through it.
 *
 * @example
 * trunc([1.7, -1.7]) // [1, -1]
 */
export const trunc = /* @__PURE__ */ unary({
  name: "trunc",
  dtypes: "number",
  expression: (x, m) => m.call(truncFunction, x),
  domain: [0.1, 0.9],
});

const roundOf = /* @__PURE__ */ unary({
  name: "round",
  dtypes: "number",
  expression: (x, m) => m.call(nearestFunction, x),
  domain: [0.6, 1.4],
});

/**
 * The nearest whole number; halves go to the even one, as in NumPy and IEEE 754, where Math.round goes up.
 *
 * With `decimals`, the nearest multiple of 10 to the power of −decimals: x·10^decimals is rounded, as in NumPy, so
 * that 2.675, a little below its decimal form, may round up. dtype: integers stay. Derivative: none; nothing flows
 * through it. Throws: ArgumentError unless decimals is a whole number.
 *
 * @example
 * round([0.5, 1.5, 2.4]) // [0, 2, 2]
 */
export const round = /* @__PURE__ */ define(roundOf.definition, (x: Operand, decimals = 0): Value => {
  if (decimals === 0) return roundOf(x);
  if (!Number.isInteger(decimals)) {
    throw new ArgumentError({
      where: "round",
      expected: "decimals must be a whole number",
      received: describe(decimals),
    });
  }
  const input = operand("round", x);
  const power = 10 ** Math.abs(decimals);
  const rounded =
    decimals > 0 ? div(roundOf(mul(input, power)), power) : mul(roundOf(div(input, power)), power);
  return isFloat(input.dtype) ? rounded : cast(rounded, input.dtype);
});

const modFunction: ScalarFunction = {
  name: "mod",
  compute(a: number, b: number): number {
    const rest = a % b;
    if (rest !== 0) return rest < 0 !== b < 0 ? rest + b : rest;
    return b < 0 || Object.is(b, -0) ? -0 : 0;
  },
  operation: () => mod,
};

/**
 * The remainder of a/b with the sign of b, as in NumPy and Python, where JavaScript's % has the sign of a.
 *
 * Shape: operands broadcast. dtype: integers stay; their remainder by 0 is 0. Derivative: ∂/∂a = 1, ∂/∂b = −⌊a/b⌋;
 * at the jumps those of the side above. Domain: b ≠ 0; NaN at 0.
 *
 * @example
 * mod([5, -5, 5], [3, 3, -3]) // [2, 1, -1]
 */
export const mod = /* @__PURE__ */ binary({
  name: "mod",
  dtypes: "number",
  expression: (a, b, m) => m.call(modFunction, a, b),
  partials: [(_a, _b, _y, m) => m.one, (a, b, _y, m) => m.neg(m.call(floorFunction, m.div(a, b)))],
  domains: [
    [4.1, 4.9],
    [1.4, 1.6],
  ],
});

const lerpOperation = /* @__PURE__ */ elementwise({
  name: "lerp",
  dtypes: "float",
  expression: <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
    const [a, b, weight] = xs as [T, T, T];
    const step = m.sub(b, a);
    return m.select(
      m.lt(weight, m.constant(0.5)),
      m.add(a, m.mul(weight, step)),
      m.sub(b, m.mul(m.sub(m.one, weight), step)),
    );
  },
  pulls: [
    <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => m.scale(xs[4] as T, m.sub(m.one, xs[2] as T)),
    <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => m.scale(xs[4] as T, xs[2] as T),
    <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => m.scale(xs[4] as T, m.sub(xs[1] as T, xs[0] as T)),
  ],
});

/**
 * From a to b by weight: a + weight·(b − a).
 *
 * Shape: a, b and weight broadcast. Exactly a at weight 0 and b at weight 1. Derivative: ∂/∂a = 1 − weight,
 * ∂/∂b = weight, ∂/∂weight = b − a. Domain: all reals; weights outside [0, 1] extrapolate.
 *
 * @example
 * lerp([0, 10], [10, 20], 0.25) // [2.5, 12.5]
 */
export const lerp = /* @__PURE__ */ define(
  {
    name: "lerp",
    operation: lerpOperation,
    samples: (draw: Draw) => [
      [draw([2, 3]), draw([3]), draw([2, 1])],
      [draw([]), draw([2]), 0.25],
      [draw([0, 2]), draw([2]), draw([])],
    ],
  },
  (a: Operand, b: Operand, weight: Operand): Value =>
    apply(lerpOperation, operands("lerp", [a, b, weight]), null),
);

const heavisideOperation = /* @__PURE__ */ elementwise({
  name: "heaviside",
  dtypes: "number",
  expression: <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
    const [x, atZero] = xs as [T, T];
    const positive = m.select(m.lt(m.zero, x), m.one, x);
    return m.select(m.eq(x, m.zero), atZero, m.select(m.lt(x, m.zero), m.zero, positive));
  },
  pulls: [
    null,
    <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => m.select(m.eq(xs[0] as T, m.zero), xs[3] as T, m.zero),
  ],
});

/**
 * The step function: 0 for x < 0, `atZero` at 0, 1 for x > 0; NaN stays.
 *
 * Shape: operands broadcast. Derivative: none to x; dy to `atZero` where x = 0.
 *
 * @example
 * heaviside([-2, 0, 3], 0.5) // [0, 0.5, 1]
 */
export const heaviside = /* @__PURE__ */ define(
  {
    name: "heaviside",
    operation: heavisideOperation,
    samples: (draw: Draw) => [
      [draw([2, 1], [0.5, 2]), draw([3])],
      [draw([3], [-2, -0.5]), draw([])],
      [draw([0, 2], [0.5, 2]), draw([2])],
    ],
  },
  (x: Operand, atZero: Operand): Value => apply(heavisideOperation, operands("heaviside", [x, atZero]), null),
);

/** What `nanToNum` puts in the place of what is not finite. */
export interface NanToNumOptions {
  /** Instead of NaN; by default 0. */
  readonly nan?: number;
  /** Instead of Infinity; by default the largest number of the dtype. */
  readonly posInf?: number;
  /** Instead of −Infinity; by default the negative of that. */
  readonly negInf?: number;
}

const NAN_TO_NUM: OptionNames<NanToNumOptions> = { nan: true, posInf: true, negInf: true };

/**
 * Each element, with finite numbers instead of NaN and infinities.
 *
 * Derivative: dy where x is finite, 0 where it is replaced.
 *
 * @example
 * nanToNum([NaN, Infinity, 1], { posInf: 9 }) // [0, 9, 1]
 */
export const nanToNum = /* @__PURE__ */ define(
  { name: "nanToNum", operation: null, samples: (draw: Draw) => [[draw([])], [draw([2, 3]), { nan: 1 }]] },
  (x: Operand, options: NanToNumOptions = {}): Value => {
    const input = operand("nanToNum", x);
    if (!isFloat(input.dtype)) return input;
    const largest = input.dtype === "float32" ? 3.4028234663852886e38 : Number.MAX_VALUE;
    const { nan = 0, posInf = largest, negInf = -largest } = checkOptions("nanToNum", options, NAN_TO_NUM);
    const bounded = where(eq(input, Infinity), posInf, where(eq(input, -Infinity), negInf, input));
    return where(isNaN(input), nan, bounded);
  },
);
