/** Inverse trigonometric functions of lanes. */

import type { LaneFunction, Lanes } from "./lanes.ts";
import { horner, polynomial } from "./polynomial.ts";

/** π/2 in two parts. */
const HALF_PI = {
  float32: [1.5707963705062866, -4.371139e-8],
  float64: [1.5707963267948966, 6.123233995736766e-17],
} as const;

/** (arcsin(s)/s − 1)/s² by powers of s², |s| ≤ 0.55: to 2^−29.5 and 2^−55.3. */
const ASIN = {
  float32: [0.1666664, 0.07501627, 0.044310983, 0.033443663, 0.008575777, 0.04529787],
  float64: [
    0.1666666666666843, 0.0749999999954802, 0.04464285754716397, 0.030381926261878682, 0.022372640126297957,
    0.01734461762615017, 0.014057547051177722, 0.01082454214580036, 0.013726984232832196,
    -0.006491038048399525, 0.044468073020139214, -0.05059303172792717, 0.04966318709983865,
  ],
} as const;

/** arcsin x, for |x| > 0.55 as π/2 − 2 arcsin √((1 − |x|)/2). Error: 1.4 ulp in float32, 1.7 in float64. */
export const asin: LaneFunction = {
  name: "asin",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const { large, y } = halved(m.abs(x!), m);
    const [high, low] = HALF_PI[m.dtype];
    const rest = m.sub(m.constant(high), m.sub(m.add(y, y), m.constant(low)));
    return m.copySign(m.select(large, rest, y), x!);
  },
  covers: null,
  scalar: Math.asin,
};

/**
 * arccos x: π/2 − arcsin x, or 2 arcsin √((1 − |x|)/2), or π less that.
 *
 * Error: 1.1 ulp in float32, 1.3 in float64.
 */
export const acos: LaneFunction = {
  name: "acos",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const { large, y } = halved(m.abs(x!), m);
    const [high, low] = HALF_PI[m.dtype];
    const zero = m.constant(0);
    const negative = m.lt(x!, zero);
    const of = (part: number) =>
      m.select(large, m.select(negative, m.constant(2 * part), zero), m.constant(part));
    const signed = m.copySign(m.select(large, m.add(y, y), y), m.select(large, x!, m.neg(x!)));
    return m.add(of(high), m.add(signed, of(low)));
  },
  covers: null,
  scalar: Math.acos,
};

/** Whether u > 0.55, and arcsin u, or where it is arcsin √((1 − u)/2). NaN for u > 1. */
function halved<T, M>(u: T, m: Lanes<T, M>): { large: M; y: T } {
  const half = m.constant(0.5);
  // Beyond this 2 arcsin √((1 − u)/2) < 1, so that what it is subtracted from does not show its last digit.
  const large = m.lt(m.constant(0.55), u);
  const z = m.select(large, m.madd(u, m.neg(half), half), m.mul(u, u));
  const s = m.select(large, m.sqrt(z), u);
  return { large, y: m.madd(m.mul(s, z), polynomial(ASIN[m.dtype], z, m), s) };
}

/** (arctan(t)/t − 1)/t² by powers of t², |t| ≤ 1: to 2^−28.5 and 2^−57.6. */
const ATAN = {
  float32: [
    -0.333333, 0.1999853, -0.14264016, 0.10950881, -0.083993144, 0.057881717, -0.0310976, 0.010869233,
    -0.0017830074,
  ],
  float64: [
    -0.3333333333333307, 0.19999999999951748, -0.14285714282587975, 0.11111111007338315, -0.09090907007730002,
    0.0769227988809005, -0.06666404416513198, 0.05880529767408904, -0.052535266021172526,
    0.047223477680293814, -0.04219242069283183, 0.036643130323757094, -0.02990570186972193,
    0.021987022772732425, -0.013902525147510818, 0.007197845698813212, -0.002885587179569539,
    0.0008315509195182383, -0.00015220909095638028, 1.322977784883613e-5,
  ],
} as const;

/** arctan x, for |x| > 1 as π/2 − arctan 1/|x|. Error: 1.6 ulp in float32, 1.8 in float64. */
export const atan: LaneFunction = {
  name: "atan",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    const u = m.abs(x!);
    const steep = m.lt(one, u);
    const y = arctan(m.select(steep, m.div(one, u), u), m);
    const [high, low] = HALF_PI[m.dtype];
    return m.copySign(m.select(steep, m.sub(m.constant(high), m.sub(y, m.constant(low))), y), x!);
  },
  covers: null,
  scalar: Math.atan,
};

/** The angle of the point (b, a): arctan a/b in the right half plane. Error: 1.5 ulp in float32, 1.6 in float64. */
export const atan2: LaneFunction = {
  name: "atan2",
  arity: 2,
  fast<T, M>([a, b]: readonly T[], m: Lanes<T, M>): T {
    const [zero, one] = [m.constant(0), m.constant(1)];
    const [up, along] = [m.abs(a!), m.abs(b!)];
    const steep = m.lt(along, up);
    const longer = m.select(steep, up, along);
    const shorter = m.select(steep, along, up);
    const y = arctan(m.div(shorter, m.select(m.eq(longer, zero), one, longer)), m);
    // From the angle with the nearer axis to that with the positive one: ±y + 0, π/2 or π. b may be −0.
    const left = m.lt(m.copySign(one, b!), zero);
    const [high, low] = HALF_PI[m.dtype];
    const of = (part: number) =>
      m.select(steep, m.constant(part), m.select(left, m.constant(2 * part), zero));
    // y is taken from π/2 on the right and from π on the left, and else added.
    const sign = m.mul(m.copySign(one, b!), m.select(steep, m.constant(-1), one));
    const angle = m.add(of(high), m.madd(y, sign, of(low)));
    return m.copySign(angle, a!);
  },
  covers: ([a, b], m) => {
    const infinity = m.constant(Infinity);
    return m.and(m.lt(m.abs(a!), infinity), m.lt(m.abs(b!), infinity));
  },
  scalar: Math.atan2,
};

/** arctan t, 0 ≤ t ≤ 1. */
function arctan<T, M>(t: T, m: Lanes<T, M>): T {
  const z = m.mul(t, t);
  return m.madd(m.mul(t, z), horner(ATAN[m.dtype], z, m), t);
}
