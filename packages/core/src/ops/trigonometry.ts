/** Trigonometric and hyperbolic functions, their inverses, and lengths, beyond the basic ones of elementwise.ts. */

import { fromMath, type ScalarFunction } from "../arithmetic.ts";
import { binary, unary } from "../elementwise.ts";
import type { Defined } from "../op.ts";
import type { Operand, Value } from "../value.ts";

const tanFunction = /* @__PURE__ */ fromMath("tan", () => tan);

/**
 * The tangent, in radians.
 *
 * Derivative: 1 + y². Domain: all reals but odd multiples of π/2; NaN at ±Infinity.
 *
 * @example
 * tan([0, 1]) // [0, 1.5574077246549023]
 */
export const tan = /* @__PURE__ */ unary({
  name: "tan",
  expression: (x, m) => m.call(tanFunction, x),
  partial: (_x, y, m) => m.add(m.one, m.mul(y, y)),
  domain: [-1, 1],
});

const asinFunction = /* @__PURE__ */ fromMath("asin", () => asin);

/**
 * The inverse sine, in radians.
 *
 * Derivative: 1/√((1 − x)(1 + x)), infinite at ±1. Domain: −1 ≤ x ≤ 1; NaN outside.
 *
 * @example
 * asin([0, 1]) // [0, 1.5707963267948966]
 */
export const asin = /* @__PURE__ */ unary({
  name: "asin",
  expression: (x, m) => m.call(asinFunction, x),
  partial: (x, _y, m) => m.div(m.one, m.sqrt(m.mul(m.sub(m.one, x), m.add(m.one, x)))),
  domain: [-0.8, 0.8],
});

const acosFunction = /* @__PURE__ */ fromMath("acos", () => acos);

/**
 * The inverse cosine, in radians.
 *
 * Derivative: −1/√((1 − x)(1 + x)), infinite at ±1. Domain: −1 ≤ x ≤ 1; NaN outside.
 *
 * @example
 * acos([1, -1]) // [0, 3.141592653589793]
 */
export const acos = /* @__PURE__ */ unary({
  name: "acos",
  expression: (x, m) => m.call(acosFunction, x),
  partial: (x, _y, m) => m.div(m.constant(-1), m.sqrt(m.mul(m.sub(m.one, x), m.add(m.one, x)))),
  domain: [-0.8, 0.8],
});

const atanFunction = /* @__PURE__ */ fromMath("atan", () => atan);

/**
 * The inverse tangent, in radians.
 *
 * Derivative: 1/(1 + x²). Domain: all reals; ±π/2 at ±Infinity.
 *
 * @example
 * atan([0, 1]) // [0, 0.7853981633974483]
 */
export const atan = /* @__PURE__ */ unary({
  name: "atan",
  expression: (x, m) => m.call(atanFunction, x),
  partial: (x, _y, m) => m.div(m.one, m.add(m.one, m.mul(x, x))),
});

const atan2Function = /* @__PURE__ */ fromMath("atan2", () => atan2);

/**
 * The angle of the point (x, y) = (b, a) from the positive x axis, in (−π, π]; the arguments come in the order y, x.
 *
 * Shape: operands broadcast. Derivative: ∂/∂a = b/(a² + b²), ∂/∂b = −a/(a² + b²), and 0 at the origin by convention.
 * Domain: the plane; at the origin and along the cut b < 0, a = ±0 the sign of zero decides, as in IEEE 754.
 *
 * @example
 * atan2([1, 1], [1, -1]) // [0.7853981633974483, 2.356194490192345]
 */
export const atan2 = /* @__PURE__ */ binary({
  name: "atan2",
  expression: (a, b, m) => m.call(atan2Function, a, b),
  partials: [
    (a, b, _y, m) => {
      const square = m.add(m.mul(a, a), m.mul(b, b));
      return m.select(m.eq(square, m.zero), m.zero, m.div(b, square));
    },
    (a, b, _y, m) => {
      const square = m.add(m.mul(a, a), m.mul(b, b));
      return m.select(m.eq(square, m.zero), m.zero, m.div(m.neg(a), square));
    },
  ],
  domains: [
    [0.5, 2],
    [-2, 2],
  ],
});

const hypotFunction = /* @__PURE__ */ fromMath("hypot", () => hypot);

/**
 * √(a² + b²), without overflow.
 *
 * Shape: operands broadcast. Derivative: ∂/∂a = a/y, ∂/∂b = b/y, and 0 at the origin by convention. Domain: all reals;
 * Infinity where either is infinite.
 *
 * @example
 * hypot([3, 1e200], [4, 0]) // [5, 1e200]
 */
export const hypot = /* @__PURE__ */ binary({
  name: "hypot",
  expression: (a, b, m) => m.call(hypotFunction, a, b),
  partials: [
    (a, _b, y, m) => m.select(m.eq(y, m.zero), m.zero, m.div(a, y)),
    (_a, b, y, m) => m.select(m.eq(y, m.zero), m.zero, m.div(b, y)),
  ],
  domains: [
    [0.5, 2],
    [-2, 2],
  ],
});

const sinhFunction = /* @__PURE__ */ fromMath("sinh", () => sinh);
const coshFunction = /* @__PURE__ */ fromMath("cosh", () => cosh);

/**
 * The hyperbolic sine.
 *
 * Derivative: cosh x. Domain: all reals.
 *
 * @example
 * sinh([0, 1]) // [0, 1.1752011936438014]
 */
export const sinh = /* @__PURE__ */ unary({
  name: "sinh",
  expression: (x, m) => m.call(sinhFunction, x),
  partial: (x, _y, m) => m.call(coshFunction, x),
});

/**
 * The hyperbolic cosine.
 *
 * Derivative: sinh x. Domain: all reals.
 *
 * @example
 * cosh([0, 1]) // [1, 1.5430806348152437]
 */
export const cosh = /* @__PURE__ */ unary({
  name: "cosh",
  expression: (x, m) => m.call(coshFunction, x),
  partial: (x, _y, m) => m.call(sinhFunction, x),
});

const asinhFunction = /* @__PURE__ */ fromMath("asinh", () => asinh);

/**
 * The inverse hyperbolic sine.
 *
 * Derivative: 1/√(1 + x²). Domain: all reals.
 *
 * @example
 * asinh([0, 1]) // [0, 0.881373587019543]
 */
export const asinh = /* @__PURE__ */ unary({
  name: "asinh",
  expression: (x, m) => m.call(asinhFunction, x),
  partial: (x, _y, m) => m.div(m.one, m.sqrt(m.add(m.one, m.mul(x, x)))),
});

const acoshFunction = /* @__PURE__ */ fromMath("acosh", () => acosh);

/**
 * The inverse hyperbolic cosine.
 *
 * Derivative: 1/(√(x − 1) √(x + 1)), infinite at 1. Domain: x ≥ 1; NaN below.
 *
 * @example
 * acosh([1, 2]) // [0, 1.3169578969248166]
 */
export const acosh = /* @__PURE__ */ unary({
  name: "acosh",
  expression: (x, m) => m.call(acoshFunction, x),
  partial: (x, _y, m) => m.div(m.one, m.mul(m.sqrt(m.sub(x, m.one)), m.sqrt(m.add(x, m.one)))),
  domain: [1.5, 3],
});

const atanhFunction = /* @__PURE__ */ fromMath("atanh", () => atanh);

/**
 * The inverse hyperbolic tangent.
 *
 * Derivative: 1/(1 − x²), as cosh² y, which keeps its digits everywhere. Domain: −1 < x < 1; ±Infinity at ±1, NaN
 * outside.
 *
 * @example
 * atanh([0, 0.5]) // [0, 0.5493061443340548]
 */
export const atanh = /* @__PURE__ */ unary({
  name: "atanh",
  expression: (x, m) => m.call(atanhFunction, x),
  partial: (_x, y, m) => {
    const c = m.call(coshFunction, y);
    return m.mul(c, c);
  },
  domain: [-0.8, 0.8],
});

/** sinc and its derivatives, by order. */
const sincs: { readonly f: ScalarFunction; readonly operation: Defined<(x: Operand) => Value> }[] = [];

/** The n-th derivative of sin(πx)/(πx): an operation whose own derivative is the next one. */
function sincOfOrder(n: number): (typeof sincs)[number] {
  const known = sincs[n];
  if (known !== undefined) return known;
  const f: ScalarFunction = {
    name: `sinc${n}`,
    compute: (x) => Math.PI ** n * unnormalizedSinc(n, Math.PI * x),
    operation: () => made.operation,
  };
  const made = {
    f,
    operation: unary({
      name: n === 0 ? "sinc" : f.name,
      expression: (x, m) => m.call(f, x),
      partial: (x, _y, m) => m.call(sincOfOrder(n + 1).f, x),
    }),
  };
  sincs[n] = made;
  return made;
}

/**
 * The n-th derivative of s(t) = sin t/t. Near 0 by its power series Σ (−1)^k t^(2k−n)/((2k + 1)(2k − n)!), further out
 * upward by t s⁽ⁿ⁾ + n s⁽ⁿ⁻¹⁾ = sin⁽ⁿ⁾ t, where that recurrence loses nothing.
 */
function unnormalizedSinc(n: number, t: number): number {
  if (Math.abs(t) < (n === 0 ? 1e-8 : 1 + n / 2)) {
    let sum = 0;
    let power = n % 2 === 0 ? 1 : t;
    let sign = n % 4 === 0 || n % 4 === 3 ? 1 : -1;
    for (let j = n % 2; j < 60; j += 2) {
      const term = power / (n + j + 1);
      sum += sign * term;
      if (Math.abs(term) < 1e-17 * Math.abs(sum)) break;
      power *= (t / (j + 1)) * (t / (j + 2));
      sign = -sign;
    }
    return sum;
  }
  const sine = Math.sin(t);
  const cosine = Math.cos(t);
  let s = sine / t;
  for (let k = 1; k <= n; k++) s = (([sine, cosine, -sine, -cosine][k % 4] as number) - k * s) / t;
  return s;
}

/**
 * sin(πx)/(πx), 1 at 0.
 *
 * Derivative: exact to all orders, at 0 too. Domain: all reals; NaN at ±Infinity.
 *
 * @example
 * sinc([0, 0.5]) // [1, 0.6366197723675814]
 */
export const sinc = /* @__PURE__ */ (() => sincOfOrder(0).operation)();
