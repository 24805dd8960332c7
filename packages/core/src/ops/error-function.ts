/** The error function, its complement and its inverse. */

import type { ScalarFunction } from "../arithmetic.ts";
import { unary } from "../elementwise.ts";

/** erf(x)/x − 1 by powers of x², |x| ≤ 1; its error is below 5e-17. Chebyshev interpolation in 60 digits. */
const ERF = [
  0.12837916709551256, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777, 0.00522397760711642,
  -0.00085483259753897, 0.0001205529490484, -1.492473690742e-5, 1.64474247033e-6, -1.6208483802e-7,
  1.372006455e-8, -7.7958988e-10,
];

/**
 * (1 + 2x) e^(x²) erfc(x) by powers of (x − 3.75)/(x + 3.75), x ≥ 0; its relative error is below 1.1e-16. The form is
 * Shepherd and Laframboise's, Chebyshev Approximation of (1 + 2x)exp(x²)erfc x in 0 ≤ x < ∞ (1981); the coefficients
 * are from Chebyshev interpolation in 60 digits.
 */
const ERFC = [
  1.2375126308378275, -0.14024059858554697, 0.003585415485463775, 0.08227673849014516, -0.10880393014171785,
  0.09230432116037876, -0.058693398590212366, 0.02836227741894067, -0.00974657955250424, 0.001755625853001726,
  0.00029371363428501, -0.00029015408097953, 5.16492113907e-5, 2.2384240314224e-5, -1.144441243917e-5,
  -9.7356190152e-7, 1.75205797017e-6, -5.721597256e-8, -2.5910696878e-7, 2.326191328e-8, 3.896545255e-8,
  -3.74356803e-9, -5.28428698e-9, 3.1103107e-10, 4.4349591e-10,
];

/** A polynomial by its coefficients, the constant first. */
export function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) sum = sum * x + (coefficients[i] as number);
  return sum;
}

/** erfc(x) for x ≥ 0. */
function upperTail(x: number): number {
  if (x > 28) return 0;
  // e^(−x²) in two factors: the square of x rounded to 24 bits is exact.
  const short = Math.fround(x);
  const gaussian = Math.exp(-short * short) * Math.exp((short - x) * (short + x));
  return (gaussian * polynomial(ERFC, (x - 3.75) / (x + 3.75))) / (1 + 2 * x);
}

const erfFunction: ScalarFunction = {
  name: "erf",
  compute(x: number): number {
    if (Math.abs(x) <= 1) return x + x * polynomial(ERF, x * x);
    return x > 0 ? 1 - upperTail(x) : upperTail(-x) - 1;
  },
  operation: () => erf,
};

/** erfc, for other operations to call. */
export const erfcFunction: ScalarFunction = {
  name: "erfc",
  compute(x: number): number {
    if (x > 0.5) return upperTail(x);
    return x < -1 ? 2 - upperTail(-x) : 1 - erfFunction.compute(x);
  },
  operation: () => erfc,
};

const erfinvFunction: ScalarFunction = {
  name: "erfinv",
  compute(x: number): number {
    const size = Math.abs(x);
    if (!(size < 1)) return size === 1 ? x * Infinity : NaN;
    if (size < 1e-8) return (x * Math.sqrt(Math.PI)) / 2;
    // Winitzki, A handy approximation for the error function and its inverse (2008), then Halley's steps.
    const l = Math.log((1 - size) * (1 + size));
    const s = 2 / (Math.PI * 0.147) + l / 2;
    let y = Math.sqrt(Math.sqrt(s * s - l / 0.147) - s);
    for (let step = 0; step < 3; step++) {
      const error = size < 0.5 ? erfFunction.compute(y) - size : 1 - size - erfcFunction.compute(y);
      const newton = ((error * Math.sqrt(Math.PI)) / 2) * Math.exp(y * y);
      y -= newton / (1 + y * newton);
    }
    return x < 0 ? -y : y;
  },
  operation: () => erfinv,
};

/**
 * The error function 2/√π ∫₀ˣ e^(−t²) dt.
 *
 * Derivative: 2/√π e^(−x²). Domain: all reals; ±1 at ±Infinity. Accurate to 2 units in the last place.
 *
 * @example
 * erf([0, 1]) // [0, 0.8427007929497…]
 */
export const erf = /* @__PURE__ */ unary({
  name: "erf",
  expression: (x, m) => m.call(erfFunction, x),
  partial: (x, _y, m) => m.mul(m.constant(2 / Math.sqrt(Math.PI)), m.exp(m.neg(m.mul(x, x)))),
});

/**
 * 1 − erf(x), accurate where that difference is small.
 *
 * Derivative: −2/√π e^(−x²). Domain: all reals; 0 and 2 at ±Infinity. Accurate to 4 units in the last place.
 *
 * @example
 * erfc([0, 1]) // [1, 0.157299207050…]
 */
export const erfc = /* @__PURE__ */ unary({
  name: "erfc",
  expression: (x, m) => m.call(erfcFunction, x),
  partial: (x, _y, m) => m.mul(m.constant(-2 / Math.sqrt(Math.PI)), m.exp(m.neg(m.mul(x, x)))),
});

/**
 * The inverse of the error function.
 *
 * Derivative: √π/2 e^(y²). Domain: −1 < x < 1; ±Infinity at ±1, NaN outside.
 *
 * @example
 * erfinv([0, 0.5]) // [0, 0.4769362762044…]
 */
export const erfinv = /* @__PURE__ */ unary({
  name: "erfinv",
  expression: (x, m) => m.call(erfinvFunction, x),
  partial: (_x, y, m) => m.mul(m.constant(Math.sqrt(Math.PI) / 2), m.exp(m.mul(y, y))),
  domain: [-0.9, 0.9],
});
