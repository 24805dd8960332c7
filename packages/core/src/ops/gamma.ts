/** The logarithm of the gamma function and its derivatives. */

import type { ScalarFunction } from "../arithmetic.ts";
import { unary } from "../elementwise.ts";
import { ArgumentError, describe } from "../errors.ts";
import { type Defined, type Draw, define } from "../op.ts";
import type { Operand, Value } from "../value.ts";
import { polynomial } from "./error-function.ts";

/** lnΓ(2 + z)/z by powers of z, |z| ≤ ½; its relative error is below 6e-17. Chebyshev interpolation in 60 digits. */
const LGAMMA = [
  0.42278433509846713, 0.3224670334241132, -0.06735230105319563, 0.02058080842778338, -0.00738555102893554,
  0.0028905103308659, -0.0011927539009983, 0.0005096695196527, -0.000223154977463, 9.9457616922e-5,
  -4.4923727564e-5, 2.05060197e-5, -9.45628852e-6, 4.38285454e-6, -1.9743107e-6, 9.242852e-7, -5.811278e-7,
  2.74754e-7,
];

/** ψ(x)/(x − root) by powers of x − 1.5, 1 ≤ x ≤ 2; likewise. */
const DIGAMMA = [
  0.9510558760318328, -0.4236274212814606, 0.24054248424078697, -0.1484049230538809, 0.0949887244528904,
  -0.0619221332754883, 0.040760833940846, -0.026975796659787, 0.017907248317313, -0.01190822010596,
  0.00792702179687, -0.00527993725553, 0.0035181065638, -0.00234549473974, 0.0015633696314, -0.0010364584817,
  0.000690925576, -0.000485950392, 0.000323959454, -0.000144806434, 9.653646e-5, -0.00017821885,
  0.00011881233,
];

/** The positive root of ψ, 1.461632144968362341262659542325721328468, in two parts. */
const ROOT = [1.4616321449683622, 9.549995429965697e-17] as const;

/** The Bernoulli numbers B₂, B₄, … */
const BERNOULLI = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
];

/** |sin πx|, exact at whole numbers. */
function sineOfPi(x: number): number {
  const fraction = Math.abs(x % 1);
  return Math.sin(Math.PI * Math.min(fraction, 1 - fraction));
}

const lgammaFunction: ScalarFunction = {
  name: "lgamma",
  compute(x: number): number {
    if (x <= 0) {
      // Γ(x) Γ(1 − x) = π/sin πx
      if (x % 1 === 0 || x === -Infinity) return Infinity;
      return Math.log(Math.PI / (-x * sineOfPi(x))) - lgammaFunction.compute(-x);
    }
    if (x < 0.5) return x * polynomial(LGAMMA, x) - Math.log1p(x) - Math.log(x);
    if (x < 1.5) return (x - 1) * polynomial(LGAMMA, x - 1) - Math.log1p(x - 1);
    if (x < 10) {
      // Γ(x) = (x − 1) Γ(x − 1)
      let product = 1;
      while (x > 2.5) product *= --x;
      return (x - 2) * polynomial(LGAMMA, x - 2) + Math.log(product);
    }
    if (x > 1e18) return x * (Math.log(x) - 1);
    // Stirling's series.
    const square = 1 / (x * x);
    let tail = 0;
    for (let k = 7; k >= 0; k--)
      tail = tail * square + (BERNOULLI[k] as number) / ((2 * k + 2) * (2 * k + 1));
    return (x - 0.5) * (Math.log(x) - 1) + (Math.log(2 * Math.PI) - 1) / 2 + tail / x;
  },
  operation: () => lgamma,
};

const digammaFunction: ScalarFunction = {
  name: "digamma",
  compute(x: number): number {
    // ψ(x) = −1/x − γ + O(x); the formulas below overflow where 1/x does.
    if (Math.abs(x) < 1e-20) return -1 / x;
    if (x < 0) {
      // ψ(x) = ψ(1 − x) − π cot πx
      const fraction = x % 1;
      return fraction === 0
        ? NaN
        : digammaFunction.compute(-x) - 1 / x - Math.PI / Math.tan(Math.PI * fraction);
    }
    // ψ(x + 1) = ψ(x) + 1/x
    if (x < 1) return digammaFunction.compute(x + 1) - 1 / x;
    if (x < 10) {
      let sum = 0;
      while (x > 2) sum += 1 / --x;
      return sum + (x - ROOT[0] - ROOT[1]) * polynomial(DIGAMMA, x - 1.5);
    }
    const square = 1 / (x * x);
    let tail = 0;
    for (let k = 7; k >= 0; k--) tail = (tail + (BERNOULLI[k] as number) / (2 * k + 2)) * square;
    return Math.log(x) - 0.5 / x - tail;
  },
  operation: () => digamma,
};

/**
 * (−1)^(n+1) ψ⁽ⁿ⁾(x)/n! = Σ (x + k)^(−n−1) for x > 0: the first terms, and the Euler–Maclaurin formula for the rest
 * (Abramowitz and Stegun 6.4.11).
 */
function hurwitz(n: number, x: number): number {
  let sum = 0;
  for (; x < 8 + n; x++) sum += n === 1 ? 1 / (x * x) : x ** (-n - 1);
  const power = x ** -n;
  let term = power / x;
  sum += power / n + term / 2;
  for (let k = 0; k < BERNOULLI.length; k++) {
    // B₂ₖ (n + 1)(n + 2)…(n + 2k − 1)/(2k)! x^(−n−2k)
    term *= (n + 2 * k + 1) / ((2 * k + 2) * x);
    sum += (BERNOULLI[k] as number) * term;
    term *= (n + 2 * k + 2) / ((2 * k + 3) * x);
  }
  return sum;
}

/** The n-th derivative of cot by powers of cot: P₀ = c, Pₙ₊₁ = −(1 + c²) Pₙ′. */
function cotangentDerivative(n: number): number[] {
  let p = [0, 1];
  for (let k = 0; k < n; k++) {
    const slope = p.slice(1).map((a, i) => a * (i + 1));
    p = [0, 0, ...slope].map((a, i) => -(a + (slope[i] ?? 0)));
  }
  return p;
}

function polygammaFunction(n: number): ScalarFunction {
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  const sign = n % 2 === 0 ? -1 : 1;
  const reflection = cotangentDerivative(n);
  return {
    name: `polygamma${n}`,
    compute(x: number): number {
      if (!(x <= 0)) return sign * factorial * hurwitz(n, x);
      if (x % 1 === 0) return sign * Infinity;
      // ψ⁽ⁿ⁾(x) = (−1)ⁿ ψ⁽ⁿ⁾(1 − x) − dⁿ/dxⁿ π cot πx
      const cotangent = 1 / Math.tan(Math.PI * (x % 1));
      return -factorial * hurwitz(n, 1 - x) - Math.PI ** (n + 1) * polynomial(reflection, cotangent);
    },
    operation: () => polygammaOfOrder(n).operation,
  };
}

interface Polygamma {
  readonly f: ScalarFunction;
  readonly operation: Defined<(x: Operand) => Value>;
}

/** The polygamma functions made so far, by order. */
const polygammas: Polygamma[] = [];

/** An operation whose derivative is the one of the next order. */
function polygammaOfOrder(n: number): Polygamma {
  let known = polygammas[n];
  if (known === undefined) {
    const f = polygammaFunction(n);
    const operation = unary({
      name: f.name,
      expression: (x, m) => m.call(f, x),
      partial: (x, _y, m) => m.call(polygammaOfOrder(n + 1).f, x),
      domain: [0.5, 3],
    });
    known = { f, operation };
    polygammas[n] = known;
  }
  return known;
}

/**
 * ln|Γ(x)|.
 *
 * Derivative: digamma(x). Domain: all reals; Infinity at 0, −1, −2, … and ±Infinity. Near the roots between those its
 * error is absolute, about 1e-15.
 *
 * @example
 * lgamma([1, 0.5]) // [0, 0.57236494292470…]
 */
export const lgamma = /* @__PURE__ */ unary({
  name: "lgamma",
  expression: (x, m) => m.call(lgammaFunction, x),
  partial: (x, _y, m) => m.call(digammaFunction, x),
  domain: [0.5, 3],
});

/**
 * ψ(x), the derivative of lgamma.
 *
 * Derivative: polygamma(1, x). Domain: all reals; ∓Infinity at ±0, NaN at −1, −2, … and −Infinity. Near its negative
 * roots its error is absolute, about 1e-15.
 *
 * @example
 * digamma([1, 2]) // [-0.57721566490153…, 0.42278433509846…]
 */
export const digamma = /* @__PURE__ */ unary({
  name: "digamma",
  expression: (x, m) => m.call(digammaFunction, x),
  partial: (x, _y, m) => m.call(polygammaOfOrder(1).f, x),
  domain: [0.5, 3],
});

/**
 * The n-th derivative of digamma.
 *
 * Derivative: polygamma(n + 1, x). Domain: all reals; at 0, −1, −2, … Infinity for odd n, −Infinity for even
 * n > 0, as in SciPy.
 * Throws: ArgumentError unless n is a whole number from 0 to 169.
 *
 * @example
 * polygamma(1, [1, 2]) // [1.6449340668482…, 0.6449340668482…]
 */
export const polygamma = /* @__PURE__ */ define(
  {
    name: "polygamma",
    operation: null,
    samples: (draw: Draw) => [
      [0, draw([3], [0.5, 3])],
      [1, draw([2, 1], [0.5, 3])],
      [2, draw([2], [-0.8, -0.2])],
      [4, draw([], [0.5, 3])],
    ],
  },
  (n: number, x: Operand): Value => {
    if (!Number.isInteger(n) || n < 0 || n >= 170) {
      throw new ArgumentError({
        where: "polygamma",
        expected: "n must be a whole number from 0 to 169",
        received: describe(n),
      });
    }
    return n === 0 ? digamma(x) : polygammaOfOrder(n).operation(x);
  },
);
