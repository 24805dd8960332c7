/** Hyperbolic functions of lanes. */

import { expOfSmall, reduceByLn2 } from "./exponential.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";
import { polynomial } from "./polynomial.ts";

/** Half of ln 2 in two parts; the first times a whole number of 6 digits is exact. */
const HALF_LN2 = {
  float32: [0.3465728759765625, 7.143034e-7],
  float64: [0.34657359027994517, 2.7489615093541856e-14],
} as const;

/** e^(2r) by powers of r, |r| ≤ ln 2/4: to a relative 2^−28.2 and 2^−57.9. */
const EXP = {
  float32: [1, 2, 1.9999998, 1.3333213, 0.6666897, 0.2678125, 0.088555194],
  float64: [
    1, 2, 2.0000000000000044, 1.3333333333333146, 0.6666666666644112, 0.26666666667128547, 0.0888888892473936,
    0.025396825025658952, 0.006349181870948502, 0.0014109460020769976, 0.00028293922219820814,
    5.123543632699567e-5,
  ],
} as const;

/** (x − tanh x)/x³ as a quotient of polynomials in x², |x| ≤ 5/8: tanh to 2^−27.6 and 2^−59.2. */
const TANH = {
  float32: { over: [0.33333308, 0.0015414347], under: [1, 0.40461177] },
  float64: {
    over: [0.33333333333333326, 0.020496734806720537, 0.00019908663842505852],
    under: [1, 0.461490204420147, 0.02328857977883298, 0.00020643584988807483],
  },
} as const;

/**
 * tanh x = 1 − 2/(e^2x + 1), or x less a quotient of polynomials where x is small: either way one division.
 *
 * Error: 1.4 ulp in float32, 1.7 in float64.
 */
export const tanh: LaneFunction = {
  name: "tanh",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    // Beyond 10 or 20 tanh x is 1.
    const u = m.atMost(m.abs(x!), m.constant(m.dtype === "float32" ? 10 : 20));
    const [high, low] = HALF_LN2[m.dtype];
    const n = m.nearest(m.mul(u, m.constant(2 * Math.LOG2E)));
    const r = m.madd(n, m.constant(-low), m.madd(n, m.constant(-high), u));
    const more = m.madd(polynomial(EXP[m.dtype], r, m), m.power2(n), one);
    const z = m.mul(u, u);
    const { over, under } = TANH[m.dtype];
    const small = m.lt(u, m.constant(0.625));
    const quotient = m.div(
      m.select(small, m.mul(m.mul(u, z), polynomial(over, z, m)), m.constant(2)),
      m.select(small, polynomial(under, z, m), more),
    );
    return m.copySign(m.sub(m.select(small, u, one), quotient), x!);
  },
  covers: null,
  scalar: Math.tanh,
};

/** (sinh(x)/x − 1)/x² by powers of x², |x| ≤ 1: sinh to 2^−31.6 and 2^−61.8. */
const SINH = {
  float32: [0.16666667, 0.0083333105, 0.00019842893, 2.7822464e-6],
  float64: [
    0.16666666666666669, 0.008333333333332912, 0.00019841269841593421, 2.7557319106745585e-6,
    2.5052131002266194e-8, 1.6056658719422552e-10, 7.776619718563634e-13,
  ],
} as const;

/** (e^x − e^−x)/2, or a polynomial where the two would cancel. Error: 1.7 ulp. */
export const sinh: LaneFunction = {
  name: "sinh",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const size = m.abs(x!);
    const z = m.mul(size, size);
    const small = m.madd(m.mul(size, z), polynomial(SINH[m.dtype], z, m), size);
    const quarter = quarterOfExp(size, m);
    const half = m.sub(quarter, m.div(m.constant(1 / 16), quarter));
    return m.copySign(m.select(m.lt(size, m.constant(1)), small, m.add(half, half)), x!);
  },
  covers: null,
  scalar: Math.sinh,
};

/** (e^x + e^−x)/2. Error: 1.5 ulp. */
export const cosh: LaneFunction = {
  name: "cosh",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const quarter = quarterOfExp(m.abs(x!), m);
    const half = m.add(quarter, m.div(m.constant(1 / 16), quarter));
    return m.add(half, half);
  },
  covers: null,
  scalar: Math.cosh,
};

/** e^x/4 for x ≥ 0, which is finite where sinh x and cosh x are, and more than they may be where they are not. */
function quarterOfExp<T, M>(x: T, m: Lanes<T, M>): T {
  const end = m.dtype === "float32" ? 89.5 : 710.5;
  const [n, r] = reduceByLn2(m.atMost(x, m.constant(end)), m);
  return m.mul(expOfSmall(r, m), m.power2(m.sub(n, m.constant(2))));
}
