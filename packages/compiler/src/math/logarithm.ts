/** Logarithms of lanes. */

import { upper } from "./double-word.ts";
import type { LaneFunction, Lanes } from "./lanes.ts";
import { polynomial } from "./polynomial.ts";

/** ln 2 in two parts; the first times an exponent is exact. */
export const LN2 = {
  float32: [0.693145751953125, 1.4286068e-6],
  float64: [0.6931471805598903, 5.497923018708371e-14],
} as const;

/** log2 e, log10 e and log10 2 in two parts; the first times what `upper` leaves, or times an exponent, is exact. */
const LOG2E = {
  float32: [1.44287109375, -0.00017605285],
  float64: [1.4426950514316559, -1.0542692476429138e-8],
} as const;
const LOG10E = {
  float32: [0.434326171875, -3.168997e-5],
  float64: [0.4342944845557213, -2.6524694553078553e-9],
} as const;
const LOG10_2 = {
  float32: [0.30103302001953125, -3.0243555e-6],
  float64: [0.30102999566395283, 2.8363394551044964e-14],
} as const;

/** (2 artanh(s)/s − 2)/s² by powers of s², |s| ≤ 3 − 2√2: ln to 2^−30.2 and 2^−59.5. */
const ARTANH = {
  float32: [0.66666776, 0.39977583, 0.29870796],
  float64: [
    0.6666666666666734, 0.39999999999416636, 0.2857142874203021, 0.2222219860478976, 0.18183562867110117,
    0.1531408440046534, 0.14795638002951447,
  ],
} as const;

/** The natural logarithm. Error: 0.9 ulp. */
export const log: LaneFunction = {
  name: "log",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [s, e] = split(x!, m);
    return ends(x!, 0, logOfProduct(m.sub(s, m.constant(1)), e, m), m);
  },
  covers: null,
  scalar: Math.log,
};

/** ln(1 + x). Error: 1.4 ulp. */
export const log1p: LaneFunction = {
  name: "log1p",
  arity: 1,
  fast: ([x], m) => m.copySign(ends(x!, -1, logOfOnePlus(x!, m), m), x!),
  covers: null,
  scalar: Math.log1p,
};

/** ln(1 + x) for −1 < x < ∞. */
export function logOfOnePlus<T, M>(x: T, m: Lanes<T, M>): T {
  const one = m.constant(1);
  const u = m.add(one, x);
  const [s, e] = splitNormal(u, m);
  // What is lost counts as long as e is small; the bound keeps the power normal.
  const scale = m.power2(m.atLeast(m.neg(e), m.constant(-100)));
  const f = m.madd(lostOfOnePlus(x, u, m), scale, m.sub(s, one));
  return logOfProduct(f, e, m);
}

/** The logarithm to base 2, exact for powers of 2. Error: 0.9 ulp. */
export const log2: LaneFunction = {
  name: "log2",
  arity: 1,
  fast: ([x], m) => toBase(x!, [1, 0], LOG2E[m.dtype], m),
  covers: null,
  scalar: Math.log2,
};

/** The logarithm to base 10. Error: 0.7 ulp. */
export const log10: LaneFunction = {
  name: "log10",
  arity: 1,
  fast: ([x], m) => toBase(x!, LOG10_2[m.dtype], LOG10E[m.dtype], m),
  covers: null,
  scalar: Math.log10,
};

/** What is lost when 1 + x is rounded to u. Source: Knuth, The Art of Computer Programming, volume 2, §4.2.2. */
function lostOfOnePlus<T, M>(x: T, u: T, m: Lanes<T, M>): T {
  const one = m.constant(1);
  const rest = m.sub(u, one);
  return m.add(m.sub(one, m.sub(u, rest)), m.sub(x, rest));
}

/** x = s·2ᵉ with √½ ≤ s < √2, x > 0. */
function split<T, M>(x: T, m: Lanes<T, M>): [significand: T, exponent: T] {
  const tiny = m.lt(x, m.constant(m.dtype === "float32" ? 2 ** -126 : 2 ** -1022));
  const digits = m.dtype === "float32" ? 24 : 53;
  const [s, e] = splitNormal(m.select(tiny, m.mul(x, m.constant(2 ** digits)), x), m);
  return [s, m.add(e, m.select(tiny, m.constant(-digits), m.constant(0)))];
}

/** The same for a normal number. */
export function splitNormal<T, M>(x: T, m: Lanes<T, M>): [significand: T, exponent: T] {
  const s = m.significand(x);
  // 0 where s < √2, else 1.
  const k = m.floor(m.mul(s, m.constant(Math.SQRT1_2)));
  return [m.mul(s, m.madd(k, m.constant(-0.5), m.constant(1))), m.add(m.exponent(x), k)];
}

/**
 * ln((1 + f) 2ᵉ), and of what f has lost by rounding, if that is known. With s = f/(2 + f), ln(1 + f) = 2 artanh s =
 * f − s(f − R), where f outweighs what follows it.
 *
 * Source: the form is that of Ng's logarithm in fdlibm, e_log.c (1993): f²/2 − s(f²/2 + R).
 */
export function logOfProduct<T, M>(f: T, e: T, m: Lanes<T, M>, lost?: T): T {
  const [half, rest] = terms(f, m);
  const [high, low] = LN2[m.dtype];
  const small = m.madd(e, m.constant(low), lost === undefined ? rest : m.add(rest, lost));
  return m.madd(e, m.constant(high), m.sub(f, m.sub(half, small)));
}

/** f²/2 and s(f²/2 + R): ln(1 + f) is f − the first + the second. */
function terms<T, M>(f: T, m: Lanes<T, M>): [half: T, rest: T] {
  const s = m.div(f, m.add(m.constant(2), f));
  const z = m.mul(s, s);
  const half = m.mul(m.constant(0.5), m.mul(f, f));
  return [half, m.mul(s, m.madd(z, polynomial(ARTANH[m.dtype], z, m), half))];
}

/**
 * A logarithm to another base, given those of 2 and e in two parts: e·log 2 + ln(1 + f)·log e, ln(1 + f) in two parts
 * too, of which products of the first are exact.
 */
function toBase<T, M>(
  x: T,
  [log2High, log2Low]: readonly [number, number],
  [logEHigh, logELow]: readonly [number, number],
  m: Lanes<T, M>,
): T {
  const [significand, exponent] = split(x, m);
  const f = m.sub(significand, m.constant(1));
  const [half, rest] = terms(f, m);
  const high = upper(m.sub(f, half), m);
  const low = m.add(m.sub(m.sub(f, high), half), rest);
  const small = m.madd(
    high,
    m.constant(logELow),
    m.madd(low, m.constant(logEHigh + logELow), m.mul(exponent, m.constant(log2Low))),
  );
  const whole = m.mul(exponent, m.constant(log2High));
  const main = m.mul(high, m.constant(logEHigh));
  // The larger of the two first, so that what their sum loses can be kept: |whole| > |main| unless it is 0.
  const sum = m.add(whole, main);
  return ends(x, 0, m.add(sum, m.add(m.add(m.sub(whole, sum), main), small)), m);
}

/** y, a logarithm of x, as it is at the ends: −Infinity at `zero`, NaN below and of NaN, Infinity of Infinity. */
function ends<T, M>(x: T, zero: number, y: T, m: Lanes<T, M>): T {
  const least = m.constant(zero);
  const bounded = m.select(m.lt(x, m.constant(Infinity)), y, x);
  const below = m.select(m.eq(x, least), m.constant(-Infinity), m.constant(NaN));
  return m.select(m.lt(least, x), bounded, below);
}
