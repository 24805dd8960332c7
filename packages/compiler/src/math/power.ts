/** Powers, roots and norms of lanes. */

import { upper } from "./double-word.ts";
import { expOfSmall, timesPower2 } from "./exponential.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";
import { splitNormal } from "./logarithm.ts";
import { polynomial } from "./polynomial.ts";

/** 3(artanh(t)/t − 1 − t²/3)/t⁴ by powers of t², |t| ≤ 3 − 2√2: artanh to a relative 2^−36.8 and 2^−66.3. */
const ARTANH = {
  float32: [0.6000023, 0.42820635, 0.35129452],
  float64: [
    0.6000000000000338, 0.4285714285514934, 0.33333333779895435, 0.2727267654933648, 0.23080136070905366,
    0.19885224687918068, 0.1979451252111556,
  ],
} as const;

/** 2/(3 ln 2) in two parts. */
const FACTOR = {
  float32: [0.9619140625, -0.000117368574],
  float64: [0.9617967009544373, -7.028461650952758e-9],
} as const;

/** Where 2^w is 0 and Infinity at least. */
const ENDS = { float32: 200, float64: 1200 } as const;

/**
 * a^b as IEEE 754 has it: a^b = 2^(b log2 |a|), its sign that of a where b is odd, NaN where a < 0 and b is not whole.
 *
 * The logarithm is computed to twice the digits, less a few, since the power multiplies its error by up to 2^7 (float32)
 * or 2^10 (float64). Source: the scheme is that of e_pow.c in fdlibm (1993), without its table.
 *
 * Error: 1.2 ulp in float32, 1.4 in float64.
 */
export const pow: LaneFunction = {
  name: "pow",
  arity: 2,
  fast<T, M>([a, b]: readonly T[], m: Lanes<T, M>): T {
    const [zero, one, half] = [m.constant(0), m.constant(1), m.constant(0.5)];
    const size = m.abs(a!);
    const power = exp2Of(timesLog2(size, b!, m), m);
    const ofZero = m.select(m.lt(zero, b!), zero, m.select(m.lt(b!, zero), m.constant(Infinity), one));
    const y = m.select(m.eq(size, zero), ofZero, power);
    const whole = m.eq(m.floor(b!), b!);
    const halved = m.mul(b!, half);
    const odd = m.and(whole, m.lt(m.floor(halved), halved));
    const signed = m.select(odd, m.copySign(y, a!), y);
    return m.select(m.or(whole, m.le(zero, a!)), signed, m.constant(NaN));
  },
  /** Finite and normal or 0 to a finite power that is not huge. */
  covers<T, M>([a, b]: readonly T[], m: Lanes<T, M>): M {
    const size = m.abs(a!);
    const least = m.constant(m.dtype === "float32" ? 2 ** -126 : 2 ** -1022);
    const normal = m.and(m.le(least, size), m.lt(size, m.constant(Infinity)));
    return m.and(m.or(normal, m.eq(size, m.constant(0))), m.lt(m.abs(b!), m.constant(2 ** 64)));
  },
  scalar: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
};

/** b·log2 a as a sum of two numbers, a > 0 normal. */
function timesLog2<T, M>(a: T, b: T, m: Lanes<T, M>): [high: T, low: T] {
  const one = m.constant(1);
  const [s, e] = splitNormal(a, m);
  // t = (s − 1)/(s + 1) = high + low; numerator exact, denominator in two parts.
  const numerator = m.sub(s, one);
  const denominator = m.add(s, one);
  const inverse = m.div(one, denominator);
  const t = m.mul(numerator, inverse);
  const tHigh = upper(t, m);
  const dHigh = upper(denominator, m);
  const dLow = m.sub(s, m.sub(dHigh, one));
  const minus = m.neg(tHigh);
  const tLow = m.mul(m.madd(minus, dLow, m.madd(minus, dHigh, numerator)), inverse);
  // log2 s = 2/(3 ln 2)·t·g, g = 3 + t² + (3/5)t⁴ + … = high + low.
  const z = m.mul(t, t);
  const zHigh = m.mul(tHigh, tHigh);
  const more = m.madd(tLow, m.add(tHigh, t), m.mul(m.mul(z, z), polynomial(ARTANH[m.dtype], z, m)));
  const three = m.constant(3);
  const gHigh = upper(m.add(three, m.add(zHigh, more)), m);
  const gLow = m.sub(more, m.sub(m.sub(gHigh, three), zHigh));
  const main = m.mul(tHigh, gHigh);
  const rest = m.madd(tLow, gHigh, m.mul(t, gLow));
  const pHigh = upper(m.add(main, rest), m);
  const pLow = m.sub(rest, m.sub(pHigh, main));
  const [factorHigh, factorLow] = FACTOR[m.dtype];
  const product = m.mul(pHigh, m.constant(factorHigh));
  const small = m.madd(pHigh, m.constant(factorLow), m.mul(pLow, m.constant(factorHigh + factorLow)));
  const high = upper(m.add(m.add(product, small), e), m);
  const low = m.sub(small, m.sub(m.sub(high, e), product));
  const bHigh = upper(b, m);
  return [m.mul(bHigh, high), m.madd(m.sub(b, bHigh), high, m.mul(b, low))];
}

/** 2^(high + low). */
function exp2Of<T, M>([high, low]: [T, T], m: Lanes<T, M>): T {
  const end = ENDS[m.dtype];
  const w = m.atLeast(m.atMost(m.add(high, low), m.constant(end)), m.constant(-end));
  const n = m.nearest(w);
  const rest = m.add(m.sub(high, n), low);
  // Beyond the ends what rests is large, and must only keep its sign.
  const bounded = m.atLeast(m.atMost(rest, m.constant(1)), m.constant(-1));
  return timesPower2(expOfSmall(m.mul(bounded, m.constant(Math.LN2)), m), n, m);
}

/** ∛w by powers of w, 1 ≤ w < 8: to 2^−9.0. */
const CBRT = [0.6272947, 0.44919375, -0.08377509, 0.0095838215, -0.00043210105] as const;

/**
 * ∛x = 2^q ∛w with x = 2^3q w, 1 ≤ w < 8: from a polynomial by steps that triple the right digits.
 *
 * Error: 1.0 ulp.
 */
export const cbrt: LaneFunction = {
  name: "cbrt",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const single = m.dtype === "float32";
    const size = m.abs(x!);
    // What is denormal is lifted by a power of 8.
    const tiny = m.lt(size, m.constant(single ? 2 ** -126 : 2 ** -1022));
    const lift = single ? 24 : 54;
    const normal = m.select(tiny, m.mul(size, m.constant(2 ** lift)), size);
    const e = m.exponent(normal);
    // (e + ½)/3 lies so far from whole numbers that rounding does no harm.
    const q = m.floor(m.mul(m.add(e, m.constant(0.5)), m.constant(1 / 3)));
    const w = m.mul(m.significand(normal), m.power2(m.madd(q, m.constant(-3), e)));
    let y = halley(polynomial(CBRT, w, m), w, m);
    if (!single) y = halley(y, w, m);
    const power = m.power2(m.select(tiny, m.sub(q, m.constant(lift / 3)), q));
    const finite = m.and(m.lt(m.constant(0), size), m.lt(size, m.constant(Infinity)));
    return m.select(finite, m.copySign(m.mul(y, power), x!), x!);
  },
  covers: null,
  scalar: Math.cbrt,
};

/** Halley's iteration for ∛w: y − y(y³ − w)/(2y³ + w). */
function halley<T, M>(y: T, w: T, m: Lanes<T, M>): T {
  const cube = m.mul(y, m.mul(y, y));
  return m.sub(y, m.div(m.mul(y, m.sub(cube, w)), m.add(m.add(cube, cube), w)));
}

/** √(a² + b²). Error: 1.2 ulp. */
export const hypot: LaneFunction = {
  name: "hypot",
  arity: 2,
  fast: ([a, b], m) => m.sqrt(m.madd(a!, a!, m.mul(b!, b!))),
  /** Where the larger square is neither too large nor so small that the other one matters when it is denormal. */
  covers<T, M>([a, b]: readonly T[], m: Lanes<T, M>): M {
    const larger = m.atLeast(m.abs(a!), m.abs(b!));
    const [least, greatest] = m.dtype === "float32" ? [2 ** -50, 2 ** 63] : [2 ** -480, 2 ** 511];
    const inside = m.and(m.le(m.constant(least), larger), m.le(larger, m.constant(greatest)));
    return m.or(m.eq(larger, m.constant(0)), inside);
  },
  scalar: Math.hypot,
};
