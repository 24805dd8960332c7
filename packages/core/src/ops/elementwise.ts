/** Elementwise operations, one record each: arithmetic, exponentials, trigonometry, selection and comparison. */

import type { Arithmetic, Expression, ScalarFunction } from "../arithmetic.ts";
import { binary, elementwise, unary } from "../elementwise.ts";
import { apply, type Draw, define, operand, operands } from "../op.ts";
import type { Operand, Value } from "../value.ts";

/**
 * Sum, element by element.
 *
 * Shape: operands broadcast. Derivative: ∂y/∂a = 1, ∂y/∂b = 1. Domain: all reals.
 *
 * @example
 * add([1, 2], [[10], [20]]) // [[11, 12], [21, 22]]
 */
export const add = /* @__PURE__ */ binary({
  name: "add",
  dtypes: "number",
  expression: (a, b, m) => m.add(a, b),
  partials: [(_a, _b, _y, m) => m.one, (_a, _b, _y, m) => m.one],
});

/**
 * Difference, element by element.
 *
 * Shape: operands broadcast. Derivative: ∂y/∂a = 1, ∂y/∂b = −1. Domain: all reals.
 *
 * @example
 * sub([5, 7], 2) // [3, 5]
 */
export const sub = /* @__PURE__ */ binary({
  name: "sub",
  dtypes: "number",
  expression: (a, b, m) => m.sub(a, b),
  partials: [(_a, _b, _y, m) => m.one, (_a, _b, _y, m) => m.constant(-1)],
});

/**
 * Product, element by element.
 *
 * Shape: operands broadcast. Derivative: ∂y/∂a = b, ∂y/∂b = a. Domain: all reals.
 *
 * @example
 * mul([1, 2, 3], 10) // [10, 20, 30]
 */
export const mul = /* @__PURE__ */ binary({
  name: "mul",
  dtypes: "number",
  expression: (a, b, m) => m.mul(a, b),
  partials: [(_a, b) => b, (a) => a],
});

/**
 * Quotient, element by element. Integers divide to float64.
 *
 * Shape: operands broadcast. Derivative: ∂y/∂a = 1/b, ∂y/∂b = −y/b. Domain: b ≠ 0; x/0 is ±Infinity or NaN (IEEE 754).
 *
 * @example
 * div([1, 2], 4) // [0.25, 0.5]
 */
export const div = /* @__PURE__ */ binary({
  name: "div",
  expression: (a, b, m) => m.div(a, b),
  partials: [(_a, b, _y, m) => m.div(m.one, b), (_a, b, y, m) => m.neg(m.div(y, b))],
  domains: [
    [-2, 2],
    [0.5, 3],
  ],
});

/**
 * The negative of each element.
 *
 * Derivative: −1. Domain: all reals.
 *
 * @example
 * neg([1, -2]) // [-1, 2]
 */
export const neg = /* @__PURE__ */ unary({
  name: "neg",
  dtypes: "number",
  expression: (x, m) => m.neg(x),
  partial: (_x, _y, m) => m.constant(-1),
});

/**
 * Power, element by element.
 *
 * Shape: operands broadcast. Derivative: ∂y/∂a = b·a^(b−1), and 0 where b = 0; ∂y/∂b = y·ln a, and 0 where a = 0 and
 * b ≥ 0. Domain: a > 0, or b whole; NaN elsewhere. 1 to any power and any power of 0 are 1, as in IEEE 754.
 *
 * @example
 * pow([1, 2, 3], 2) // [1, 4, 9]
 */
export const pow = /* @__PURE__ */ binary({
  name: "pow",
  dtypes: "number",
  expression: (a, b, m) => m.pow(a, b),
  partials: [
    (a, b, _y, m) => m.select(m.eq(b, m.zero), m.zero, m.mul(b, m.pow(a, m.sub(b, m.one)))),
    (a, b, y, m) => m.select(m.and(m.eq(a, m.zero), m.le(m.zero, b)), m.zero, m.mul(y, m.log(a))),
  ],
  domains: [
    [0.5, 2],
    [-2, 3],
  ],
});

/**
 * The square of each element.
 *
 * Derivative: 2x. Domain: all reals.
 *
 * @example
 * square([1, -3]) // [1, 9]
 */
export const square = /* @__PURE__ */ unary({
  name: "square",
  dtypes: "number",
  expression: (x, m) => m.mul(x, x),
  partial: (x, _y, m) => m.mul(m.constant(2), x),
});

/**
 * The square root of each element.
 *
 * Derivative: 1/(2y), infinite at 0. Domain: x ≥ 0; NaN below.
 *
 * @example
 * sqrt([4, 9]) // [2, 3]
 */
export const sqrt = /* @__PURE__ */ unary({
  name: "sqrt",
  expression: (x, m) => m.sqrt(x),
  partial: (_x, y, m) => m.div(m.constant(0.5), y),
  domain: [0.5, 3],
});

/**
 * The exponential of each element.
 *
 * Derivative: y. Domain: all reals; Infinity from x ≈ 709.8 (float64) on.
 *
 * @example
 * exp([0, 1]) // [1, 2.718281828459045]
 */
export const exp = /* @__PURE__ */ unary({
  name: "exp",
  expression: (x, m) => m.exp(x),
  partial: (_x, y) => y,
});

/**
 * The natural logarithm of each element.
 *
 * Derivative: 1/x. Domain: x > 0; −Infinity at 0, NaN below.
 *
 * @example
 * log([1, 10]) // [0, 2.302585092994046]
 */
export const log = /* @__PURE__ */ unary({
  name: "log",
  expression: (x, m) => m.log(x),
  partial: (x, _y, m) => m.div(m.one, x),
  domain: [0.5, 3],
});

/**
 * ln(1 + x), accurate for small x.
 *
 * Derivative: 1/(1 + x). Domain: x > −1; −Infinity at −1, NaN below.
 *
 * @example
 * log1p([0, 1e-20]) // [0, 1e-20]
 */
export const log1p = /* @__PURE__ */ unary({
  name: "log1p",
  expression: (x, m) => m.log1p(x),
  partial: (x, _y, m) => m.div(m.one, m.add(m.one, x)),
  domain: [-0.5, 2],
});

/**
 * The sine of each element, in radians.
 *
 * Derivative: cos x. Domain: all reals; NaN at ±Infinity.
 *
 * @example
 * sin([0, 1]) // [0, 0.8414709848078965]
 */
export const sin = /* @__PURE__ */ unary({
  name: "sin",
  expression: (x, m) => m.sin(x),
  partial: (x, _y, m) => m.cos(x),
});

/**
 * The cosine of each element, in radians.
 *
 * Derivative: −sin x. Domain: all reals; NaN at ±Infinity.
 *
 * @example
 * cos([0, 1]) // [1, 0.5403023058681398]
 */
export const cos = /* @__PURE__ */ unary({
  name: "cos",
  expression: (x, m) => m.cos(x),
  partial: (x, _y, m) => m.neg(m.sin(x)),
});

/**
 * The hyperbolic tangent of each element.
 *
 * Derivative: (1 − y)(1 + y). Domain: all reals.
 *
 * @example
 * tanh([0, 1]) // [0, 0.7615941559557649]
 */
export const tanh = /* @__PURE__ */ unary({
  name: "tanh",
  expression: (x, m) => m.tanh(x),
  partial: (_x, y, m) => m.mul(m.sub(m.one, y), m.add(m.one, y)),
});

const sigmoidFunction: ScalarFunction = {
  name: "sigmoid",
  compute: (x) => 1 / (1 + Math.exp(-x)),
  operation: () => sigmoid,
};

/**
 * The logistic function 1/(1 + e^−x).
 *
 * Derivative: y·σ(−x), which keeps its digits where y is near 1. Domain: all reals.
 *
 * @example
 * sigmoid([0, 1]) // [0.5, 0.7310585786300049]
 */
export const sigmoid = /* @__PURE__ */ unary({
  name: "sigmoid",
  expression: logistic,
  partial: (x, y, m) => m.mul(y, logistic(m.neg(x), m)),
});

/** 1/(1 + e^−x), also the derivative of softplus and of others. */
export function logistic<T, M>(x: T, m: Arithmetic<T, M>): T {
  return m.call(sigmoidFunction, x);
}

const softplusFunction: ScalarFunction = {
  name: "softplus",
  compute: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  operation: () => softplus,
};

/**
 * ln(1 + e^x), without overflow.
 *
 * Derivative: σ(x). Domain: all reals.
 *
 * @example
 * softplus([0, 800]) // [0.6931471805599453, 800]
 */
export const softplus = /* @__PURE__ */ unary({
  name: "softplus",
  expression: logOfOnePlusExp,
  partial: (x, _y, m) => logistic(x, m),
});

/** ln(1 + e^x), for other operations to call. */
export function logOfOnePlusExp<T, M>(x: T, m: Arithmetic<T, M>): T {
  return m.call(softplusFunction, x);
}

/**
 * max(x, 0).
 *
 * Derivative: 1 for x > 0, 0 for x ≤ 0 (by convention at the kink 0).
 *
 * @example
 * relu([-1, 0, 2]) // [0, 0, 2]
 */
export const relu = /* @__PURE__ */ unary({
  name: "relu",
  dtypes: "number",
  expression: (x, m) => m.max(x, m.zero),
  pull: (dy, x, _y, m) => m.select(m.lt(m.zero, x), dy, m.zero),
  domain: [0.25, 2],
});

/**
 * Absolute value.
 *
 * Derivative: sign(x), 0 at the kink 0 by convention.
 *
 * @example
 * abs([-3, 2]) // [3, 2]
 */
export const abs = /* @__PURE__ */ unary({
  name: "abs",
  dtypes: "number",
  expression: (x, m) => m.abs(x),
  partial: (x, _y, m) => m.sign(x),
  domain: [-2, -0.25],
});

/**
 * −1, 0 or 1 by the sign of each element; NaN stays.
 *
 * Derivative: none; nothing flows through it.
 *
 * @example
 * sign([-3, 0, 2]) // [-1, 0, 1]
 */
export const sign = /* @__PURE__ */ unary({
  name: "sign",
  dtypes: "number",
  expression: (x, m) => m.sign(x),
});

/**
 * The larger of two operands, element by element; NaN if either is.
 *
 * Shape: operands broadcast. Derivative: 1 to the larger; ties give ½ to each.
 *
 * @example
 * maximum([1, 5], 3) // [3, 5]
 */
export const maximum = /* @__PURE__ */ binary({
  name: "maximum",
  dtypes: "number",
  expression: (a, b, m) => m.max(a, b),
  pulls: [(dy, a, b, _y, m) => larger(dy, a, b, m), (dy, a, b, _y, m) => larger(dy, b, a, m)],
  domains: [
    [-2, -0.1],
    [0.1, 2],
  ],
});

/**
 * The smaller of two operands, element by element; NaN if either is.
 *
 * Shape: operands broadcast. Derivative: 1 to the smaller; ties give ½ to each.
 *
 * @example
 * minimum([1, 5], 3) // [1, 3]
 */
export const minimum = /* @__PURE__ */ binary({
  name: "minimum",
  dtypes: "number",
  expression: (a, b, m) => m.min(a, b),
  pulls: [(dy, a, b, _y, m) => larger(dy, b, a, m), (dy, a, b, _y, m) => larger(dy, a, b, m)],
  domains: [
    [-2, -0.1],
    [0.1, 2],
  ],
});

/** dy where a > b, half of it at a tie. */
function larger<T, M>(dy: T, a: T, b: T, m: Arithmetic<T, M>): T {
  return m.select(m.lt(b, a), dy, m.select(m.eq(a, b), m.mul(m.constant(0.5), dy), m.zero));
}

/**
 * Whether a = b, element by element; NaN equals nothing.
 *
 * Shape: operands broadcast. dtype: bool. Derivative: none.
 *
 * @example
 * eq([1, 2], 2) // [0, 1]
 */
export const eq = /* @__PURE__ */ comparison("eq", (a, b, m) => m.eq(a, b));

/**
 * Whether a ≠ b, element by element.
 *
 * Shape: operands broadcast. dtype: bool. Derivative: none.
 *
 * @example
 * ne([1, 2], 2) // [1, 0]
 */
export const ne = /* @__PURE__ */ comparison("ne", (a, b, m) => m.not(m.eq(a, b)));

/**
 * Whether a < b, element by element.
 *
 * Shape: operands broadcast. dtype: bool. Derivative: none.
 *
 * @example
 * lt([1, 2, 3], 2) // [1, 0, 0]
 */
export const lt = /* @__PURE__ */ comparison("lt", (a, b, m) => m.lt(a, b));

/**
 * Whether a ≤ b, element by element.
 *
 * Shape: operands broadcast. dtype: bool. Derivative: none.
 *
 * @example
 * le([1, 2, 3], 2) // [1, 1, 0]
 */
export const le = /* @__PURE__ */ comparison("le", (a, b, m) => m.le(a, b));

/**
 * Whether a > b, element by element.
 *
 * Shape: operands broadcast. dtype: bool. Derivative: none.
 *
 * @example
 * gt([1, 2, 3], 2) // [0, 0, 1]
 */
export const gt = /* @__PURE__ */ comparison("gt", (a, b, m) => m.lt(b, a));

/**
 * Whether a ≥ b, element by element.
 *
 * Shape: operands broadcast. dtype: bool. Derivative: none.
 *
 * @example
 * ge([1, 2, 3], 2) // [0, 1, 1]
 */
export const ge = /* @__PURE__ */ comparison("ge", (a, b, m) => m.le(b, a));

function comparison(name: string, mask: <T, M>(a: T, b: T, m: Arithmetic<T, M>) => M) {
  return binary({
    name,
    dtypes: "comparison",
    expression: (a, b, m) => m.select(mask(a, b, m), m.one, m.zero),
  });
}

const whereOperation = /* @__PURE__ */ elementwise({
  name: "where",
  dtypes: "selection",
  expression: <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
    const [condition, a, b] = xs as [T, T, T];
    return m.select(m.eq(condition, m.zero), b, a);
  },
  pulls: [
    null,
    <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => m.select(m.eq(xs[0] as T, m.zero), m.zero, xs[4] as T),
    <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => m.select(m.eq(xs[0] as T, m.zero), xs[4] as T, m.zero),
  ],
});

/** A condition as bool, so that no promotion to the dtype of the choices can change it. */
function truthOf(condition: Operand): Value {
  const x = operand("where", condition);
  return x.dtype === "bool" ? x : ne(x, 0);
}

/**
 * `a` where the condition holds (is not 0), `b` elsewhere.
 *
 * Shape: condition, a and b broadcast. Derivative: dy to the operand chosen, exactly 0 to the other, whose NaN and
 * infinities never leak.
 *
 * @example
 * where([true, false], [1, 2], 0) // [1, 0]
 */
export const where = /* @__PURE__ */ define(
  {
    name: "where",
    operation: whereOperation,
    samples: (draw: Draw) => [
      [[true, false, true], draw([2, 3]), draw([3])],
      [true, draw([]), draw([])],
      [[[true], [false]], draw([]), draw([2, 2])],
    ],
  },
  (condition: Operand, a: Operand, b: Operand): Value =>
    apply(whereOperation, [truthOf(condition), ...operands("where", [a, b])], null),
);

const clipPull =
  (index: 0 | 1 | 2): Expression =>
  <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
    const [x, low, high, , dy] = xs as [T, T, T, T, T];
    const below = m.lt(x, low);
    const above = m.lt(high, x);
    if (index === 0) return m.select(below, m.zero, m.select(above, m.zero, dy));
    if (index === 1) return m.select(m.and(below, m.not(m.lt(high, low))), dy, m.zero);
    return m.select(m.lt(high, m.max(x, low)), dy, m.zero);
  };

const clipOperation = /* @__PURE__ */ elementwise({
  name: "clip",
  dtypes: "number",
  expression: <T, M>(xs: readonly T[], m: Arithmetic<T, M>) => {
    const [x, low, high] = xs as [T, T, T];
    return m.min(m.max(x, low), high);
  },
  pulls: [clipPull(0), clipPull(1), clipPull(2)],
});

/**
 * Each element brought into [low, high].
 *
 * Shape: x, low and high broadcast. Derivative: dy to x inside and at the bounds, to the bound where it acts. Where
 * low > high the result is high.
 *
 * @example
 * clip([-2, 0.5, 7], 0, 1) // [0, 0.5, 1]
 */
export const clip = /* @__PURE__ */ define(
  {
    name: "clip",
    operation: clipOperation,
    samples: (draw: Draw) => [
      [draw([2, 3]), draw([3], [-4, -3]), draw([], [3, 4])],
      [draw([4]), draw([4], [3, 4]), draw([4], [5, 6])],
      [draw([]), -6, draw([], [-4, -3])],
    ],
  },
  (x: Operand, low: Operand, high: Operand): Value =>
    apply(clipOperation, operands("clip", [x, low, high]), null),
);
