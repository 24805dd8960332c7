/** Exponential functions of lanes. */

import type { LaneFunction, Lanes } from "./lanes.ts";
import { LN2 } from "./logarithm.ts";
import { polynomial } from "./polynomial.ts";

/** 2 ln 2 in two parts; products of the first with whole numbers of 7 (float32) or 10 (float64) digits are exact. */
const LN4 = {
  float32: [1.38629150390625, 2.8572136e-6],
  float64: [1.3862943611197807, 1.0995846037416742e-13],
} as const;

/**
 * (e^r − 1 − r)/r² by powers of r, |r| ≤ 0.694: e^r to a relative 2^−26.0 and 2^−56.4.
 *
 * Like all coefficients of lane functions these minimise the largest error (Remez's exchange in 240 bits), each rounded
 * to the dtype in turn and those after it fitted anew.
 */
const EXP = {
  float32: [0.50000036, 0.16666615, 0.04166116, 0.008335996, 0.001410661, 0.00019634048],
  float64: [
    0.4999999999999993, 0.16666666666666938, 0.04166666666670223, 0.008333333333269606, 0.0013888888883552956,
    0.00019841269893040327, 2.480159084408197e-5, 2.7557300564861667e-6, 2.7556154603394576e-7,
    2.505504464065501e-8, 2.10626268473923e-9, 1.593517597366312e-10,
  ],
} as const;

/** The same for |r| ≤ ln 2/2: e^r to 2^−28.2 and 2^−57.9. */
const EXP_OF_SMALL = {
  float32: [0.49999994, 0.16666517, 0.041668106, 0.00836914, 0.0013836749],
  float64: [
    0.5000000000000011, 0.16666666666666433, 0.0416666666665257, 0.008333333333477671, 0.001388888894490525,
    0.00019841269551296056, 2.4801491683392587e-5, 2.755753910306636e-6, 2.7630783417793764e-7,
    2.5017302894040856e-8,
  ],
} as const;

/** Beyond these e^x is 0 and Infinity. */
const EXP_ENDS = { float32: [-104, 89], float64: [-746, 710] } as const;

/**
 * e^x = 2²ⁿ e^r with r = x − 2n ln 2, |r| ≤ ln 2. The two factors 2ⁿ are normal where e^x over- or underflows, and cost
 * less than to split an exponent that may be odd.
 *
 * Error: 1.6 ulp in float32, 1.5 in float64.
 */
export const exp: LaneFunction = {
  name: "exp",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [lowest, highest] = EXP_ENDS[m.dtype];
    const [n, r] = reduceByLn4(m.atLeast(m.atMost(x!, m.constant(highest)), m.constant(lowest)), m);
    const power = m.power2(n);
    return m.mul(m.mul(expOf(r, m), power), power);
  },
  covers: null,
  scalar: Math.exp,
};

/** e^r, |r| ≤ ln 2. */
function expOf<T, M>(r: T, m: Lanes<T, M>): T {
  return m.add(m.constant(1), m.madd(m.mul(r, r), polynomial(EXP[m.dtype], r, m), r));
}

/** 2^x = 2ⁿ e^((x − n) ln 2), exact for whole numbers. Error: 1.1 ulp. */
export const exp2: LaneFunction = {
  name: "exp2",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [lowest, highest] = EXP2_ENDS[m.dtype];
    const u = m.atLeast(m.atMost(x!, m.constant(highest)), m.constant(lowest));
    const n = m.nearest(u);
    return timesPower2(expOfSmall(m.mul(m.sub(u, n), m.constant(Math.LN2)), m), n, m);
  },
  covers: null,
  scalar: (x) => 2 ** x,
};

/** The whole number n nearest to x/(2 ln 2), and x − 2n ln 2. */
function reduceByLn4<T, M>(x: T, m: Lanes<T, M>): [n: T, r: T] {
  const [high, low] = LN4[m.dtype];
  const n = m.nearest(m.mul(x, m.constant(0.5 * Math.LOG2E)));
  return [n, m.madd(n, m.constant(-low), m.madd(n, m.constant(-high), x))];
}

/** Beyond these 2^x is 0 and Infinity. */
const EXP2_ENDS = { float32: [-151, 129], float64: [-1076, 1025] } as const;

/** Beyond these e^x − 1 is −1 and Infinity. */
const EXPM1_ENDS = { float32: [-18, 89], float64: [-38, 710] } as const;

/**
 * e^x − 1 = 2ⁿ(2ⁿ(e^r − 1) + (2ⁿ − 2⁻ⁿ)) with n and r as of `exp`: nothing cancels where n = 0, and nothing overflows
 * before its time.
 *
 * Error: 1.7 ulp in float32, 2.0 in float64.
 */
export const expm1: LaneFunction = {
  name: "expm1",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [lowest, highest] = EXPM1_ENDS[m.dtype];
    const [n, r] = reduceByLn4(m.atLeast(m.atMost(x!, m.constant(highest)), m.constant(lowest)), m);
    const power = m.power2(n);
    const y = m.madd(m.mul(r, r), polynomial(EXP[m.dtype], r, m), r);
    const offset = m.sub(power, m.power2(m.neg(n)));
    return m.copySign(m.mul(m.madd(power, y, offset), power), x!);
  },
  covers: null,
  scalar: Math.expm1,
};

/** The whole number n nearest to x/ln 2, and x − n ln 2. */
export function reduceByLn2<T, M>(x: T, m: Lanes<T, M>): [n: T, r: T] {
  const [high, low] = LN2[m.dtype];
  const n = m.nearest(m.mul(x, m.constant(Math.LOG2E)));
  return [n, m.madd(n, m.constant(-low), m.madd(n, m.constant(-high), x))];
}

/** e^r, |r| ≤ ln 2/2, closer than `exp` has it. */
export function expOfSmall<T, M>(r: T, m: Lanes<T, M>): T {
  return m.add(m.constant(1), expm1OfSmall(r, m));
}

/** e^r − 1, |r| ≤ ln 2/2, and a smaller number added before the last rounding. */
export function expm1OfSmall<T, M>(r: T, m: Lanes<T, M>, more?: T): T {
  const [square, factor] = [m.mul(r, r), polynomial(EXP_OF_SMALL[m.dtype], r, m)];
  return more === undefined ? m.madd(square, factor, r) : m.add(r, m.madd(square, factor, more));
}

/** y · 2ⁿ. */
export function timesPower2<T, M>(y: T, n: T, m: Lanes<T, M>): T {
  const [a, b] = factorsOfPower2(n, m);
  return m.mul(m.mul(y, a), b);
}

/** 2ⁿ as a product of two powers, which are normal where it over- or underflows. */
export function factorsOfPower2<T, M>(n: T, m: Lanes<T, M>): [a: T, b: T] {
  const half = m.floor(m.mul(n, m.constant(0.5)));
  return [m.power2(half), m.power2(m.sub(n, half))];
}
