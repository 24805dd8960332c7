/** Powers, roots, exponentials and logarithms, beyond the basic ones of elementwise.ts. */

import { type Arithmetic, fromMath } from "../arithmetic.ts";
import { binary, unary } from "../elementwise.ts";
import { define } from "../op.ts";
import type { Operand, Value } from "../value.ts";
import { clip, logistic, logOfOnePlusExp } from "./elementwise.ts";

/**
 * 1/x.
 *
 * Derivative: −y². Domain: x ≠ 0; ±Infinity at ±0.
 *
 * @example
 * reciprocal([2, -4]) // [0.5, -0.25]
 */
export const reciprocal = /* @__PURE__ */ unary({
  name: "reciprocal",
  expression: (x, m) => m.div(m.one, x),
  partial: (_x, y, m) => m.neg(m.mul(y, y)),
  domain: [0.5, 2],
});

/**
 * 1/√x.
 *
 * Derivative: −y/(2x). Domain: x > 0; Infinity at 0, NaN below.
 *
 * @example
 * rsqrt([1, 4]) // [1, 0.5]
 */
export const rsqrt = /* @__PURE__ */ unary({
  name: "rsqrt",
  expression: (x, m) => m.div(m.one, m.sqrt(x)),
  partial: (x, y, m) => m.div(m.mul(m.constant(-0.5), y), x),
  domain: [0.5, 3],
});

const cbrtFunction = /* @__PURE__ */ fromMath("cbrt", () => cbrt);

/**
 * The cube root.
 *
 * Derivative: 1/(3y²), infinite at 0. Domain: all reals.
 *
 * @example
 * cbrt([8, -27]) // [2, -3]
 */
export const cbrt = /* @__PURE__ */ unary({
  name: "cbrt",
  expression: (x, m) => m.call(cbrtFunction, x),
  partial: (_x, y, m) => m.div(m.one, m.mul(m.constant(3), m.mul(y, y))),
  domain: [0.5, 3],
});

/**
 * 2 to the power of each element.
 *
 * Derivative: y·ln 2. Domain: all reals; Infinity from x = 1024 (float64) on.
 *
 * @example
 * exp2([0, 1, -1]) // [1, 2, 0.5]
 */
export const exp2 = /* @__PURE__ */ unary({
  name: "exp2",
  expression: (x, m) => m.pow(m.constant(2), x),
  partial: (_x, y, m) => m.mul(y, m.constant(Math.LN2)),
});

/** e^x − 1, for other operations to call. */
export const expm1Function = /* @__PURE__ */ fromMath("expm1", () => expm1);

/**
 * e^x − 1, accurate for small x.
 *
 * Derivative: e^x, which keeps its digits where y is near −1. Domain: all reals.
 *
 * @example
 * expm1([0, 1e-20]) // [0, 1e-20]
 */
export const expm1 = /* @__PURE__ */ unary({
  name: "expm1",
  expression: (x, m) => m.call(expm1Function, x),
  partial: (x, _y, m) => m.exp(x),
});

const log2Function = /* @__PURE__ */ fromMath("log2", () => log2);

/**
 * The logarithm to base 2.
 *
 * Derivative: 1/(x ln 2). Domain: x > 0; −Infinity at 0, NaN below.
 *
 * @example
 * log2([1, 8]) // [0, 3]
 */
export const log2 = /* @__PURE__ */ unary({
  name: "log2",
  expression: (x, m) => m.call(log2Function, x),
  partial: (x, _y, m) => m.div(m.constant(Math.LOG2E), x),
  domain: [0.5, 3],
});

const log10Function = /* @__PURE__ */ fromMath("log10", () => log10);

/**
 * The logarithm to base 10.
 *
 * Derivative: 1/(x ln 10). Domain: x > 0; −Infinity at 0, NaN below.
 *
 * @example
 * log10([1, 1000]) // [0, 3]
 */
export const log10 = /* @__PURE__ */ unary({
  name: "log10",
  expression: (x, m) => m.call(log10Function, x),
  partial: (x, _y, m) => m.div(m.constant(Math.LOG10E), x),
  domain: [0.5, 3],
});

/**
 * ln(e^a + e^b), without overflow.
 *
 * Shape: operands broadcast. Derivative: ∂y/∂a = σ(a − b), ∂y/∂b = σ(b − a); ½ each where both are the same infinity.
 * Domain: all reals and ±Infinity; −Infinity is the logarithm of 0.
 *
 * @example
 * logAddExp([0, 1000], [0, 1000]) // [0.6931471805599453, 1000.6931471805599]
 */
export const logAddExp = /* @__PURE__ */ binary({
  name: "logAddExp",
  expression: (a, b, m) => m.add(m.max(a, b), logOfOnePlusExp(m.neg(m.abs(difference(a, b, m))), m)),
  partials: [
    (a, b, _y, m) => logistic(difference(a, b, m), m),
    (a, b, _y, m) => logistic(difference(b, a, m), m),
  ],
});

/** a − b, and 0 for two equal infinities. */
function difference<T, M>(a: T, b: T, m: Arithmetic<T, M>): T {
  const infinite = m.not(m.lt(m.abs(a), m.constant(Infinity)));
  return m.select(m.and(infinite, m.eq(a, b)), m.zero, m.sub(a, b));
}

/**
 * ln σ(x) = −ln(1 + e^−x), without overflow.
 *
 * Derivative: σ(−x). Domain: all reals.
 *
 * @example
 * logSigmoid([0, -800]) // [-0.6931471805599453, -800]
 */
export const logSigmoid = /* @__PURE__ */ unary({
  name: "logSigmoid",
  expression: (x, m) => m.sub(m.min(x, m.zero), logOfOnePlusExp(m.neg(m.abs(x)), m)),
  partial: (x, _y, m) => logistic(m.neg(x), m),
});

const logitOf = /* @__PURE__ */ unary({
  name: "logit",
  expression: (x, m) => {
    const s = m.mul(m.constant(2), m.sub(x, m.constant(0.5)));
    return m.select(
      m.lt(m.abs(s), m.constant(0.4)),
      m.sub(m.log1p(s), m.log1p(m.neg(s))),
      m.sub(m.log(x), m.log1p(m.neg(x))),
    );
  },
  partial: (x, _y, m) => m.div(m.one, m.mul(x, m.sub(m.one, x))),
  domain: [0.1, 0.9],
});

/**
 * ln(x/(1 − x)), the inverse of sigmoid.
 *
 * Derivative: 1/(x(1 − x)). Domain: 0 < x < 1; ∓Infinity at 0 and 1, NaN outside. Around ½ computed as
 * ln(1 + s) − ln(1 − s) with s = 2x − 1, which keeps the digits. With `eps`, x is first brought into [eps, 1 − eps].
 *
 * @example
 * logit([0.5, 0.75]) // [0, 1.098612288668…]
 */
export const logit = /* @__PURE__ */ define(
  logitOf.definition,
  (x: Operand, eps?: number): Value => logitOf(eps === undefined ? x : clip(x, eps, 1 - eps)),
);

/**
 * x·ln y, and 0 where x = 0, unless y is NaN.
 *
 * Shape: operands broadcast. Derivative: ∂/∂x = ln y, ∂/∂y = x/y; where x = 0 both are 0 for y ≤ 0 and y = 0.
 * Domain: y > 0, or x = 0.
 *
 * @example
 * xlogy([0, 2], [0, 1]) // [0, 0]
 */
export const xlogy = /* @__PURE__ */ binary({
  name: "xlogy",
  expression: (x, y, m) => m.select(m.and(m.eq(x, m.zero), m.eq(y, y)), m.zero, m.mul(x, m.log(y))),
  partials: [
    (x, y, _z, m) => m.select(m.and(m.eq(x, m.zero), m.le(y, m.zero)), m.zero, m.log(y)),
    (x, y, _z, m) => m.select(m.and(m.eq(x, m.zero), m.eq(y, m.zero)), m.zero, m.div(x, y)),
  ],
  domains: [
    [-2, 2],
    [0.5, 3],
  ],
});
