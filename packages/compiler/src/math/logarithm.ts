/** Logarithms of lanes. */

import type { LaneFunction, Lanes } from "./lanes.ts";
import { polynomial } from "./polynomial.ts";

/** ln 2 in two parts; the first times an exponent is exact. */
const LN2 = {
  float32: [0.693145751953125, 1.4286068e-6],
  float64: [0.6931471805598903, 5.497923018708371e-14],
} as const;

/** (2 artanh(s)/s − 2)/s² by powers of s², |s| ≤ 3 − 2√2: ln to 2^−30.2 and 2^−59.5. */
const ARTANH = {
  float32: [0.66666776, 0.39977583, 0.29870796],
  float64: [
    0.6666666666666734, 0.39999999999416636, 0.2857142874203021, 0.2222219860478976, 0.18183562867110117,
    0.1531408440046534, 0.14795638002951447,
  ],
} as const;

/** The natural logarithm. */
export const log: LaneFunction = {
  name: "log",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const [significand, exponent] = split(x!, m);
    const f = m.sub(significand, m.constant(1));
    return ends(x!, compose(f, exponent, m), m);
  },
  covers: null,
  scalar: Math.log,
};

/** ln(1 + x). */
export const log1p: LaneFunction = {
  name: "log1p",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    const u = m.add(one, x!);
    const lost = lostOfOnePlus(x!, u, m);
    const e = m.exponent(u);
    const s = m.significand(u);
    const k = m.floor(m.mul(s, m.constant(Math.SQRT1_2)));
    const halving = m.madd(k, m.constant(-0.5), one);
    // What 1 + x lost counts as long as it is not scaled to nothing.
    const scale = m.power2(m.atLeast(m.neg(e), m.constant(-100)));
    const f = m.madd(m.mul(lost, scale), halving, m.sub(m.mul(s, halving), one));
    return m.copySign(ends(u, compose(f, m.add(e, k), m), m), x!);
  },
  covers: null,
  scalar: Math.log1p,
};

/** What is lost when 1 + x is rounded to u. Source: Knuth, The Art of Computer Programming, volume 2, §4.2.2. */
function lostOfOnePlus<T, M>(x: T, u: T, m: Lanes<T, M>): T {
  const one = m.constant(1);
  const rest = m.sub(u, one);
  return m.add(m.sub(one, m.sub(u, rest)), m.sub(x, rest));
}

/** x = s·2ᵉ with √½ ≤ s < √2. */
function split<T, M>(x: T, m: Lanes<T, M>): [significand: T, exponent: T] {
  const tiny = m.lt(x, m.constant(m.dtype === "float32" ? 2 ** -126 : 2 ** -1022));
  const digits = m.dtype === "float32" ? 24 : 53;
  const normal = m.select(tiny, m.mul(x, m.constant(2 ** digits)), x);
  const e = m.add(m.exponent(normal), m.select(tiny, m.constant(-digits), m.constant(0)));
  const s = m.significand(normal);
  // 0 where s < √2, else 1.
  const k = m.floor(m.mul(s, m.constant(Math.SQRT1_2)));
  return [m.mul(s, m.madd(k, m.constant(-0.5), m.constant(1))), m.add(e, k)];
}

/**
 * ln((1 + f) 2ᵉ). With s = f/(2 + f), ln(1 + f) = 2 artanh s = f − s(f − R), where f outweighs what follows it.
 *
 * Source: the form is that of Ng's logarithm in fdlibm, e_log.c (1993): f²/2 − s(f²/2 + R).
 */
function compose<T, M>(f: T, e: T, m: Lanes<T, M>): T {
  const s = m.div(f, m.add(m.constant(2), f));
  const z = m.mul(s, s);
  const rest = m.mul(z, polynomial(ARTANH[m.dtype], z, m));
  const half = m.mul(m.constant(0.5), m.mul(f, f));
  const [high, low] = LN2[m.dtype];
  const small = m.madd(e, m.constant(low), m.mul(s, m.add(half, rest)));
  return m.madd(e, m.constant(high), m.sub(f, m.sub(half, small)));
}

/** The logarithm y of x > 0, as it is at the ends: Infinity there, −Infinity at 0, NaN below and of NaN. */
function ends<T, M>(x: T, y: T, m: Lanes<T, M>): T {
  const bounded = m.select(m.lt(x, m.constant(Infinity)), y, x);
  const below = m.select(m.eq(x, m.constant(0)), m.constant(-Infinity), m.constant(NaN));
  return m.select(m.lt(m.constant(0), x), bounded, below);
}
