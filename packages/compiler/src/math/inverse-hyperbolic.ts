/** Inverse hyperbolic functions of lanes, by way of ln(1 + x). */

import type { LaneFunction, Lanes } from "./lanes.ts";
import { logOfOnePlus } from "./logarithm.ts";

/** Beyond this arsinh x and arcosh x are ln 2x, and ln(1 + x) is ln x, to the dtype; below it, x² is finite. */
const LARGE = { float32: 2 ** 40, float64: 2 ** 100 } as const;

/** arsinh u = ln(1 + u + u²/(1 + √(1 + u²))), u = |x|. Error: 1.8 ulp. */
export const asinh: LaneFunction = {
  name: "asinh",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    const u = m.abs(x!);
    const square = m.mul(u, u);
    const root = m.sqrt(m.add(one, square));
    return m.copySign(logOf(u, m.add(u, m.div(square, m.add(one, root))), m), x!);
  },
  covers: null,
  scalar: Math.asinh,
};

/** arcosh x = ln(1 + t + √(2t + t²)), t = x − 1. Error: 1.9 ulp in float32, 2.0 in float64. */
export const acosh: LaneFunction = {
  name: "acosh",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    const t = m.sub(x!, one);
    const root = m.sqrt(m.madd(t, t, m.add(t, t)));
    return m.select(m.lt(x!, one), m.constant(NaN), logOf(x!, m.add(t, root), m));
  },
  covers: null,
  scalar: Math.acosh,
};

/** ln(1 + w), or ln 2u where u is large; u itself where it is Infinity or NaN. */
function logOf<T, M>(u: T, w: T, m: Lanes<T, M>): T {
  const large = m.lt(m.constant(LARGE[m.dtype]), u);
  const more = m.select(large, m.constant(Math.LN2), m.constant(0));
  const y = m.add(logOfOnePlus(m.select(large, u, w), m), more);
  return m.select(m.lt(u, m.constant(Infinity)), y, u);
}

/**
 * artanh u = ½ ln(1 + 2u + 2u²/(1 − u)), u = |x|: what is divided is the smaller part where digits matter.
 *
 * Error: 1.7 ulp.
 */
export const atanh: LaneFunction = {
  name: "atanh",
  arity: 1,
  fast<T, M>([x]: readonly T[], m: Lanes<T, M>): T {
    const one = m.constant(1);
    const u = m.abs(x!);
    const twice = m.add(u, u);
    const y = logOfOnePlus(m.add(twice, m.div(m.mul(twice, u), m.sub(one, u))), m);
    const end = m.select(m.eq(u, one), m.constant(Infinity), m.constant(NaN));
    return m.copySign(m.select(m.lt(u, one), m.mul(m.constant(0.5), y), end), x!);
  },
  covers: null,
  scalar: Math.atanh,
};
